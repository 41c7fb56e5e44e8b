/* SPDX-License-Identifier: Apache-2.0 */
/* open.h - what commands on a whole cluster begin with: the file found, the cluster looked at. */
#ifndef CMD_OPEN_H
#define CMD_OPEN_H

#include "cmd/cmd.h"
#include "survey/survey.h"

/* Read the cluster file: -f, else ./cluster.yaml, else /etc/reseal/cluster.yaml. */
MUST_CHECK bool open_cluster(struct cmd *cmd, struct cluster *ret_cluster, struct err *err);

/* Read the cluster file and look at everything in it. `survey->cluster` is in cmd's arena. */
MUST_CHECK bool open_survey(struct cmd *cmd, bool offline, struct survey *ret_survey,
                            struct err *err);

#endif
