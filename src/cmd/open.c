/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/open.h"

#include <unistd.h>

static const char *const usual_places[] = { "cluster.yaml", "/etc/reseal/cluster.yaml" };

static const char *find(const struct cmd *cmd)
{
    const char *path = cmd->global.file;
    for (size_t i = 0; path == NULL && i < COUNT(usual_places); i++)
        if (access(usual_places[i], F_OK) == 0)
            path = usual_places[i];
    return path;
}

bool open_is_there(const struct cmd *cmd)
{
    return find(cmd) != NULL;
}

bool open_cluster(struct cmd *cmd, struct cluster *ret_cluster, struct err *err)
{
    const char *path = find(cmd);
    if (path == NULL) {
        err_set(err, ERR_USAGE, "no cluster file: neither ./cluster.yaml nor %s is there",
                usual_places[1]);
        return err_next(err, "%s -f CLUSTER.yaml check, or %s lab up postgresql", cmd->program,
                        cmd->program);
    }
    return cluster_read(&cmd->arena, path, ret_cluster, err);
}

bool open_survey(struct cmd *cmd, moment at, bool offline, struct opened *opened, struct err *err)
{
    struct survey_options options = { .now = at, .offline = offline };
    fleet_open(&cmd->arena, &opened->cluster, NULL, &opened->fleet);
    return survey_run(&cmd->arena, &opened->cluster, &opened->fleet, &options, &opened->survey,
                      err);
}
