/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules.h - every reason to refuse a certificate, one row each, in the order of OpenSSL 3.0.
 *
 * Rules are tried pass by pass. Within a pass the path is walked from the leaf to the anchor
 * (PASS_SIGNED: from the anchor to the leaf), and at each certificate the rows are tried in the
 * order of the table. The first rule that does not hold is the verdict; the name that was dialled
 * and the identity come last, because libpq and PostgreSQL look at them after the handshake.
 */
#ifndef TRUST_RULES_H
#define TRUST_RULES_H

#include "cause/catalogue.h"
#include "trust/path.h"

enum applies {
    APPLIES_LEAF = 1,
    APPLIES_INTERMEDIATE = 2,
    APPLIES_ANCHOR = 4,
    APPLIES_ANY = 7,
    APPLIES_PATH = 8,      /* the path as a whole: looked at from its last certificate */
    APPLIES_NAME = 16,     /* the leaf's names, for the name that was dialled */
    APPLIES_IDENTITY = 32, /* the leaf's subject, for the user */
    APPLIES_PIN = 64,      /* the leaf, for what is remembered of it */
};

// clang-format off
#define PASSES(X)                                                                  \
    X(PASS_PRESENTED) /* there is something to judge */                            \
    X(PASS_LEAF_KEY)                                                               \
    X(PASS_PATH)       /* the path ends in an anchor */                            \
    X(PASS_EXTENSIONS)                                                             \
    X(PASS_STRENGTH)                                                               \
    X(PASS_SIGNED)     /* signatures and dates */                                  \
    X(PASS_CONSTRAINTS)                                                            \
    X(PASS_LINK)       /* what this link demands beyond the path */
// clang-format on
#define PASS_ENUM(id) id,
enum rule_pass { PASSES(PASS_ENUM) PASS_COUNT };
#undef PASS_ENUM

/* What is being judged: one end's certificate, by the other end. */
struct trial {
    struct facts *facts;
    enum tls_role role;      /* of the end that presents */
    const struct path *path; /* count 0: nothing was presented */
    str anchors;             /* packed; the pins too */
    moment at;
    const struct link *link; /* in PASS_LINK */
    uint32_t withheld;       /* leaf that a client has and does not present here, or NO_ID */
};

struct rule {
    const char *id;
    enum rule_pass pass;
    unsigned applies;
    enum cause causes[ROLE_COUNT]; /* by who presents */
    const char *section;
    bool (*holds)(const struct trial *trial, size_t depth);
    const char *text; /* what must hold, for the documentation */
};
extern const struct rule rules[];
extern const size_t rule_count;

/* The first rule in the passes [from, to] that does not hold, with the depth on the path; NULL
   when all hold. */
const struct rule *rules_try(const struct trial *trial, enum rule_pass from, enum rule_pass to,
                             size_t *ret_depth);

/* The first rule with that cause for that role; NULL when no rule has it. */
const struct rule *rule_of_cause(enum cause cause, enum tls_role role);

#endif
