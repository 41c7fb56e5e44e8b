/* SPDX-License-Identifier: Apache-2.0 */
/* What a server is is read from its files; its steps are not carried out yet. */
#include "system/postgresql/driver.h"

#include "system/postgresql/discover.h"
#include "system/postgresql/files.h"

static bool discover(const struct driver_call *call, struct cluster *ret_fragment,
                     finding_list *ret_findings, struct err *err)
{
    (void)ret_findings;
    return pg_discover(call->arena, &pgconf_files, call->node, ret_fragment, err);
}

const struct driver driver_postgresql = { .name = "postgresql", .discover = discover };
