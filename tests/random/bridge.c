/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/random/bridge.h"

#include "base/sink.h"
#include "plan/plan.h"

#include <stdlib.h>

/*
 * The model is kept for many clusters: its certificates, and what the judge has learnt of them,
 * stay, and the rows go. After CLUSTERS of them it is made anew, so that memory stays small.
 */
enum { CLUSTERS = 2000 };

struct bridge {
    struct pool *pool;
    struct arena parsed_arena;
    LIST(struct cert) parsed; /* by pool id */
    struct arena arena;       /* of the model and all that it borrows */
    struct model model;
    struct judge judge;
    unsigned clusters;
};

struct bridge *bridge_new(struct pool *pool)
{
    struct bridge *bridge = calloc(1, sizeof(*bridge));
    must(bridge != NULL);
    bridge->pool = pool;
    return bridge;
}

void bridge_free(struct bridge *bridge)
{
    arena_free(&bridge->arena);
    arena_free(&bridge->parsed_arena);
    free(bridge);
}

static void renew_model(struct bridge *bridge)
{
    if (bridge->clusters++ % CLUSTERS == 0) {
        arena_free(&bridge->arena);
        bridge->arena = (struct arena){ 0 };
        model_init(&bridge->model, &bridge->arena);
        judge_init(&bridge->judge, &bridge->model);
        return;
    }
    struct model *model = &bridge->model;
    model->stores.count = model->identities.count = model->trusters.count = 0;
    model->services.count = model->links.count = 0;
    struct map *maps[] = { &model->store_ids,   &model->identity_ids, &model->truster_ids,
                           &model->service_ids, &model->link_ids,     &model->first_ids };
    for (size_t i = 0; i < COUNT(maps); i++)
        *maps[i] = (struct map){ .arena = &bridge->arena };
}

static uint32_t cert_id(struct bridge *bridge, uint32_t pool_id)
{
    while (bridge->parsed.count <= pool_id) {
        AUTO(err) struct err err = { 0 };
        str der = pool_cert(bridge->pool, (uint32_t)bridge->parsed.count)->der;
        struct cert cert;
        must(cert_parse(&bridge->parsed_arena, der, &cert, &err));
        list_push(&bridge->parsed_arena, &bridge->parsed) = cert;
    }
    return model_cert(&bridge->model, &bridge->parsed.items[pool_id]);
}

static uint32_t chain_of(struct bridge *bridge, const struct gen_certs *certs)
{
    uint32_t ids[MAX_ANCHORS];
    for (uint32_t i = 0; i < certs->count; i++)
        ids[i] = cert_id(bridge, certs->ids[i]);
    return certs->count == 0 ? NO_ID : model_chain(&bridge->model, ids, certs->count);
}

static uint32_t anchors_of(struct bridge *bridge, const struct gen_certs *certs)
{
    uint32_t ids[MAX_ANCHORS];
    for (uint32_t i = 0; i < certs->count; i++)
        ids[i] = cert_id(bridge, certs->ids[i]);
    return model_anchors(&bridge->model, ids, certs->count);
}

static str node_name(struct bridge *bridge, int node)
{
    return str_printf(&bridge->arena, "n%d", node + 1);
}

static enum load_mode load_of(enum load load)
{
    static const enum load_mode modes[] = {
        [LOADS_PER_CONNECTION] = LOAD_PER_CONNECTION,
        [LOADS_PER_SESSION] = LOAD_PER_SESSION,
        [LOADS_AT_RELOAD] = LOAD_RELOAD,
        [LOADS_AT_START] = LOAD_RESTART,
    };
    return modes[load];
}

/* Ids of the model are those of the cluster: rows are added in its order, and -1 is NO_ID. */
static uint32_t same_id(int id)
{
    return id == NONE ? NO_ID : (uint32_t)id;
}

static void add_stores(struct bridge *bridge, const struct gen_cluster *cluster)
{
    for (int i = 0; i < cluster->stores; i++) {
        const struct gen_store *row = &cluster->store[i];
        struct trust_store store = { .key = store_key(&bridge->arena, cluster, i),
                                     .node = node_name(bridge, row->node),
                                     .name = str_copy(&bridge->arena, str_c(row->name)),
                                     .anchors = anchors_of(bridge, &row->anchors) };
        must(model_add_store(&bridge->model, &store) == (uint32_t)i);
    }
}

static void add_identities(struct bridge *bridge, const struct gen_cluster *cluster)
{
    for (int i = 0; i < cluster->identities; i++) {
        const struct gen_identity *row = &cluster->identity[i];
        const struct gen_service *service = &cluster->service[row->service];
        struct identity identity = { .key = identity_key(&bridge->arena, cluster, i),
                                     .node = node_name(bridge, service->node),
                                     .service = str_copy(&bridge->arena, str_c(service->name)),
                                     .store = str_copy(&bridge->arena, str_c(row->store)),
                                     .load = load_of(row->load),
                                     .has_reference = row->reference,
                                     .one_file = row->one_file,
                                     .stored = chain_of(bridge, &row->stored),
                                     .loaded = chain_of(bridge, &row->loaded) };
        identity.stale = row->load == LOADS_PER_SESSION && identity.loaded != identity.stored;
        must(model_add_identity(&bridge->model, &identity) == (uint32_t)i);
    }
}

static void add_trusters(struct bridge *bridge, const struct gen_cluster *cluster)
{
    for (int i = 0; i < cluster->trusters; i++) {
        const struct gen_truster *row = &cluster->truster[i];
        const struct gen_service *service = &cluster->service[row->service];
        struct truster truster = { .key = truster_key(&bridge->arena, cluster, i),
                                   .node = node_name(bridge, service->node),
                                   .service = str_copy(&bridge->arena, str_c(service->name)),
                                   .load = load_of(row->load),
                                   .loaded = anchors_of(bridge, &row->loaded) };
        for (int k = 0; k < 2 && row->stores[k] != NONE; k++)
            list_push(&bridge->arena, &truster.stores) = (uint32_t)row->stores[k];
        if (row->load < LOADS_AT_RELOAD)
            truster.loaded = truster_stored(&bridge->model, &truster);
        must(model_add_truster(&bridge->model, &truster) == (uint32_t)i);
    }
}

/* Whether the service itself reads something at its start alone. */
static bool starts_alone(const struct gen_cluster *cluster, int service)
{
    bool anew = false;
    for (int i = 0; i < cluster->identities; i++)
        anew = anew || (cluster->identity[i].service == service &&
                        cluster->identity[i].load == LOADS_AT_START);
    for (int i = 0; i < cluster->trusters; i++)
        anew = anew || (cluster->truster[i].service == service &&
                        cluster->truster[i].load == LOADS_AT_START);
    return anew;
}

static void add_services(struct bridge *bridge, const struct gen_cluster *cluster)
{
    static const char *const roles[] = {
        [ROLE_NONE] = "", [ROLE_REPLICA] = "replica", [ROLE_PRIMARY] = "primary"
    };
    static const str groups[] = {
        {"",     0},
        { "one", 3},
        { "two", 3}
    };
    static const enum client_auth asks[] = { [ASKS_NONE] = CLIENT_AUTH_NONE,
                                             [ASKS_OPTIONAL] = CLIENT_AUTH_OPTIONAL,
                                             [ASKS_REQUIRED] = CLIENT_AUTH_REQUIRED };
    for (int i = 0; i < cluster->services; i++) {
        const struct gen_service *row = &cluster->service[i];
        str process =
            row->process == i ? S("") : service_key(&bridge->arena, cluster, row->process);
        str wanted =
            row->wanted[0] == '\0' ? S("") : str_printf(&bridge->arena, "CN=%s", row->wanted);
        struct service service = { .key = service_key(&bridge->arena, cluster, i),
                                   .node = node_name(bridge, row->node),
                                   .name = str_copy(&bridge->arena, str_c(row->name)),
                                   .role = str_c(roles[row->role]),
                                   .group = groups[row->group],
                                   .process = process,
                                   .restarts = starts_alone(cluster, i),
                                   .client_auth = asks[row->asks],
                                   .client_identity = wanted,
                                   .client_truster = same_id(row->truster) };
        must(model_add_service(&bridge->model, &service) == (uint32_t)i);
    }
}

static void add_links(struct bridge *bridge, const struct gen_cluster *cluster)
{
    static const enum verify_mode verifies[] = {
        [VERIFIES_NONE] = VERIFY_NONE, [VERIFIES_CA] = VERIFY_CA, [VERIFIES_NAME] = VERIFY_FULL
    };
    for (int i = 0; i < cluster->links; i++) {
        const struct gen_link *row = &cluster->link[i];
        struct link link = { .key = link_key(&bridge->arena, cluster, i),
                             .from = (uint32_t)row->from,
                             .to = (uint32_t)row->to,
                             .server_identity = same_id(cluster->service[row->to].listens),
                             .client_identity = same_id(row->identity),
                             .client_truster = same_id(row->truster),
                             .verify = verifies[row->verify],
                             .name = str_copy(&bridge->arena, str_c(row->name)),
                             .user = str_copy(&bridge->arena, str_c(row->user)),
                             .user_is_cn = row->user_is_cn };
        must(model_add_link(&bridge->model, &link) == (uint32_t)i);
    }
}

static void write_plan(struct bridge *bridge, struct arena *arena, const struct plan *plan,
                       str *ret_document)
{
    AUTO(err) struct err err = { 0 };
    AUTO(sink) struct sink sink = { 0 };
    must(sink_open(&sink, &err));
    struct emit emit = { .out = sink.file };
    emit_object(&emit, NULL);
    plan_emit(&emit, &bridge->model, plan, &(plan_source_list){ 0 });
    emit_object_end(&emit);
    emit_end(&emit);
    *ret_document = str_copy(arena, sink_text(&sink));
}

void bridge_plan(struct bridge *bridge, struct arena *arena, const struct gen_cluster *cluster,
                 str *ret_document)
{
    renew_model(bridge);
    add_stores(bridge, cluster);
    add_identities(bridge, cluster);
    add_trusters(bridge, cluster);
    add_services(bridge, cluster);
    add_links(bridge, cluster);
    struct plan_goal goal = { .cluster = S("random"),
                              .now = POOL_NOW,
                              .renew_before = cluster->goal.renew_before,
                              .lifetime = cluster->goal.lifetime,
                              .renew_all = cluster->goal.renew_all,
                              .keep_key = cluster->goal.keep_key,
                              .issuer = cert_id(bridge, cluster->goal.issuer),
                              .anchor = cert_id(bridge, pool_root(cluster->goal.issuer)),
                              .replace_others = cluster->goal.replace,
                              .keep_anchors = cluster->goal.keep_anchors,
                              .max_unavailable = cluster->goal.max_unavailable };
    for (uint32_t i = 0; i < cluster->goal.sent_along.count; i++)
        list_push(&bridge->arena, &goal.sent_along) =
            cert_id(bridge, cluster->goal.sent_along.ids[i]);
    struct plan plan;
    plan_make(&bridge->arena, &bridge->judge, &goal, &plan);
    write_plan(bridge, arena, &plan, ret_document);
}

static uint32_t certs_of(struct bridge *bridge, const struct truth *truth, uint32_t list,
                         bool anchors)
{
    if (list == NO_LIST)
        return NO_ID;
    const struct gen_certs *certs = truth_certs(truth, list);
    return anchors ? anchors_of(bridge, certs) : chain_of(bridge, certs);
}

str bridge_verdict(struct bridge *bridge, struct arena *arena, const struct truth *truth, int link,
                   struct end client, struct end server)
{
    struct ends ends = { .client_chain = certs_of(bridge, truth, client.chain, false),
                         .server_chain = certs_of(bridge, truth, server.chain, false),
                         .client_anchors = certs_of(bridge, truth, client.anchors, true),
                         .server_anchors = certs_of(bridge, truth, server.anchors, true) };
    const struct link *row = &bridge->model.links.items[link];
    struct verdict verdict = judge_link(&bridge->judge, row, ends, POOL_NOW);
    return verdict.ok ? S("works") : verdict_text(arena, &bridge->model, row, verdict, POOL_NOW);
}
