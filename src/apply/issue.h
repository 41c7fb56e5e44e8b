/* SPDX-License-Identifier: Apache-2.0 */
/*
 * issue.h - certificates for keys that are made at the nodes: from the local CA at once, or from an
 * authority that is asked with a request and answers in its own time.
 */
#ifndef APPLY_ISSUE_H
#define APPLY_ISSUE_H

#include "apply/dispatch.h"

/* Issue steps, at most one at a node: each job is over, failed, waiting, or to be observed. */
void apply_issue(struct apply *apply, struct job *jobs, size_t count);

#endif
