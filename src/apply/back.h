/* SPDX-License-Identifier: Apache-2.0 */
/* back.h - the plan that undoes an apply, made from the snapshots at the nodes. */
#ifndef APPLY_BACK_H
#define APPLY_BACK_H

#include "apply/hold.h"
#include "apply/planning.h"
#include "state/journal.h"

/* Identities return to what the snapshot holds, anchors that the apply added are taken out again.
   A plan without steps when everything is as it was. */
MUST_CHECK bool back_make(struct arena *arena, struct survey *survey,
                          const struct journal_apply *undone, struct planning *ret_planning,
                          struct err *err);

/* Put every file of the snapshot back as it was, at every node, whatever that breaks. No service is
   told. *ret_count says how many files. */
MUST_CHECK bool back_raw(const struct hold *hold, str snapshot, size_t *ret_count, struct err *err);

#endif
