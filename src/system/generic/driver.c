/* SPDX-License-Identifier: Apache-2.0 */
#include "system/generic/driver.h"

#include "system/generic/loading.h"
#include "system/generic/reference.h"

static bool presents(const struct service_conf *service, str store)
{
    for (size_t i = 0; i < service->identities.count; i++)
        if (str_eq(service->identities.items[i].store, store))
            return true;
    return false;
}

/* What could not be switched is better said before anything is planned. */
static bool check_named(const struct service_conf *service, const struct store_conf *store,
                        const struct identity_files *files, struct err *err)
{
    bool named = service->reference.len == 0 || files->certificate.len > 0;
    bool one_file = str_eq(store->certificate, store->key);
    return named || one_file || !presents(service, store->name) ||
           err_set(err, ERR_FORMAT, "%.*s names neither %.*s nor %.*s", STR_ARG(service->reference),
                   STR_ARG(store->certificate), STR_ARG(store->key));
}

/* What a reference names is right about its store, and not the declaration. */
static bool discover_service(const struct driver_call *call, const struct service_conf *service,
                             struct node_conf *node, struct err *err)
{
    for (size_t i = 0; i < call->node->stores.count; i++) {
        const struct store_conf *store = &call->node->stores.items[i];
        struct identity_files files;
        if (!reference_files(call, service, store, &files, err) ||
            !check_named(service, store, &files, err))
            return err_wrap(err, "node %.*s", STR_ARG(call->node->name));
        if (files.certificate.len > 0)
            list_push(call->arena, &node->stores) =
                (struct store_conf){ .name = store->name,
                                     .certificate = files.certificate,
                                     .key = files.key,
                                     .password.descriptor = -1 };
    }
    return true;
}

static bool discover(const struct driver_call *call, struct cluster *ret_fragment,
                     finding_list *ret_findings, struct err *err)
{
    struct node_conf node = { .name = call->node->name, .reach = call->node->reach };
    (void)ret_findings;
    for (size_t i = 0; i < call->node->services.count; i++)
        if (!discover_service(call, &call->node->services.items[i], &node, err))
            return false;
    list_push(call->arena, &ret_fragment->nodes) = node;
    return true;
}

static bool refer(const struct driver_call *call, const struct service_conf *service, str store,
                  const struct identity_files *files, struct file_edit *ret_edit, struct err *err)
{
    const struct store_conf *conf = node_store((struct node_conf *)(uintptr_t)call->node, store);
    *ret_edit = (struct file_edit){ 0 };
    return conf == NULL || reference_edit(call, service, conf, files, ret_edit, err);
}

const struct driver driver_generic = {
    .name = "generic",
    .discover = discover,
    .refer = refer,
    .refresh = loading_refresh,
    .loaded = loading_loaded,
    .health = loading_health,
    .memory = loading_memory,
    .remembers = true,
};
