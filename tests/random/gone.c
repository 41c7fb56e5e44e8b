/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/random/replay.h"

/*
 * After a change of issuer: what vouched for the certificates that are gone is in no store and in
 * no memory, but where a link needs it.
 */

static void leave_new(const struct replay *replay, bool *old)
{
    const struct gen_goal *goal = &replay->cluster->goal;
    old[goal->issuer] = old[pool_root(goal->issuer)] = false;
    for (uint32_t i = 0; i < goal->sent_along.count; i++)
        old[goal->sent_along.ids[i]] = false;
}

static void note_end(struct replay *replay, int identity, struct end sender, uint32_t anchors,
                     bool *old)
{
    if (identity == NONE || anchors == NO_LIST || sender.chain == NO_LIST ||
        !is_due(replay->truth->pool, replay->cluster, identity))
        return;
    truth_path(replay->truth, sender, anchors, old);
}

/* The CAs on the paths of all that is replaced, as it was stored. */
static void find_old(struct replay *replay, bool *old)
{
    const struct gen_cluster *cluster = replay->cluster;
    const struct world *start = &replay->worlds[0];
    for (int i = 0; i < cluster->links; i++) {
        struct end client = world_client(replay->truth, cluster, start, i, true);
        struct end server = world_server(replay->truth, cluster, start, i, true);
        note_end(replay, cluster->link[i].identity, client, server.anchors, old);
        note_end(replay, cluster->service[cluster->link[i].to].listens, server, client.anchors,
                 old);
    }
    leave_new(replay, old);
}

static bool holds_old(const struct replay *replay, uint32_t list, const bool *old)
{
    const struct gen_certs *anchors = truth_certs(replay->truth, list);
    for (uint32_t i = 0; i < anchors->count; i++)
        if (old[anchors->ids[i]])
            return true;
    return false;
}

static bool reads(const struct gen_cluster *cluster, int truster, int store)
{
    return truster != NONE && (cluster->truster[truster].stores[0] == store ||
                               cluster->truster[truster].stores[1] == store);
}

static void empty(struct replay *replay, struct world *world, int store, const bool *old)
{
    for (uint32_t ca = 0; ca < CA_COUNT; ca++)
        if (old[ca])
            world->anchors[store] = truth_without(replay->truth, world->anchors[store], ca);
}

static bool works(struct replay *replay, const struct world *world, int link)
{
    return truth_works(replay->truth, replay->cluster, link,
                       world_client(replay->truth, replay->cluster, world, link, true),
                       world_server(replay->truth, replay->cluster, world, link, true), NULL);
}

/* Whether the link would break if both of its ends' stores lost what is old. */
static bool needs_old(struct replay *replay, int link, const bool *old)
{
    const struct gen_cluster *cluster = replay->cluster;
    const struct world *end = &replay->worlds[replay->doc->waves.count];
    struct world without = *end;
    for (int i = 0; i < cluster->stores; i++)
        if (reads(cluster, cluster->link[link].truster, i) ||
            reads(cluster, cluster->service[cluster->link[link].to].truster, i))
            empty(replay, &without, i, old);
    return works(replay, end, link) && !works(replay, &without, link);
}

static bool is_needed(struct replay *replay, int store, const bool *old)
{
    const struct gen_cluster *cluster = replay->cluster;
    for (int i = 0; i < cluster->links; i++)
        if ((reads(cluster, cluster->link[i].truster, store) ||
             reads(cluster, cluster->service[cluster->link[i].to].truster, store)) &&
            needs_old(replay, i, old))
            return true;
    return false;
}

/* What is in a process's memory is in one of its stores too. */
static bool is_stored(const struct replay *replay, int truster, const bool *old)
{
    const struct world *end = &replay->worlds[replay->doc->waves.count];
    const struct gen_truster *row = &replay->cluster->truster[truster];
    bool left[CA_COUNT];
    for (int ca = 0; ca < CA_COUNT; ca++)
        left[ca] = old[ca];
    for (int k = 0; k < 2 && row->stores[k] != NONE; k++) {
        const struct gen_certs *anchors = truth_certs(replay->truth, end->anchors[row->stores[k]]);
        for (uint32_t i = 0; i < anchors->count; i++)
            left[anchors->ids[i]] = false;
    }
    return !holds_old(replay, end->trusted[truster], left);
}

bool check_gone(struct replay *replay)
{
    const struct gen_cluster *cluster = replay->cluster;
    const struct world *end = &replay->worlds[replay->doc->waves.count];
    bool old[CA_COUNT] = { false };
    if (!cluster->goal.replace || cluster->goal.keep_anchors)
        return true;
    find_old(replay, old);
    for (int i = 0; i < cluster->stores; i++)
        if (holds_old(replay, end->anchors[i], old) && !is_needed(replay, i, old))
            return replay_fail(replay, "an old anchor stays in a store and nobody needs it",
                               store_key(replay->arena, cluster, i));
    for (int i = 0; i < cluster->trusters; i++)
        if (cluster->truster[i].load >= LOADS_AT_RELOAD && !is_stored(replay, i, old))
            return replay_fail(replay, "an old anchor stays in the memory of a process",
                               truster_key(replay->arena, cluster, i));
    return true;
}
