/* SPDX-License-Identifier: Apache-2.0 */
#include "survey/parts.h"

#include "survey/index.h"

const struct seen_node *survey_seen_node(const struct survey *survey, str node)
{
    static const struct seen_node nothing;
    if (survey->index != NULL) {
        uint32_t at = map_get(&survey->index->cluster.nodes, node);
        return at == MAP_NONE ? &nothing : &survey->nodes.items[at];
    }
    for (size_t i = 0; i < survey->cluster->nodes.count; i++)
        if (str_eq(survey->cluster->nodes.items[i].name, node))
            return &survey->nodes.items[i];
    return &nothing;
}

static uint32_t intern_chain(struct survey *survey, const cert_list *chain)
{
    AUTO(arena) struct arena scratch = { 0 };
    LIST(uint32_t) ids = { 0 };
    for (size_t i = 0; i < chain->count; i++)
        list_push(&scratch, &ids) = model_cert(&survey->model, &chain->items[i]);
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

/* What can be read anew at any time is never in anybody's memory. */
static const cert_list *memory_of(const struct survey *survey, str node, str service, str store,
                                  enum load_mode load)
{
    return load == LOAD_PER_CONNECTION
               ? NULL
               : seen_loaded(survey_seen_node(survey, node), service, store);
}

uint32_t survey_identity(struct survey *survey, const struct node_conf *node,
                         const struct service_conf *service, str store_name, enum load_mode load)
{
    AUTO(arena) struct arena scratch = { 0 };
    str key = str_printf(&scratch, "%.*s/%.*s:%.*s", STR_ARG(node->name), STR_ARG(service->name),
                         STR_ARG(store_name));
    uint32_t known = map_get(&survey->model.identity_ids, key);
    if (known != NO_ID)
        return known;
    const struct survey_index *index = survey_index(survey);
    const struct seen_store *store = index_seen_store(index, node->name, store_name);
    if (store == NULL)
        return NO_ID;
    const struct store_conf *conf = index_store(&index->cluster, node->name, store_name);
    const cert_list *memory = memory_of(survey, node->name, service->name, store_name, load);
    uint32_t chain = intern_chain(survey, &store->certificates);
    /* A reference that is one of several which name the same files cannot be switched alone: the
       others would go on with what is dropped. */
    bool shared = index_is_shared(index, node->name, service->name, store_name);
    struct identity identity = {
        .key = str_copy(survey->arena, key),
        .node = node->name,
        .service = service->name,
        .store = store_name,
        .load = load,
        .one_file = conf != NULL && str_eq(conf->certificate, conf->key),
        .has_reference = (node->system.len > 0 || service->reference.len > 0) && !shared,
        .stored = chain,
        .loaded = memory == NULL ? chain : intern_chain(survey, memory),
        .gone = store->gone,
        .key_mismatch = store->key_spki_sha256.len > 0 && !store->matches,
    };
    return model_add_identity(&survey->model, &identity);
}

static uint32_t new_trust_store(struct survey *survey, const struct node_conf *node,
                                const struct store_conf *conf, const struct seen_store *seen,
                                str path)
{
    AUTO(arena) struct arena scratch = { 0 };
    LIST(uint32_t) ids = { 0 };
    for (size_t i = 0; i < seen->pins.count; i++)
        list_push(&scratch, &ids) = model_pin(&survey->model, seen->pins.items[i]);
    for (size_t i = 0; i < seen->certificates.count; i++)
        list_push(&scratch, &ids) = model_cert(&survey->model, &seen->certificates.items[i]);
    struct trust_store store = {
        .key = str_printf(survey->arena, "%.*s/%.*s", STR_ARG(node->name), STR_ARG(conf->name)),
        .node = node->name,
        .name = conf->name,
        .path = path,
        .kind = str_eq(conf->format, S("pins")) ? STORE_PINS : STORE_ANCHORS,
        .single = str_eq(conf->holds, S("one")),
        .anchors = model_anchors(&survey->model, ids.items, ids.count),
    };
    uint32_t id = model_add_store(&survey->model, &store);
    index_file(survey_index(survey), node->name, path, id);
    return id;
}

/* Two stores of a node that are one file are one store. */
uint32_t survey_trust_store(struct survey *survey, const struct node_conf *node, str name)
{
    AUTO(arena) struct arena scratch = { 0 };
    str key = str_printf(&scratch, "%.*s/%.*s", STR_ARG(node->name), STR_ARG(name));
    uint32_t known = map_get(&survey->model.store_ids, key);
    if (known != NO_ID)
        return known;
    struct survey_index *index = survey_index(survey);
    const struct store_conf *conf = index_store(&index->cluster, node->name, name);
    const struct seen_store *seen = index_seen_store(index, node->name, name);
    if (conf == NULL || seen == NULL)
        return NO_ID;
    str path = str_eq(conf->format, S("pins")) ? conf->path : conf->certificates;
    known = index_file(index, node->name, path, NO_ID);
    return known != NO_ID ? known : new_trust_store(survey, node, conf, seen, path);
}

static uint32_t intern_anchors(struct survey *survey, const cert_list *certs)
{
    AUTO(arena) struct arena scratch = { 0 };
    LIST(uint32_t) ids = { 0 };
    for (size_t i = 0; i < certs->count; i++)
        list_push(&scratch, &ids) = model_cert(&survey->model, &certs->items[i]);
    return model_anchors(&survey->model, ids.items, ids.count);
}

/* What its stores hold, and what is known of the running service instead. */
static uint32_t loaded_anchors(struct survey *survey, const struct truster *truster)
{
    AUTO(arena) struct arena scratch = { 0 };
    struct model *model = &survey->model;
    LIST(uint32_t) sets = { 0 };
    for (size_t i = 0; i < truster->stores.count; i++) {
        const struct trust_store *store = &model->stores.items[truster->stores.items[i]];
        const cert_list *memory =
            store->kind == STORE_PINS
                ? NULL
                : memory_of(survey, truster->node, truster->service, store->name, truster->load);
        list_push(&scratch, &sets) =
            memory == NULL ? store->anchors : intern_anchors(survey, memory);
    }
    return model_anchors_union(model, sets.items, sets.count);
}

/* A truster in the making: its stores, and what it is known by. */
struct stores {
    struct arena *arena;
    struct buf key;
    LIST(uint32_t) ids;
};

static void take_store(struct stores *stores, uint32_t id, str name)
{
    if (id == NO_ID)
        return;
    buf_printf(stores->arena, &stores->key, "%s%.*s", stores->ids.count == 0 ? "" : "+",
               STR_ARG(name));
    list_push(stores->arena, &stores->ids) = id;
}

static uint32_t new_truster(struct survey *survey, const struct node_conf *node,
                            const struct service_conf *service, const struct stores *stores,
                            enum load_mode load)
{
    struct truster truster = { .key = str_copy(survey->arena, buf_str(&stores->key)),
                               .node = node->name,
                               .service = service->name,
                               .load = load };
    for (size_t i = 0; i < stores->ids.count; i++)
        list_push(survey->arena, &truster.stores) = stores->ids.items[i];
    truster.loaded = loaded_anchors(survey, &truster);
    return model_add_truster(&survey->model, &truster);
}

uint32_t survey_truster(struct survey *survey, const struct node_conf *node,
                        const struct service_conf *service, const struct survey_trust *trust,
                        enum load_mode load)
{
    AUTO(arena) struct arena scratch = { 0 };
    struct stores stores = { .arena = &scratch };
    const str_list *lists[] = { trust->anchors, trust->pins };
    buf_printf(&scratch, &stores.key, "%.*s/%.*s:", STR_ARG(node->name), STR_ARG(service->name));
    for (size_t i = 0; i < COUNT(lists); i++)
        for (size_t k = 0; k < lists[i]->count; k++)
            take_store(&stores, survey_trust_store(survey, node, lists[i]->items[k]),
                       lists[i]->items[k]);
    if (trust->fixed != NO_ID)
        take_store(&stores, trust->fixed, survey->model.stores.items[trust->fixed].key);
    if (stores.ids.count == 0)
        return NO_ID;
    uint32_t known = map_get(&survey->model.truster_ids, buf_str(&stores.key));
    if (known != NO_ID && survey->model.trusters.items[known].load == load)
        return known;
    return new_truster(survey, node, service, &stores, load);
}

static str process_of(struct survey *survey, const struct node_conf *node,
                      const struct service_conf *service)
{
    const struct service_conf *first = node_process(node, service);
    return first == service
               ? S("")
               : str_printf(survey->arena, "%.*s/%.*s", STR_ARG(node->name), STR_ARG(first->name));
}

uint32_t survey_fixed_pins(struct survey *survey, str service)
{
    LIST(uint32_t) ids = { 0 };
    struct cluster *cluster = survey->cluster;
    if (map_get(&survey_index(survey)->pinned, service) == MAP_NONE)
        return NO_ID;
    for (size_t i = 0; i < cluster->pins.count; i++)
        for (size_t k = 0; k < cluster->pins.items[i].pins.count; k++) {
            const struct pin_conf *conf = &cluster->pins.items[i].pins.items[k];
            struct pin pin;
            str text = str_printf(survey->arena, "%s:%.*s", conf->cert.len > 0 ? "cert" : "spki",
                                  STR_ARG(conf->cert.len > 0 ? conf->cert : conf->spki));
            if (str_eq(cluster->pins.items[i].service, service) &&
                pin_parse(survey->arena, text, &pin))
                list_push(survey->arena, &ids) = model_pin(&survey->model, pin);
        }
    if (ids.count == 0)
        return NO_ID;
    struct trust_store store = { .key = str_printf(survey->arena, "pins/%.*s", STR_ARG(service)),
                                 .name = S("pins"),
                                 .kind = STORE_PINS,
                                 .fixed = true,
                                 .anchors = model_anchors(&survey->model, ids.items, ids.count) };
    return model_add_store(&survey->model, &store);
}

static enum client_auth client_auth_of(str text)
{
    if (str_eq(text, S("required")))
        return CLIENT_AUTH_REQUIRED;
    return str_eq(text, S("optional")) ? CLIENT_AUTH_OPTIONAL : CLIENT_AUTH_NONE;
}

bool survey_chooses_by_issuer(const struct service_conf *service)
{
    return service->client_selects.len > 0 ? str_eq(service->client_selects, S("by_issuer"))
                                           : stack_row(stack_named(service->stack))->by_issuer;
}

static enum load_mode usual_load(const struct service_conf *service)
{
    return service->listen.len > 0 ? LOAD_RELOAD : LOAD_PER_CONNECTION;
}

enum load_mode survey_client_load(const struct node_conf *node, const struct service_conf *service,
                                  str declared)
{
    if (node->system.len > 0)
        return service->listen.len > 0 ? LOAD_PER_SESSION : LOAD_PER_CONNECTION;
    return load_of(declared, usual_load(service));
}

enum load_mode survey_trust_load(const struct service_conf *service)
{
    return load_of(service->load.trust, usual_load(service));
}

void survey_add_service(struct survey *survey, const struct node_conf *node,
                        const struct service_conf *service)
{
    bool listens = service->listen.len > 0;
    const struct survey_trust trust = { &service->trust, &service->pins, NO_ID };
    uint32_t first = NO_ID;
    for (size_t i = 0; i < service->identities.count; i++) {
        uint32_t id = survey_identity(survey, node, service, service->identities.items[i].store,
                                      load_of(service->load.identity, usual_load(service)));
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
        .stack = stack_named(service->stack),
        .client_auth = client_auth_of(service->client_auth),
        .client_identity =
            str_eq(service->client_identity, S("user")) ? S("") : service->client_identity,
        .client_truster = survey_truster(survey, node, service, &trust, survey_trust_load(service)),
        .pins_alone = service->trust.count == 0 && service->pins.count > 0,
    };
    uint32_t id = model_add_service(&survey->model, &row);
    if (id == survey->shown.count)
        list_push(survey->arena, &survey->shown) = listens ? first : NO_ID;
}
