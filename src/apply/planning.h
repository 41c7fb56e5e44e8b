/* SPDX-License-Identifier: Apache-2.0 */
/* planning.h - from a cluster as it is and its policy to a plan, and the plan's document. */
#ifndef APPLY_PLANNING_H
#define APPLY_PLANNING_H

#include "apply/awaited.h"
#include "plan/plan.h"
#include "x509/profile.h"

/* What the user asked for; part of the document, so that it can be planned again. */
struct planning_options {
    bool renew_all; /* also what is not due */
    bool keep_key;
    bool replace_others; /* what another CA than the issuer issued, too, and that CA's anchors */
    str_list retire;     /* fingerprints of anchors that go: of a change of issuer that was begun */
    str_list replaces;   /* of a renewal of all that was begun: fingerprints of the leaves that were
                            there then; none: all that are there */
    moment since;        /* when it was planned first: what was due then is due; 0: now */
    str_list without;    /* nodes that were left out */
    bool allow_outages;  /* also a plan that cannot do without refusing connections */
};

struct planning {
    struct arena *arena;
    struct survey *survey; /* borrowed */
    struct planning_options options;
    struct plan_goal goal;
    struct plan plan;
    awaited_list awaited; /* what an authority was asked for, and what came */
};

/* Refused (ERR_REFUSED) when a node's clock is off, when the issuer cannot be read, has ended, or
   ends before a new certificate would be due again, and when something came from an authority that
   is not what was asked for. */
MUST_CHECK bool planning_make(struct arena *arena, struct survey *survey,
                              const struct planning_options *options, struct planning *ret_planning,
                              struct err *err);

/* ERR_REFUSED unless the proof holds, and nothing is refused on the way that was not allowed. */
MUST_CHECK bool planning_permitted(const struct planning *planning, struct err *err);

/* The subject of who is to sign. */
str planning_authority(const struct planning *planning);

/* The certificate that an issue step replaces, and what changes. */
const struct cert *planning_replaced(const struct planning *planning, const struct step *step);
void planning_diff(const struct planning *planning, const struct step *step,
                   profile_rows *ret_rows);

/* The plan document (design, section 6), and as a text in the planning's arena. */
void planning_emit(struct emit emit, struct planning *planning);
MUST_CHECK bool planning_text(struct planning *planning, str *ret_text, struct err *err);

#endif
