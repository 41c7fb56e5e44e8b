/* SPDX-License-Identifier: Apache-2.0 */
/* dispatch.h - steps sent to their nodes, at most one at a time to each. */
#ifndef APPLY_DISPATCH_H
#define APPLY_DISPATCH_H

#include "apply/run.h"

struct job {
    const struct step *step;
    bool failed, over; /* over: done, nothing more is to be asked */
    bool waiting;      /* neither failed nor done: `evidence` says what for */
    str evidence;
    str request, replaced; /* of an issue: PKCS#10 and the old leaf, both DER */
    str chain;             /* and what was issued, PEM */
    str lost;              /* how its connection was, in the middle of it; empty: it was not */
    bool unseen;           /* and what became of it was not seen afterwards */
    struct err err;        /* when failed */
};

/* Ask `op` of every job that is neither failed, over nor waiting, all nodes at once. `take` looks
   at an answer. */
void dispatch(struct apply *apply, struct job *jobs, size_t count, const char *op,
              void (*take)(struct apply *apply, struct job *job, const json_t *answer));

/* The body of one request about one step, lease and all. The caller owns it. */
json_t *dispatch_body(const struct apply *apply, const struct job *job);

#endif
