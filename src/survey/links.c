/* SPDX-License-Identifier: Apache-2.0 */
#include "survey/links.h"

#include "node/protocol.h"
#include "survey/parts.h"
#include "survey/place.h"
#include "tls/endpoint.h"

enum { PROBE_MS = 8000, GRACE_MS = 4000 };

static void add_text(json_t *body, const char *name, str value)
{
    if (value.len > 0)
        json_object_set_new(body, name, json_stringn(value.ptr, value.len));
}

static const struct service_conf *conf_of(const struct survey *survey, uint32_t service,
                                          struct node_conf **ret_node)
{
    const struct service *row = &survey->model.services.items[service];
    *ret_node = cluster_node(survey->cluster, row->node);
    return node_service(*ret_node, row->name);
}

static void add_files(json_t *body, const struct survey *survey, const struct link *link,
                      struct node_conf *from)
{
    const struct model *model = &survey->model;
    if (link->client_identity != NO_ID) {
        const struct store_conf *store =
            node_store(from, model->identities.items[link->client_identity].store);
        add_text(body, "certificate", store->certificate);
        add_text(body, "key", store->key);
        add_text(body, "store", store->name);
        add_text(body, "node", survey_node_text(survey, from->name));
    }
    if (link->client_truster == NO_ID || link->verify == VERIFY_NONE)
        return;
    const struct truster *truster = &model->trusters.items[link->client_truster];
    for (size_t i = 0; i < truster->stores.count; i++) {
        const struct trust_store *store = &model->stores.items[truster->stores.items[i]];
        if (store->kind == STORE_ANCHORS) {
            add_text(body, "trust", store->path);
            return;
        }
    }
}

/* NULL when the server has no address. Where the client goes by its own settings is where it is
   asked: "localhost" may be another address, to which other rules of the server apply. */
static json_t *question(const struct survey *survey, uint32_t id)
{
    static const char *const verify[] = { "none", "ca", "full" };
    const struct link *link = &survey->model.links.items[id];
    struct node_conf *from, *to;
    struct endpoint endpoint;
    (void)conf_of(survey, link->from, &from);
    const struct service_conf *server = conf_of(survey, link->to, &to);
    if (!endpoint_parse(survey->to.items[id]->address, &endpoint) &&
        !endpoint_parse(place_to_dial(survey, from, to, server), &endpoint))
        return NULL;
    json_t *body = json_object();
    add_text(body, "host", endpoint.host);
    json_object_set_new(body, "port", json_integer(endpoint.port));
    add_text(body, "protocol", server->protocol.len > 0 ? server->protocol : S("tls"));
    add_text(body, "name", link->name);
    add_text(body, "user", link->user);
    add_text(body, "database", survey->to.items[id]->database);
    add_text(body, "verify", str_c(verify[link->verify]));
    json_object_set_new(body, "timeout_ms", json_integer(PROBE_MS));
    add_files(body, survey, link, from);
    return body;
}

static str stored_leaf(const struct model *model, uint32_t identity)
{
    size_t count = 0;
    uint32_t chain = identity == NO_ID ? NO_ID : model->identities.items[identity].stored;
    const uint32_t *members =
        chain == NO_ID ? NULL : model_members(model->chains.items[chain], &count);
    return count == 0 ? S("") : model->certs.items[members[0]].sha256;
}

/* Of several certificates that a server may show, it showed one. */
static bool is_as_stored(const struct survey *survey, uint32_t id, str shown)
{
    const struct model *model = &survey->model;
    for (uint32_t i = id; i < model->links.count && survey->to.items[i] == survey->to.items[id];
         i++)
        if (str_eq(stored_leaf(model, model->links.items[i].server_identity), shown))
            return true;
    return false;
}

/* The client's pins, which the probe knows nothing of. */
static bool is_pinned(const struct survey *survey, const struct link *link, str shown)
{
    const struct model *model = &survey->model;
    uint32_t leaf = map_get(&model->cert_ids, shown);
    size_t count;
    bool pins = false;
    if (link->client_truster == NO_ID)
        return true;
    uint32_t loaded = model->trusters.items[link->client_truster].loaded;
    const uint32_t *members = model_members(model->anchor_sets.items[loaded], &count);
    for (size_t i = 0; i < count; i++) {
        if (!model_is_pin(model, members[i]))
            continue;
        if (leaf != NO_ID && model_pin_matches(model, members[i], leaf))
            return true;
        pins = true;
    }
    return !pins;
}

static struct tried judge(struct arena *arena, const struct survey *survey, uint32_t id,
                          const json_t *answer)
{
    const struct model *model = &survey->model;
    const struct link *link = &model->links.items[id];
    const json_t *probe = json_object_get(answer, "probe");
    const json_t *leaf = json_array_get(json_object_get(probe, "chain"), 0);
    str outcome = answer_text(arena, probe, "outcome"), shown = answer_text(arena, leaf, "sha256");
    struct tried tried = { .asked = true,
                           .accepted = str_eq(outcome, S("accepted")),
                           .as_stored = is_as_stored(survey, id, shown),
                           .text = answer_text(arena, probe, "text") };
    if (!cause_parse(answer_text(arena, probe, "cause"), &tried.cause))
        tried.cause = CAUSE_none;
    if (tried.accepted && !is_pinned(survey, link, shown)) {
        tried.accepted = false;
        tried.cause = CAUSE_pin_mismatch;
        tried.text =
            str_printf(arena, "was shown sha256:%.8s, which is not what it remembers", shown.ptr);
    } else if (tried.accepted && !tried.as_stored) {
        tried.text = str_printf(arena, "was shown sha256:%.8s, the store holds sha256:%.8s",
                                shown.ptr, stored_leaf(model, link->server_identity).ptr);
    }
    return tried;
}

/* At most one question at a time for each node: the next link of each. */
struct round {
    struct ask *asks;
    json_t **bodies;
    uint32_t *links;
    size_t count;
};

static bool is_busy(const struct round *round, const struct reach *reach)
{
    for (size_t i = 0; i < round->count; i++)
        if (round->asks[i].reach == reach)
            return true;
    return false;
}

static void fill_round(const struct survey *survey, bool *left, struct tried *results,
                       struct round *round)
{
    round->count = 0;
    for (uint32_t i = 0; i < survey->model.links.count; i++) {
        const struct link *link = &survey->model.links.items[i];
        struct reach *reach =
            fleet_reach(survey->fleet, survey->model.services.items[link->from].node);
        if (!left[i] || reach == NULL || is_busy(round, reach))
            continue;
        left[i] = false;
        json_t *body = question(survey, i);
        if (body == NULL) {
            results[i] = (struct tried){ .asked = true, .text = S("it has no address") };
            continue;
        }
        round->links[round->count] = i;
        round->bodies[round->count] = body;
        round->asks[round->count++] = (struct ask){
            .reach = reach, .op = "probe", .body = body, .timeout_ms = PROBE_MS + GRACE_MS
        };
    }
}

void survey_try_links(struct arena *arena, const struct survey *survey, const bool *wanted,
                      struct tried *results)
{
    AUTO(arena) struct arena scratch = { 0 };
    size_t count = survey->model.links.count;
    bool *left = arena_alloc(&scratch, count + 1, sizeof(bool));
    struct round round = { .asks = arena_alloc(&scratch, count + 1, sizeof(struct ask)),
                           .bodies = arena_alloc(&scratch, count + 1, sizeof(json_t *)),
                           .links = arena_alloc(&scratch, count + 1, sizeof(uint32_t)) };
    for (uint32_t i = 0; i < count; i++) {
        /* What comes of a signature is seen nowhere on a wire. */
        left[i] = wanted[i] && survey_is_first(survey, i) &&
                  survey->model.links.items[i].kind == LINK_CONNECT;
        results[i] = (struct tried){ 0 };
    }
    for (fill_round(survey, left, results, &round); round.count > 0;
         fill_round(survey, left, results, &round)) {
        reach_ask_all(round.asks, round.count);
        for (size_t i = 0; i < round.count; i++) {
            uint32_t id = round.links[i];
            results[id] =
                round.asks[i].ok
                    ? judge(arena, survey, id, round.asks[i].answer)
                    : (struct tried){ .asked = true,
                                      .text = str_copy(arena, str_c(round.asks[i].err.msg)) };
            ask_clear(&round.asks[i]);
            json_decref(round.bodies[i]);
        }
    }
}
