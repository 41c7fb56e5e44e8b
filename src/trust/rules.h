/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules.h - every reason to refuse a certificate, one row each, and how each stack sees to it.
 *
 * A row says what must hold, and how OpenSSL 3.0 finds out. A cell says where a stack departs from
 * the row, and what tells so; a stack without a cell of its own has its library's. A library's
 * order says which questions it asks first: stage by stage, within a stage from the leaf to the
 * anchor or from the anchor to the leaf, at each certificate in the order of the table. The first
 * rule that does not hold is the verdict.
 */
#ifndef TRUST_RULES_H
#define TRUST_RULES_H

#include "cause/catalogue.h"
#include "trust/trial.h"

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
#define RULES(X)                                                                                  \
    X(selected) X(presented) X(well_formed_leaf) X(leaf_key) X(anchors) X(anchor_current)         \
    X(chain_whole) X(not_alone) X(anchored) X(well_formed) X(critical) X(cert_sign) X(ca)         \
    X(extended_key_usage) X(key_usage) X(path_length) X(issuer_key) X(signature_strength)         \
    X(signed_by_anchor) X(signed) X(begun) X(anchor_dates) X(intermediate_dates) X(leaf_dates)    \
    X(name_constraints) X(name) X(user) X(identity) X(pin)
// clang-format on
#define RULE_ENUM(id) RULE_##id,
enum rule_id { RULES(RULE_ENUM) RULE_COUNT };
#undef RULE_ENUM

/* What is tried together: whether something is presented, the path, what this link demands. */
enum rule_part { PART_PRESENCE, PART_PATH, PART_LINK };

struct rule {
    const char *id;
    unsigned applies;
    enum cause causes[ROLE_COUNT]; /* by who presents */
    const char *section;
    bool (*holds)(const struct trial *trial, size_t depth);
    const char *text; /* what must hold, for the documentation */
};
extern const struct rule rules[RULE_COUNT];

/* Where a stack departs from a row. */
struct cell {
    bool (*holds)(const struct trial *trial, size_t depth); /* NULL: nobody asks */
    const char *text;                                       /* what holds instead */
    const char *source; /* the program's documentation, or where its source does it */
};

/* NULL: as the row says. */
const struct cell *rules_cell(enum stack_id stack, enum rule_id rule);

/* Whether a certificate that is itself an anchor is asked for this. */
bool rules_ask_trusted_leaf(enum stack_id stack, enum rule_id rule);

/* The first rule of the part that does not hold, with the depth on the path; RULE_COUNT when all
   hold. */
enum rule_id rules_try(const struct trial *trial, enum rule_part part, size_t *ret_depth);

/* Whether the stack tries no other path where this one breaks the rule at that depth. */
bool rules_is_final(const struct trial *trial, enum rule_id broken, size_t depth);

/* Whether the nameConstraints of the certificate at `above` permit the names of that at `depth`
   (RFC 5280, 4.2.1.10). With `common_name` the CN of a leaf without a dNSName is one of them. */
bool rules_permits(const struct trial *trial, size_t depth, size_t above, bool common_name);

#endif
