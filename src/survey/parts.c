/* SPDX-License-Identifier: Apache-2.0 */
#include "survey/parts.h"

#include "base/io.h"

/* Takes the findings of one store over, each with the store's name in front of its place. */
static void take_findings(struct survey *survey, str place, const finding_list *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        struct finding finding = findings->items[i];
        finding.where = place;
        list_push(survey->arena, &survey->findings) = finding;
    }
}

static void note_source(struct survey *survey, str path)
{
    AUTO(err) struct err err = { 0 };
    struct arena scratch = { .wipe = true }; /* a store may hold a private key */
    str bytes;
    if (path.len > 0 && io_read(&scratch, str_cstr(&scratch, path), IO_FILE_MAX, &bytes, &err)) {
        str digest = sha256_hex(survey->arena, bytes);
        list_push(survey->arena, &survey->sources) =
            (struct survey_source){ path,
                                    str_printf(survey->arena, "sha256:%.*s", STR_ARG(digest)) };
    }
    arena_free(&scratch);
}

static struct store_options options_of(const struct survey *survey)
{
    return (struct store_options){ .now = survey->now,
                                   .renew_before = survey->cluster->policy.renew_before };
}

static uint32_t intern_chain(struct survey *survey, const struct store_identity *stored)
{
    LIST(uint32_t) ids = { 0 };
    for (size_t i = 0; i < stored->chain.count; i++)
        list_push(survey->arena, &ids) = model_cert(&survey->model, &stored->chain.items[i]);
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

/* The id of "node/service:store", reading the store when it is met for the first time. */
static uint32_t add_identity(struct survey *survey, const struct node_conf *node,
                             const struct service_conf *service, str store_name,
                             enum load_mode load)
{
    str key = str_printf(survey->arena, "%.*s/%.*s:%.*s", STR_ARG(node->name),
                         STR_ARG(service->name), STR_ARG(store_name));
    uint32_t known = map_get(&survey->model.identity_ids, key);
    const struct store_conf *store = node_store((struct node_conf *)(uintptr_t)node, store_name);
    if (known != NO_ID || store == NULL)
        return known;
    AUTO(err) struct err err = { 0 };
    struct store_options options = options_of(survey);
    struct store_identity stored = { 0 };
    str place = str_printf(survey->arena, "%.*s/%.*s", STR_ARG(node->name), STR_ARG(store_name));
    if (!store_identity_read(survey->arena, str_cstr(survey->arena, store->certificate),
                             str_cstr(survey->arena, store->key), &options, &stored, &err))
        finding_add(survey->arena, &survey->findings, FINDING_keystore_unreadable, place,
                    str_c(err.msg));
    take_findings(survey, place, &stored.findings);
    note_source(survey, store->certificate);
    uint32_t chain = intern_chain(survey, &stored);
    struct identity identity = {
        .key = key,
        .node = node->name,
        .service = service->name,
        .store = store_name,
        .load = load,
        .has_reference = node->system.len > 0 || service->reference.len > 0,
        .stored = chain,
        .loaded = chain,
        .key_mismatch = stored.key_spki_sha256.len > 0 && !stored.matches,
    };
    return model_add_identity(&survey->model, &identity);
}

static uint32_t read_anchors(struct survey *survey, const struct store_conf *conf, str place)
{
    AUTO(err) struct err err = { 0 };
    struct store_options options = options_of(survey);
    struct store store = { 0 };
    LIST(uint32_t) ids = { 0 };
    if (!store_read(survey->arena, str_cstr(survey->arena, conf->certificates), &options, &store,
                    &err))
        finding_add(survey->arena, &survey->findings, FINDING_keystore_unreadable, place,
                    str_c(err.msg));
    take_findings(survey, place, &store.findings);
    note_source(survey, conf->certificates);
    for (size_t i = 0; i < store.entries.count; i++)
        if (store.entries.items[i].kind == ENTRY_TRUSTED)
            list_push(survey->arena, &ids) =
                model_cert(&survey->model, store.entries.items[i].cert);
    return model_anchors(&survey->model, ids.items, ids.count);
}

static uint32_t add_trust_store(struct survey *survey, const struct node_conf *node, str name)
{
    str key = str_printf(survey->arena, "%.*s/%.*s", STR_ARG(node->name), STR_ARG(name));
    uint32_t known = map_get(&survey->model.store_ids, key);
    const struct store_conf *conf = node_store((struct node_conf *)(uintptr_t)node, name);
    if (known != NO_ID || conf == NULL)
        return known;
    struct trust_store store = { .key = key,
                                 .node = node->name,
                                 .name = name,
                                 .path = conf->certificates,
                                 .anchors = read_anchors(survey, conf, key) };
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
        .stack = service->stack,
        .client_auth = client_auth_of(service->client_auth),
        .client_identity =
            str_eq(service->client_identity, S("user")) ? S("") : service->client_identity,
        .listen_identity = listens ? first : NO_ID,
        .client_truster = add_truster(survey, node, service, &service->trust,
                                      load_of(service->load.trust, otherwise)),
    };
    model_add_service(&survey->model, &row);
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
    struct link row = {
        .key = str_printf(survey->arena, "%.*s->%.*s%s%.*s", STR_ARG(link->from), STR_ARG(link->to),
                          link->user.len > 0 ? "#" : "", STR_ARG(link->user)),
        .from = map_get(&survey->model.service_ids, link->from),
        .to = map_get(&survey->model.service_ids, link->to),
        .client_identity = link_identity(survey, from_node, from, link->identity),
        .client_truster =
            add_truster(survey, from_node, from, trust.count > 0 ? &trust : &from->trust,
                        from->listen.len > 0 ? LOAD_PER_SESSION : LOAD_PER_CONNECTION),
        .verify = verify_of(link->verify),
        .name = link->name,
        .user = link->user,
        .user_is_cn = str_eq(to->client_identity, S("user")),
    };
    model_add_link(&survey->model, &row);
    return true;
}
