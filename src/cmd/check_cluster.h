/* SPDX-License-Identifier: Apache-2.0 */
/* check_cluster.h - `reseal check` of a whole cluster: every link judged, every finding. */
#ifndef CMD_CHECK_CLUSTER_H
#define CMD_CHECK_CLUSTER_H

#include "cmd/cmd.h"

/* Judge every link at `at` (0: now). Returns the exit code. */
int check_cluster(struct cmd *cmd, int64_t at, bool offline, struct err *err);

#endif
