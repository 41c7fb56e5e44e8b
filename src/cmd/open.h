/* SPDX-License-Identifier: Apache-2.0 */
/* open.h - what commands on a whole cluster begin with: the file found, the cluster looked at. */
#ifndef CMD_OPEN_H
#define CMD_OPEN_H

#include "cmd/cmd.h"
#include "survey/survey.h"

/* Whether there is a cluster file: one that -f names is taken to be there. */
bool open_is_there(const struct cmd *cmd);

/* Read the cluster file: -f, else ./cluster.yaml, else /etc/reseal/cluster.yaml. */
MUST_CHECK bool open_cluster(struct cmd *cmd, struct cluster *ret_cluster, struct err *err);

/* A cluster with a worker at each of its nodes. */
struct opened {
    struct cluster cluster;
    struct fleet fleet;
    struct survey survey;
};
DEFINE_AUTO(opened, struct opened, fleet_close(&handle->fleet))

/* Look at everything in the cluster, which was read or made; stores are judged at `at`. */
MUST_CHECK bool open_survey(struct cmd *cmd, moment at, bool offline, struct opened *opened,
                            struct err *err);

#endif
