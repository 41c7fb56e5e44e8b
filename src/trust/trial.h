/* SPDX-License-Identifier: Apache-2.0 */
/* trial.h - what a rule is asked about: a path, who judges it, and when. */
#ifndef TRUST_TRIAL_H
#define TRUST_TRIAL_H

#include "trust/path.h"

/* What is being judged: one end's certificate, by the other end. */
struct trial {
    struct facts *facts;
    enum stack_id stack;     /* of the end that judges */
    enum tls_role role;      /* of the end that presents */
    const struct path *path; /* count 0: nothing was presented */
    str anchors;             /* packed; the pins too */
    moment at;
    const struct link *link; /* in PART_LINK */
    uint32_t withheld;       /* leaf that a client has and does not present here, or NO_ID */
};

static inline uint32_t trial_id(const struct trial *trial, size_t depth)
{
    return trial->path->certs[depth];
}

static inline const struct cert *trial_cert(const struct trial *trial, size_t depth)
{
    return &trial->facts->model->certs.items[trial_id(trial, depth)];
}

static inline const struct cert_facts *trial_facts(const struct trial *trial, size_t depth)
{
    return facts_of(trial->facts, trial_id(trial, depth));
}

static inline bool trial_planned(const struct trial *trial, size_t depth)
{
    return facts_planned(trial->facts, trial_id(trial, depth));
}

static inline bool trial_is_last(const struct trial *trial, size_t depth)
{
    return depth + 1 == trial->path->count;
}

/* At the end of a path that ends in an anchor, and not in the leaf itself. */
static inline bool trial_is_anchor(const struct trial *trial, size_t depth)
{
    return depth > 0 && trial->path->complete && trial_is_last(trial, depth);
}

#endif
