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

/* A reference that is one of several which name the same files cannot be switched alone: the others
   would go on with what is dropped. */
static bool is_shared(const struct node_conf *node, const struct service_conf *service, str store)
{
    for (size_t i = 0; i < node->services.count; i++) {
        const struct service_conf *other = &node->services.items[i];
        for (size_t k = 0; k < other->identities.count && !str_eq(other->name, service->name); k++)
            if (str_eq(other->identities.items[k].store, store))
                return true;
    }
    return false;
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
    str key = str_printf(survey->arena, "%.*s/%.*s:%.*s", STR_ARG(node->name),
                         STR_ARG(service->name), STR_ARG(store_name));
    uint32_t known = map_get(&survey->model.identity_ids, key);
    const struct seen_store *store = seen_store(survey_seen_node(survey, node->name), store_name);
    if (known != NO_ID || store == NULL)
        return known;
    const struct store_conf *conf = node_store((struct node_conf *)(uintptr_t)node, store_name);
    const cert_list *memory = memory_of(survey, node->name, service->name, store_name, load);
    uint32_t chain = intern_chain(survey, &store->certificates);
    struct identity identity = {
        .key = key,
        .node = node->name,
        .service = service->name,
        .store = store_name,
        .load = load,
        .one_file = conf != NULL && str_eq(conf->certificate, conf->key),
        .has_reference = (node->system.len > 0 || service->reference.len > 0) &&
                         !is_shared(node, service, store_name),
        .stored = chain,
        .loaded = memory == NULL ? chain : intern_chain(survey, memory),
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

uint32_t survey_trust_store(struct survey *survey, const struct node_conf *node, str name)
{
    str key = str_printf(survey->arena, "%.*s/%.*s", STR_ARG(node->name), STR_ARG(name));
    uint32_t known = map_get(&survey->model.store_ids, key);
    const struct store_conf *conf = node_store((struct node_conf *)(uintptr_t)node, name);
    const struct seen_store *seen = seen_store(survey_seen_node(survey, node->name), name);
    if (known != NO_ID || conf == NULL || seen == NULL)
        return known;
    bool pins = str_eq(conf->format, S("pins"));
    str path = pins ? conf->path : conf->certificates;
    known = same_file(survey, node->name, path);
    if (known != NO_ID)
        return known;
    LIST(uint32_t) ids = { 0 };
    for (size_t i = 0; i < seen->pins.count; i++)
        list_push(survey->arena, &ids) = model_pin(&survey->model, seen->pins.items[i]);
    for (size_t i = 0; i < seen->certificates.count; i++)
        list_push(survey->arena, &ids) = model_cert(&survey->model, &seen->certificates.items[i]);
    struct trust_store store = { .key = key,
                                 .node = node->name,
                                 .name = name,
                                 .path = path,
                                 .kind = pins ? STORE_PINS : STORE_ANCHORS,
                                 .anchors = model_anchors(&survey->model, ids.items, ids.count) };
    return model_add_store(&survey->model, &store);
}

static uint32_t intern_anchors(struct survey *survey, const cert_list *certs)
{
    LIST(uint32_t) ids = { 0 };
    for (size_t i = 0; i < certs->count; i++)
        list_push(survey->arena, &ids) = model_cert(&survey->model, &certs->items[i]);
    return model_anchors(&survey->model, ids.items, ids.count);
}

/* What its stores hold, and what is known of the running service instead. */
static uint32_t loaded_anchors(struct survey *survey, const struct truster *truster)
{
    struct model *model = &survey->model;
    LIST(uint32_t) sets = { 0 };
    for (size_t i = 0; i < truster->stores.count; i++) {
        const struct trust_store *store = &model->stores.items[truster->stores.items[i]];
        const cert_list *memory =
            store->kind == STORE_PINS
                ? NULL
                : memory_of(survey, truster->node, truster->service, store->name, truster->load);
        list_push(survey->arena, &sets) =
            memory == NULL ? store->anchors : intern_anchors(survey, memory);
    }
    return model_anchors_union(model, sets.items, sets.count);
}

uint32_t survey_truster(struct survey *survey, const struct node_conf *node,
                        const struct service_conf *service, const struct survey_trust *trust,
                        enum load_mode load)
{
    struct buf key = { 0 };
    struct truster truster = { .node = node->name, .service = service->name, .load = load };
    const str_list *lists[] = { trust->anchors, trust->pins };
    buf_printf(survey->arena, &key, "%.*s/%.*s:", STR_ARG(node->name), STR_ARG(service->name));
    for (size_t i = 0; i < COUNT(lists); i++)
        for (size_t k = 0; k < lists[i]->count; k++) {
            uint32_t store = survey_trust_store(survey, node, lists[i]->items[k]);
            if (store == NO_ID)
                continue;
            buf_printf(survey->arena, &key, "%s%.*s", truster.stores.count == 0 ? "" : "+",
                       STR_ARG(lists[i]->items[k]));
            list_push(survey->arena, &truster.stores) = store;
        }
    if (trust->fixed != NO_ID) {
        buf_printf(survey->arena, &key, "%s%.*s", truster.stores.count == 0 ? "" : "+",
                   STR_ARG(survey->model.stores.items[trust->fixed].key));
        list_push(survey->arena, &truster.stores) = trust->fixed;
    }
    if (truster.stores.count == 0)
        return NO_ID;
    truster.key = buf_str(&key);
    truster.loaded = loaded_anchors(survey, &truster);
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

uint32_t survey_fixed_pins(struct survey *survey, str service)
{
    LIST(uint32_t) ids = { 0 };
    struct cluster *cluster = survey->cluster;
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

/* What the libraries do that the stacks are called after. OpenSSL alone completes a lone leaf from
   its trust store; nginx switches that off (SSL_MODE_NO_AUTO_CHAIN). Java's key manager and Go's
   client look at the names that the server sends, the others present what they have. */
static const struct stack {
    const char *name;
    bool completes, by_issuer;
} stacks[] = {
    {"openssl", true,  false}, /* where none is named */
    { "gnutls", false, false},
    { "go",     false, true },
    { "jsse",   false, true },
    { "nginx",  false, false},
};

static const struct stack *stack_of(const struct service_conf *service)
{
    for (size_t i = 0; i < COUNT(stacks); i++)
        if (str_eq(service->stack, str_c(stacks[i].name)))
            return &stacks[i];
    return &stacks[0];
}

bool survey_chooses_by_issuer(const struct service_conf *service)
{
    return service->client_selects.len > 0 ? str_eq(service->client_selects, S("by_issuer"))
                                           : stack_of(service)->by_issuer;
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
        .stack = service->stack,
        .client_auth = client_auth_of(service->client_auth),
        .client_identity =
            str_eq(service->client_identity, S("user")) ? S("") : service->client_identity,
        .client_truster = survey_truster(survey, node, service, &trust, survey_trust_load(service)),
        .pins_alone = service->trust.count == 0 && service->pins.count > 0,
        .sends_as_stored = !stack_of(service)->completes,
    };
    uint32_t id = model_add_service(&survey->model, &row);
    if (id == survey->shown.count)
        list_push(survey->arena, &survey->shown) = listens ? first : NO_ID;
}
