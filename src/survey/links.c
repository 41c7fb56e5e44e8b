/* SPDX-License-Identifier: Apache-2.0 */
#include "survey/links.h"

#include "base/groups.h"
#include "node/protocol.h"
#include "survey/index.h"
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
    *ret_node = index_node(&survey->index->cluster, row->node);
    return index_service(&survey->index->cluster, row->node, row->name);
}

static void add_files(json_t *body, const struct survey *survey, const struct link *link,
                      struct node_conf *from)
{
    const struct model *model = &survey->model;
    if (link->client_identity != NO_ID) {
        const struct store_conf *store =
            index_store(&survey->index->cluster, from->name,
                        model->identities.items[link->client_identity].store);
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
    struct groups links_of_node; /* to be tried, by node */
    size_t *next;                /* of each node */
    struct ask *asks;
    json_t **bodies;
    uint32_t *links;
    size_t count;
};

static void line_up(const struct survey *survey, struct arena *arena, const bool *wanted,
                    struct round *round)
{
    const struct model *model = &survey->model;
    size_t nodes = survey->cluster->nodes.count;
    *round = (struct round){ .next = arena_alloc(arena, nodes + 1, sizeof(size_t)),
                             .asks = arena_alloc(arena, nodes + 1, sizeof(struct ask)),
                             .bodies = arena_alloc(arena, nodes + 1, sizeof(json_t *)),
                             .links = arena_alloc(arena, nodes + 1, sizeof(uint32_t)) };
    groups_init(&round->links_of_node, arena, nodes);
    for (int pass = 0; pass < 2; pass++) {
        groups_round(&round->links_of_node);
        for (uint32_t i = 0; i < model->links.count; i++) {
            /* What comes of a signature is seen nowhere on a wire. */
            const struct link *link = &model->links.items[i];
            if (wanted[i] && survey_is_first(survey, i) && link->kind == LINK_CONNECT)
                groups_add(
                    &round->links_of_node,
                    map_get(&survey->index->cluster.nodes, model->services.items[link->from].node),
                    i);
        }
    }
}

/* The node's next link that has an address, if one is left. */
static void take_next(const struct survey *survey, struct round *round, uint32_t node,
                      struct tried *results)
{
    size_t count;
    const uint32_t *links = groups_of(&round->links_of_node, node, &count);
    struct reach *reach = fleet_reach(survey->fleet, survey->cluster->nodes.items[node].name);
    while (reach != NULL && round->next[node] < count) {
        uint32_t link = links[round->next[node]++];
        json_t *body = question(survey, link);
        if (body == NULL) {
            results[link] = (struct tried){ .asked = true, .text = S("it has no address") };
            continue;
        }
        round->links[round->count] = link;
        round->bodies[round->count] = body;
        round->asks[round->count++] = (struct ask){
            .reach = reach, .op = "probe", .body = body, .timeout_ms = PROBE_MS + GRACE_MS
        };
        return;
    }
}

static void fill_round(const struct survey *survey, struct tried *results, struct round *round)
{
    round->count = 0;
    for (uint32_t node = 0; node < survey->cluster->nodes.count; node++)
        take_next(survey, round, node, results);
}

void survey_try_links(struct arena *arena, const struct survey *survey, const bool *wanted,
                      struct tried *results)
{
    AUTO(arena) struct arena scratch = { 0 };
    struct round round;
    for (size_t i = 0; i < survey->model.links.count; i++)
        results[i] = (struct tried){ 0 };
    line_up(survey, &scratch, wanted, &round);
    for (fill_round(survey, results, &round); round.count > 0;
         fill_round(survey, results, &round)) {
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
