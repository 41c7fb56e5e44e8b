/* SPDX-License-Identifier: Apache-2.0 */
#include "system/postgresql/driver.h"

#include "node/run.h"
#include "system/postgresql/discover.h"
#include "system/postgresql/files.h"
#include "system/postgresql/refer.h"
#include "system/postgresql/running.h"

/* Who a server runs as is who owns its data folder: the server itself insists on that. */
static bool discover(const struct driver_call *call, struct cluster *ret_fragment,
                     finding_list *ret_findings, struct err *err)
{
    (void)ret_findings;
    struct pg_place place;
    struct pgconf_source source = pgconf_files;
    if (!pg_place_read(call->arena, &source, call->node, &place, err))
        return false;
    str owner = run_owner(call->arena, place.data);
    source.home = run_home(call->arena, owner);
    if (!pg_discover(call->arena, &source, call->node, ret_fragment, err))
        return false;
    struct node_conf *node = &ret_fragment->nodes.items[0];
    node->run_as = node->run_as.len > 0 ? node->run_as : owner;
    for (size_t i = 0; i < node->services.count; i++)
        if (node->services.items[i].run_as.len == 0)
            node->services.items[i].run_as = owner;
    return true;
}

static bool refer(const struct driver_call *call, const struct service_conf *service, str store,
                  const struct identity_files *files, struct file_edit *ret_edit, struct err *err)
{
    (void)service;
    return pg_refer(call->arena, &pgconf_files, call->node, store, files, ret_edit, err);
}

const struct driver driver_postgresql = {
    .name = "postgresql",
    .discover = discover,
    .refer = refer,
    .refresh = pg_refresh,
    .loaded = pg_loaded,
    .role = pg_role,
    .peers = pg_peers,
};
