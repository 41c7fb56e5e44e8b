/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forget.h - requests that nobody waits for any more: the key at the node is wiped, the files are
 * put away.
 */
#ifndef APPLY_FORGET_H
#define APPLY_FORGET_H

#include "apply/awaited.h"
#include "apply/hold.h"

/* One request, under the cluster's lease. A node that is not in the cluster file any more is not
   asked. */
MUST_CHECK bool forget_request(const struct hold *hold, const char *directory,
                               const struct csr *csr, struct err *err);

/* Every request for an issue step of `plan`, its document; *ret_count says how many. None where the
   issuer is not asked by request. */
MUST_CHECK bool forget_plan(struct arena *arena, const struct hold *hold,
                            const struct cluster *cluster, str plan, size_t *ret_count,
                            struct err *err);

/* An apply has come to its end: requests for its steps whose certificate came are put away, others
   are not needed any more and forgotten. */
MUST_CHECK bool forget_done(struct arena *arena, const struct hold *hold,
                            const struct cluster *cluster, str plan, struct err *err);

#endif
