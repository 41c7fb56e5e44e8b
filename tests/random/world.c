/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/random/world.h"

void world_start(struct truth *truth, const struct gen_cluster *cluster, struct world *ret_world)
{
    *ret_world = (struct world){ 0 };
    for (int i = 0; i < cluster->identities; i++) {
        ret_world->stored[i] = truth_list(truth, &cluster->identity[i].stored);
        ret_world->loaded[i] = truth_list(truth, &cluster->identity[i].loaded);
    }
    for (int i = 0; i < cluster->stores; i++)
        ret_world->anchors[i] = truth_list(truth, &cluster->store[i].anchors);
    for (int i = 0; i < cluster->trusters; i++)
        ret_world->trusted[i] = truth_list(truth, &cluster->truster[i].loaded);
}

static uint32_t stored_trust(struct truth *truth, const struct gen_cluster *cluster,
                             const struct world *world, int truster)
{
    const struct gen_truster *row = &cluster->truster[truster];
    uint32_t all = world->anchors[row->stores[0]];
    if (row->stores[1] == NONE)
        return all;
    struct gen_certs more = *truth_certs(truth, world->anchors[row->stores[1]]);
    for (uint32_t i = 0; i < more.count; i++)
        all = truth_with(truth, all, more.ids[i]);
    return all;
}

static bool reads_each_time(enum load load)
{
    return load == LOADS_PER_CONNECTION || load == LOADS_PER_SESSION;
}

void world_load(struct truth *truth, const struct gen_cluster *cluster, struct world *world,
                int service)
{
    int process = cluster->service[service].process;
    for (int i = 0; i < cluster->identities; i++)
        if (cluster->service[cluster->identity[i].service].process == process)
            world->loaded[i] = world->stored[i];
    for (int i = 0; i < cluster->trusters; i++)
        if (cluster->service[cluster->truster[i].service].process == process)
            world->trusted[i] = stored_trust(truth, cluster, world, i);
}

uint32_t renewed_chain(struct truth *truth, const struct gen_cluster *cluster, uint32_t cert)
{
    const struct gen_certs *along = &cluster->goal.sent_along;
    struct gen_certs chain = { .count = 1, .ids = { cert } };
    for (uint32_t i = 0; i < along->count; i++)
        chain.ids[chain.count++] = along->ids[i];
    return truth_list(truth, &chain);
}

void world_step(struct truth *truth, const struct gen_cluster *cluster, struct world *world,
                const struct doc_step *step)
{
    uint32_t *anchors = step->store == NONE ? NULL : &world->anchors[step->store];
    if (step->act == ACT_trust)
        *anchors = truth_with(truth, *anchors, step->cert);
    if (step->act == ACT_distrust)
        *anchors = truth_without(truth, *anchors, step->cert);
    if (step->act == ACT_switch || (step->act == ACT_install && step->in_place))
        world->stored[step->identity] = renewed_chain(truth, cluster, step->cert);
    if (step->act == ACT_refresh)
        world_load(truth, cluster, world, step->service);
}

struct end client_end(const struct gen_cluster *cluster, int link, struct end loaded,
                      struct end stored)
{
    const struct gen_link *row = &cluster->link[link];
    struct end end = loaded;
    if (row->identity != NONE && reads_each_time(cluster->identity[row->identity].load))
        end.chain = stored.chain;
    if (row->truster != NONE && reads_each_time(cluster->truster[row->truster].load))
        end.anchors = stored.anchors;
    return end;
}

struct end server_end(const struct gen_cluster *cluster, int link, struct end loaded,
                      struct end stored)
{
    const struct gen_service *to = &cluster->service[cluster->link[link].to];
    struct end end = loaded;
    if (reads_each_time(cluster->identity[to->listens].load))
        end.chain = stored.chain;
    if (to->truster != NONE && reads_each_time(cluster->truster[to->truster].load))
        end.anchors = stored.anchors;
    return end;
}

static struct end end_of(struct truth *truth, const struct gen_cluster *cluster,
                         const struct world *world, int identity, int truster, bool stored)
{
    struct end end = { NO_LIST, NO_LIST };
    if (identity != NONE)
        end.chain = stored ? world->stored[identity] : world->loaded[identity];
    if (truster != NONE)
        end.anchors =
            stored ? stored_trust(truth, cluster, world, truster) : world->trusted[truster];
    return end;
}

struct end world_client(struct truth *truth, const struct gen_cluster *cluster,
                        const struct world *world, int link, bool stored)
{
    const struct gen_link *row = &cluster->link[link];
    struct end end = end_of(truth, cluster, world, row->identity, row->truster, true);
    if (stored)
        return end;
    struct end loaded = end_of(truth, cluster, world, row->identity, row->truster, false);
    return client_end(cluster, link, loaded, end);
}

struct end world_server(struct truth *truth, const struct gen_cluster *cluster,
                        const struct world *world, int link, bool stored)
{
    const struct gen_service *to = &cluster->service[cluster->link[link].to];
    struct end end = end_of(truth, cluster, world, to->listens, to->truster, true);
    if (stored)
        return end;
    struct end loaded = end_of(truth, cluster, world, to->listens, to->truster, false);
    return server_end(cluster, link, loaded, end);
}

/* Whether the issuer signed the leaf, or an intermediate that follows it. */
static bool leads_to(const struct pool *pool, const struct gen_certs *chain, enum pool_ca issuer)
{
    for (uint32_t i = 0; i < chain->count; i++) {
        if (pool_issued_by(pool, chain->ids[i], issuer))
            return true;
        if (i + 1 == chain->count ||
            !pool_issued_by(pool, chain->ids[i], (enum pool_ca)chain->ids[i + 1]))
            return false;
    }
    return false;
}

bool is_due(const struct pool *pool, const struct gen_cluster *cluster, int identity)
{
    const struct gen_goal *goal = &cluster->goal;
    const struct gen_certs *stored = &cluster->identity[identity].stored;
    if (stored->count == 0)
        return false;
    return goal->renew_all || pool_end(pool, stored->ids[0]) - POOL_NOW < goal->renew_before ||
           (goal->replace && !leads_to(pool, stored, goal->issuer));
}
