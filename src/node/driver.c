/* SPDX-License-Identifier: Apache-2.0 */
#include "node/driver.h"

const struct driver *driver_find(const struct driver *const *drivers, str name)
{
    str wanted = name.len == 0 ? S("generic") : name;
    for (; *drivers != NULL; drivers++)
        if (str_eq(str_c((*drivers)->name), wanted))
            return *drivers;
    return NULL;
}

static const char *const observed_names[] = {
    [OBSERVED_BEFORE] = "before",
    [OBSERVED_AFTER] = "after",
    [OBSERVED_NEITHER] = "neither",
    [OBSERVED_UNKNOWN] = "unknown",
};

const char *observed_name(enum observed observed)
{
    return observed_names[observed];
}

bool observed_parse(str name, enum observed *ret_observed)
{
    for (size_t i = 0; i < COUNT(observed_names); i++) {
        if (!str_eq(name, str_c(observed_names[i])))
            continue;
        *ret_observed = (enum observed)i;
        return true;
    }
    return false;
}

static void prefer_found_files(struct node_conf *node, struct node_conf *found)
{
    for (size_t i = 0; i < found->stores.count; i++) {
        const struct store_conf *there = &found->stores.items[i];
        struct store_conf *store = node_store(node, there->name);
        if (store == NULL || there->certificate.len == 0)
            continue;
        store->certificate = there->certificate;
        store->key = there->key;
    }
}

bool driver_resolve(const struct driver *driver, struct driver_call *call, struct cluster *fragment,
                    finding_list *ret_findings, struct err *err)
{
    struct cluster found = { .arena = call->arena };
    if (driver->discover == NULL)
        return true;
    if (!driver->discover(call, &found, ret_findings, err))
        return false;
    cluster_merge(fragment, &found);
    call->node = &fragment->nodes.items[0];
    for (size_t i = 0; i < found.nodes.count; i++)
        prefer_found_files(&fragment->nodes.items[0], &found.nodes.items[i]);
    return true;
}
