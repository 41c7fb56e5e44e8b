/* SPDX-License-Identifier: Apache-2.0 */
#include "survey/parts.h"

const struct seen_node *survey_seen_node(const struct survey *survey, str node)
{
    static const struct seen_node nothing;
    for (size_t i = 0; i < survey->cluster->nodes.count; i++)
        if (str_eq(survey->cluster->nodes.items[i].name, node))
            return &survey->nodes.items[i];
    return &nothing;
}

static uint32_t intern_chain(struct survey *survey, const cert_list *chain)
{
    LIST(uint32_t) ids = { 0 };
    for (size_t i = 0; i < chain->count; i++)
        list_push(survey->arena, &ids) = model_cert(&survey->model, &chain->items[i]);
    return ids.count == 0 ? NO_ID : model_chain(&survey->model, ids.items, ids.count);
}

static enum load_mode load_of(str mode, enum load_mode otherwise)
{
    static const char *const names[] = { [LOAD_PER_CONNECTION] = "per_connection",
                                         [LOAD_PER_SESSION] = "per_session",
                                         [LOAD_RELOAD] = "reload",
                                         [LOAD_RESTART] = "restart" };
    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eq(mode, str_c(names[i])))
            return (enum load_mode)i;
    return otherwise;
}

/* The id of "node/service:store". */
static uint32_t add_identity(struct survey *survey, const struct node_conf *node,
                             const struct service_conf *service, str store_name,
                             enum load_mode load)
{
    str key = str_printf(survey->arena, "%.*s/%.*s:%.*s", STR_ARG(node->name),
                         STR_ARG(service->name), STR_ARG(store_name));
    uint32_t known = map_get(&survey->model.identity_ids, key);
    const struct seen_store *store = seen_store(survey_seen_node(survey, node->name), store_name);
    if (known != NO_ID || store == NULL)
        return known;
    uint32_t chain = intern_chain(survey, &store->certificates);
    struct identity identity = {
        .key = key,
        .node = node->name,
        .service = service->name,
        .store = store_name,
        .load = load,
        .has_reference = node->system.len > 0 || service->reference.len > 0,
        .stored = chain,
        .loaded = chain,
        .key_mismatch = store->key_spki_sha256.len > 0 && !store->matches,
    };
    return model_add_identity(&survey->model, &identity);
}

/* Two stores of a node that are one file are one store. */
static uint32_t same_file(const struct survey *survey, str node, str path)
{
    for (uint32_t i = 0; i < survey->model.stores.count; i++) {
        const struct trust_store *store = &survey->model.stores.items[i];
        if (str_eq(store->node, node) && str_eq(store->path, path))
            return i;
    }
    return NO_ID;
}

static uint32_t add_trust_store(struct survey *survey, const struct node_conf *node, str name)
{
    str key = str_printf(survey->arena, "%.*s/%.*s", STR_ARG(node->name), STR_ARG(name));
    uint32_t known = map_get(&survey->model.store_ids, key);
    const struct store_conf *conf = node_store((struct node_conf *)(uintptr_t)node, name);
    const struct seen_store *seen = seen_store(survey_seen_node(survey, node->name), name);
    if (known != NO_ID || conf == NULL || seen == NULL)
        return known;
    known = same_file(survey, node->name, conf->certificates);
    if (known != NO_ID)
        return known;
    LIST(uint32_t) ids = { 0 };
    for (size_t i = 0; i < seen->certificates.count; i++)
        list_push(survey->arena, &ids) = model_cert(&survey->model, &seen->certificates.items[i]);
    struct trust_store store = { .key = key,
                                 .node = node->name,
                                 .name = name,
                                 .path = conf->certificates,
                                 .anchors = model_anchors(&survey->model, ids.items, ids.count) };
    return model_add_store(&survey->model, &store);
}

static uint32_t add_truster(struct survey *survey, const struct node_conf *node,
                            const struct service_conf *service, const str_list *stores,
                            enum load_mode load)
{
    struct buf key = { 0 };
    struct truster truster = { .node = node->name, .service = service->name, .load = load };
    buf_printf(survey->arena, &key, "%.*s/%.*s:", STR_ARG(node->name), STR_ARG(service->name));
    for (size_t i = 0; i < stores->count; i++) {
        uint32_t store = add_trust_store(survey, node, stores->items[i]);
        if (store == NO_ID)
            continue;
        buf_printf(survey->arena, &key, "%s%.*s", truster.stores.count == 0 ? "" : "+",
                   STR_ARG(stores->items[i]));
        list_push(survey->arena, &truster.stores) = store;
    }
    if (truster.stores.count == 0)
        return NO_ID;
    truster.key = buf_str(&key);
    truster.loaded = truster_stored(&survey->model, &truster);
    return model_add_truster(&survey->model, &truster);
}

static str process_of(struct survey *survey, const struct node_conf *node,
                      const struct service_conf *service)
{
    const struct service_conf *first = node_process(node, service);
    return first == service
               ? S("")
               : str_printf(survey->arena, "%.*s/%.*s", STR_ARG(node->name), STR_ARG(first->name));
}

static enum client_auth client_auth_of(str text)
{
    if (str_eq(text, S("required")))
        return CLIENT_AUTH_REQUIRED;
    return str_eq(text, S("optional")) ? CLIENT_AUTH_OPTIONAL : CLIENT_AUTH_NONE;
}

void survey_add_service(struct survey *survey, const struct node_conf *node,
                        const struct service_conf *service)
{
    bool listens = service->listen.len > 0;
    enum load_mode otherwise = listens ? LOAD_RELOAD : LOAD_PER_CONNECTION;
    uint32_t first = NO_ID;
    for (size_t i = 0; i < service->identities.count; i++) {
        uint32_t id = add_identity(survey, node, service, service->identities.items[i].store,
                                   load_of(service->load.identity, otherwise));
        first = first == NO_ID ? id : first;
    }
    struct service row = {
        .key = str_printf(survey->arena, "%.*s/%.*s", STR_ARG(node->name), STR_ARG(service->name)),
        .node = node->name,
        .name = service->name,
        .role = service->role,
        .group = service->group,
        .process = process_of(survey, node, service),
        .restarts = str_eq(service->load.identity, S("restart")) ||
                    str_eq(service->load.trust, S("restart")),
        .stack = service->stack,
        .client_auth = client_auth_of(service->client_auth),
        .client_identity =
            str_eq(service->client_identity, S("user")) ? S("") : service->client_identity,
        .client_truster = add_truster(survey, node, service, &service->trust,
                                      load_of(service->load.trust, otherwise)),
    };
    uint32_t id = model_add_service(&survey->model, &row);
    if (id == survey->shown.count)
        list_push(survey->arena, &survey->shown) = listens ? first : NO_ID;
}

static enum verify_mode verify_of(str text)
{
    if (str_eq(text, S("none")))
        return VERIFY_NONE;
    return str_eq(text, S("ca")) ? VERIFY_CA : VERIFY_FULL;
}

/* "node/service" as declared, or NULL. */
static const struct service_conf *find_service(struct survey *survey, str key,
                                               struct node_conf **ret_node)
{
    str rest = key;
    *ret_node = cluster_node(survey->cluster, str_cut(&rest, '/'));
    return *ret_node == NULL ? NULL : node_service(*ret_node, rest);
}

/* A server's own outgoing connection lives as long as its session; a pure client's store is read
   at every connection. */
static uint32_t link_identity(struct survey *survey, const struct node_conf *node,
                              const struct service_conf *service, str name)
{
    if (name.len == 0)
        return service->listen.len == 0 && service->identities.count > 0
                   ? add_identity(survey, node, service, service->identities.items[0].store,
                                  LOAD_PER_CONNECTION)
                   : NO_ID;
    return add_identity(survey, node, service, name,
                        service->listen.len > 0 ? LOAD_PER_SESSION : LOAD_PER_CONNECTION);
}

bool survey_add_link(struct survey *survey, const struct link_conf *link)
{
    struct node_conf *from_node, *to_node;
    const struct service_conf *from = find_service(survey, link->from, &from_node);
    const struct service_conf *to = find_service(survey, link->to, &to_node);
    if (from == NULL || to == NULL)
        return false;
    str_list trust = { 0 };
    if (link->trust.len > 0)
        list_push(survey->arena, &trust) = link->trust;
    uint32_t server = map_get(&survey->model.service_ids, link->to);
    struct link row = {
        .key = str_printf(survey->arena, "%.*s->%.*s%s%.*s", STR_ARG(link->from), STR_ARG(link->to),
                          link->user.len > 0 ? "#" : "", STR_ARG(link->user)),
        .from = map_get(&survey->model.service_ids, link->from),
        .to = server,
        .server_identity = survey->shown.items[server],
        .client_identity = link_identity(survey, from_node, from, link->identity),
        .client_truster =
            add_truster(survey, from_node, from, trust.count > 0 ? &trust : &from->trust,
                        from->listen.len > 0 ? LOAD_PER_SESSION : LOAD_PER_CONNECTION),
        .verify = verify_of(link->verify),
        .name = link->name,
        .user = link->user,
        .user_is_cn = str_eq(to->client_identity, S("user")) &&
                      !str_list_has(&to->mapped_users, link->user) &&
                      !str_list_has(&to->mapped_users, S("all")),
    };
    uint32_t id = model_add_link(&survey->model, &row);
    if (id == survey->to.count)
        list_push(survey->arena, &survey->to) = link;
    return true;
}
