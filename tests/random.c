/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/random.h"

#include "tests/test.h"

void random_pki_make(struct random_pki *pki)
{
    static const char *const names[RANDOM_ROOTS] = { "One", "Two", "Three" };
    *pki = (struct random_pki){ 0 };
    for (size_t i = 0; i < RANDOM_ROOTS; i++)
        pki->roots[i] = pki_make(&pki->arena, &(struct pki_spec){ .name = names[i], .ca = true });
    for (size_t i = 0; i < RANDOM_LEAVES; i++) {
        bool expired = i % 3 == 2;
        pki->leaves[i] = pki_make(
            &pki->arena, &(struct pki_spec){ .name = "leaf",
                                             .issuer = &pki->roots[i / 3],
                                             .san = "DNS:leaf",
                                             .not_before = expired ? PKI_NOW - 9 * PKI_DAY : 0,
                                             .not_after = expired ? PKI_NOW - PKI_DAY : 0 });
    }
}

void random_pki_free(struct random_pki *pki)
{
    arena_free(&pki->arena);
}

/* xorshift64*: the same on every machine. A number below `end`, 0 where that is 0. */
static uint32_t below(struct random_cluster *cluster, size_t end)
{
    cluster->seed ^= cluster->seed >> 12;
    cluster->seed ^= cluster->seed << 25;
    cluster->seed ^= cluster->seed >> 27;
    return end == 0 ? 0 : (uint32_t)((cluster->seed * 0x2545f4914f6cdd1dU >> 33) % end);
}

static bool one_in(struct random_cluster *cluster, size_t n)
{
    return below(cluster, n) == 0;
}

/* Mostly of the first root and good, so that links work. */
static uint32_t any_chain(struct random_cluster *cluster)
{
    if (!one_in(cluster, 4))
        return cluster->chains[below(cluster, 2)];
    return one_in(cluster, 8) ? NO_ID : cluster->chains[below(cluster, RANDOM_LEAVES)];
}

static uint32_t any_anchors(struct random_cluster *cluster)
{
    uint32_t set = model_anchors(&cluster->model, cluster->roots, one_in(cluster, 8) ? 0 : 1);
    for (size_t i = 1; i < RANDOM_ROOTS; i++)
        if (one_in(cluster, 3))
            set = model_anchors_with(&cluster->model, set, cluster->roots[i]);
    return set;
}

static enum load_mode any_load(struct random_cluster *cluster)
{
    return (enum load_mode)below(cluster, LOAD_RESTART + 1);
}

static uint32_t add_identity(struct random_cluster *cluster, str node, str service, const char *use)
{
    uint32_t chain = any_chain(cluster);
    struct identity identity = { .key = str_printf(&cluster->arena, "%.*s/%.*s:%s", STR_ARG(node),
                                                   STR_ARG(service), use),
                                 .node = node,
                                 .service = service,
                                 .store = str_c(use),
                                 .load = any_load(cluster),
                                 .stored = chain,
                                 .loaded = one_in(cluster, 6) ? any_chain(cluster) : chain };
    return model_add_identity(&cluster->model, &identity);
}

static uint32_t add_truster(struct random_cluster *cluster, str node, str service, const char *use)
{
    struct truster truster = { .key = str_printf(&cluster->arena, "%.*s/%.*s:%s", STR_ARG(node),
                                                 STR_ARG(service), use),
                               .node = node,
                               .service = service,
                               .load = any_load(cluster) };
    for (size_t i = 0, count = 1 + below(cluster, 2); i < count; i++)
        list_push(&cluster->arena, &truster.stores) = below(cluster, cluster->model.stores.count);
    truster.loaded =
        one_in(cluster, 6) ? any_anchors(cluster) : truster_stored(&cluster->model, &truster);
    return model_add_truster(&cluster->model, &truster);
}

static uint32_t add_service(struct random_cluster *cluster, uint32_t number)
{
    str node = str_printf(&cluster->arena, "n%u", number / 2);
    str name = number % 2 == 0 ? S("a") : S("b");
    struct service service = {
        .key = str_printf(&cluster->arena, "%.*s/%.*s", STR_ARG(node), STR_ARG(name)),
        .node = node,
        .name = name,
        .client_auth = (enum client_auth)below(cluster, CLIENT_AUTH_REQUIRED + 1),
        .client_truster = one_in(cluster, 4) ? NO_ID : add_truster(cluster, node, name, "trust"),
    };
    (void)add_identity(cluster, node, name, "server");
    (void)add_identity(cluster, node, name, "client");
    (void)add_truster(cluster, node, name, "upstream");
    return model_add_service(&cluster->model, &service);
}

/* A client uses what belongs to its service, or what belongs to another that shares it. */
static void add_link(struct random_cluster *cluster, uint32_t number)
{
    const struct model *model = &cluster->model;
    uint32_t identities = (uint32_t)model->identities.count;
    struct link link = {
        .key = str_printf(&cluster->arena, "link%u", number),
        .kind = one_in(cluster, 8) ? LINK_SIGNER : LINK_CONNECT,
        .from = below(cluster, model->services.count),
        .to = below(cluster, model->services.count),
        .server_identity = below(cluster, identities),
        .client_identity = one_in(cluster, 9) ? NO_ID : below(cluster, identities),
        .by_issuer = one_in(cluster, 4),
        .client_truster = one_in(cluster, 9) ? NO_ID : below(cluster, model->trusters.count),
        .verify = one_in(cluster, 6) ? VERIFY_NONE : VERIFY_FULL,
        .name = S("leaf"),
    };
    if (link.by_issuer)
        list_push(&cluster->arena, &link.more_identities) = below(cluster, identities);
    model_add_link(&cluster->model, &link);
}

void random_cluster_make(struct random_cluster *cluster, const struct random_pki *pki,
                         uint64_t seed)
{
    *cluster = (struct random_cluster){ .seed = seed * 0x9e3779b97f4a7c15U };
    struct model *model = &cluster->model;
    model_init(model, &cluster->arena);
    judge_init(&cluster->judge, model);
    for (size_t i = 0; i < RANDOM_ROOTS; i++)
        cluster->roots[i] = model_cert(model, &pki->roots[i].cert);
    for (size_t i = 0; i < RANDOM_LEAVES; i++) {
        uint32_t leaf = model_cert(model, &pki->leaves[i].cert);
        cluster->chains[i] = model_chain(model, &leaf, 1);
    }
    for (uint32_t i = 0, count = 1 + below(cluster, 4); i < count; i++) {
        struct trust_store store = { .key = str_printf(&cluster->arena, "store%u", i),
                                     .node = S("n0"),
                                     .name = str_printf(&cluster->arena, "store%u", i),
                                     .anchors = any_anchors(cluster) };
        model_add_store(model, &store);
    }
    for (uint32_t i = 0, count = 2 + below(cluster, 4); i < count; i++)
        add_service(cluster, i);
    for (uint32_t i = 0, count = 3 + below(cluster, 9); i < count; i++)
        add_link(cluster, i);
}

void random_cluster_free(struct random_cluster *cluster)
{
    arena_free(&cluster->arena);
}

static struct step any_step(struct random_cluster *cluster)
{
    static const enum step_kind kinds[] = { STEP_snapshot, STEP_trust,  STEP_trust,   STEP_distrust,
                                            STEP_install,  STEP_switch, STEP_refresh, STEP_refresh,
                                            STEP_hold,     STEP_verify };
    const struct model *model = &cluster->model;
    const struct service *service = &model->services.items[below(cluster, model->services.count)];
    struct step step = { .kind = kinds[below(cluster, COUNT(kinds))],
                         .node = service->node,
                         .service = service->name,
                         .identity = below(cluster, model->identities.count),
                         .trust_store = below(cluster, model->stores.count),
                         .new_cert = cluster->roots[below(cluster, RANDOM_ROOTS)],
                         .new_chain = cluster->chains[below(cluster, RANDOM_LEAVES)],
                         .in_place = one_in(cluster, 2) };
    for (size_t i = 0; i < model->links.count; i++)
        if (one_in(cluster, 20))
            list_push(&cluster->arena, &step.refused) = model->links.items[i].key;
    return step;
}

void random_waves(struct random_cluster *cluster, struct plan *ret_plan)
{
    *ret_plan = (struct plan){ .cluster = S("random") };
    for (size_t i = 0, waves = below(cluster, 10); i < waves; i++) {
        struct wave wave = { 0 };
        for (size_t k = 0, steps = below(cluster, 6); k < steps; k++) {
            list_push(&cluster->arena, &wave.steps) = (uint32_t)ret_plan->steps.count;
            list_push(&cluster->arena, &ret_plan->steps) = any_step(cluster);
        }
        list_push(&cluster->arena, &ret_plan->waves) = wave;
    }
}
