/* SPDX-License-Identifier: Apache-2.0 */
/* stale.h - whether an approved plan is what would be planned now, less what is done. */
#ifndef APPLY_STALE_H
#define APPLY_STALE_H

#include "apply/run.h"

/* ERR_CONFLICT with the differences, one a line, and which stores changed since it was made. */
MUST_CHECK bool stale_check(struct apply *apply, const struct approved *approved, struct err *err);

#endif
