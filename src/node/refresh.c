/* SPDX-License-Identifier: Apache-2.0 */
#include "node/refresh.h"

#include "base/io.h"
#include "node/loaded.h"
#include "node/material.h"

/* What the same command refreshes is refreshed together, and done when all of it is. */
static bool is_with(const struct change_site *site, size_t index,
                    const struct service_conf *service)
{
    const struct node_conf *node = site->call->node;
    return node_process(node, &node->services.items[index]) == node_process(node, service);
}

bool refresh_observe(const struct change_site *site, const struct service_conf *service,
                     enum observed *ret_observed, str *ret_evidence, struct err *err)
{
    const struct node_conf *node = site->call->node;
    *ret_observed = OBSERVED_UNKNOWN;
    *ret_evidence = S("nothing can tell what it has loaded");
    if (site->driver->loaded == NULL)
        return true;
    *ret_observed = OBSERVED_AFTER;
    for (size_t i = 0; i < node->services.count && *ret_observed == OBSERVED_AFTER; i++)
        if (is_with(site, i, service) && !site->driver->loaded(site->call, &node->services.items[i],
                                                               ret_observed, ret_evidence, err))
            return false;
    return true;
}

/* A pair that does not match would keep the old one in force now and stop the next start. */
static bool pairs_match(const struct change_site *site, const struct service_conf *service,
                        struct err *err)
{
    for (size_t i = 0; i < service->identities.count; i++) {
        const struct change about = { .store = service->identities.items[i].store };
        const struct store_conf *store = material_store(site, &about, err);
        struct pending_place place;
        str chain;
        if (store == NULL || !change_pending(site, &about, &place, err) ||
            !io_read(site->call->arena, str_cstr(site->call->arena, store->certificate),
                     IO_FILE_MAX, &chain, err) ||
            !pending_matches(chain, store->key, place.password, err))
            return err_wrap(err, "not loaded into %.*s/%.*s", STR_ARG(site->call->node->name),
                            STR_ARG(service->name));
    }
    return true;
}

static bool role_is(const struct change_site *site, const struct service_conf *service, str planned,
                    struct err *err)
{
    str role = S("");
    if (planned.len == 0 || site->driver->role == NULL)
        return true;
    if (!site->driver->role(site->call, service, &role, err))
        return false;
    return role.len == 0 || str_eq(role, planned) ||
           err_set(err, ERR_CONFLICT, "%.*s/%.*s is the %.*s now, and was the %.*s when planned",
                   STR_ARG(site->call->node->name), STR_ARG(service->name), STR_ARG(role),
                   STR_ARG(planned));
}

static bool all_pairs_match(const struct change_site *site, const struct service_conf *service,
                            struct err *err)
{
    const struct node_conf *node = site->call->node;
    for (size_t i = 0; i < node->services.count; i++)
        if (is_with(site, i, service) && !pairs_match(site, &node->services.items[i], err))
            return false;
    return true;
}

static bool note_loaded(const struct change_site *site, const struct service_conf *service,
                        struct err *err)
{
    const struct node_conf *node = site->call->node;
    for (size_t i = 0; i < node->services.count && site->driver->remembers; i++)
        if (is_with(site, i, service) && !loaded_note(site->call, &node->services.items[i], err))
            return false;
    return true;
}

bool refresh_do(const struct change_site *site, const struct service_conf *service, str role,
                str *ret_evidence, struct err *err)
{
    if (!role_is(site, service, role, err) || !all_pairs_match(site, service, err))
        return false;
    if (site->driver->refresh == NULL)
        return err_set(err, ERR_REFUSED, "nothing is known that makes %.*s/%.*s load its files",
                       STR_ARG(site->call->node->name), STR_ARG(service->name));
    return site->driver->refresh(site->call, service, ret_evidence, err) &&
           note_loaded(site, service, err);
}
