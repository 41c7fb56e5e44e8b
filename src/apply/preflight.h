/* SPDX-License-Identifier: Apache-2.0 */
/* preflight.h - what would stop a plan half-way, found before anything is touched. */
#ifndef APPLY_PREFLIGHT_H
#define APPLY_PREFLIGHT_H

#include "apply/run.h"

/* From what was seen: a node that did not answer, a store that its service cannot read. */
MUST_CHECK bool preflight_survey(const struct survey *survey, struct err *err);

/* A clock that is off: what is issued now may be valid only later there, or no longer. Whoever
   issues nothing need not ask. */
MUST_CHECK bool preflight_clocks(const struct survey *survey, struct err *err);

/* From the nodes: folders that cannot be written, disks that are full. */
MUST_CHECK bool preflight_nodes(struct apply *apply, struct err *err);

#endif
