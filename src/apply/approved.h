/* SPDX-License-Identifier: Apache-2.0 */
/*
 * approved.h - the plan that somebody agreed to, read back from its document, and whether it is
 * still what would be planned.
 *
 * A plan is not carried out from its document: it is planned again from present facts, and must
 * come out as the approved steps less those that are done (design, section 4, invariant 6). Nothing
 * in the document is ever run.
 */
#ifndef APPLY_APPROVED_H
#define APPLY_APPROVED_H

#include "apply/planning.h"

struct approved {
    str cluster;
    struct planning_options options;
    LIST(struct step) steps; /* texts only: no ids of a model */
    LIST(struct plan_source) made_from;
    str document; /* as it was read */
};

/* ERR_FORMAT when it is no plan. */
MUST_CHECK bool approved_parse(struct arena *arena, str document, struct approved *ret_approved,
                               struct err *err);
MUST_CHECK bool approved_read(struct arena *arena, const char *path, struct approved *ret_approved,
                              struct err *err);

/* What was just planned, as if it had been read. */
MUST_CHECK bool approved_of(struct planning *planning, struct approved *ret_approved,
                            struct err *err);

/* Whether a step of this id is among the approved ones. */
bool approved_has(const struct approved *approved, str id);

#endif
