/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/random/replay.h"

/* The cluster after the last wave. */

/* What the end holds others against when the goal is reached: what it has loaded and, where its
   peer is renewed, the issuer. */
static uint32_t final_anchors(const struct replay *replay, struct end now, int peer)
{
    const struct gen_cluster *cluster = replay->cluster;
    if (now.anchors == NO_LIST || peer == NONE || !is_due(replay->truth->pool, cluster, peer))
        return now.anchors;
    return truth_with(replay->truth, now.anchors, pool_root(cluster->goal.issuer));
}

/* Whether the link would work with what is stored to be presented, and the issuer trusted. */
static bool can_work(const struct replay *replay, int link)
{
    const struct gen_cluster *cluster = replay->cluster;
    struct truth *truth = replay->truth;
    const struct gen_link *row = &cluster->link[link];
    const struct world *end = &replay->worlds[replay->doc->waves.count];
    int listens = cluster->service[row->to].listens;
    struct end client = world_client(truth, cluster, end, link, false);
    struct end server = world_server(truth, cluster, end, link, false);
    client.chain = world_client(truth, cluster, end, link, true).chain;
    server.chain = world_server(truth, cluster, end, link, true).chain;
    client.anchors = final_anchors(replay, client, listens);
    server.anchors = final_anchors(replay, server, row->identity);
    return truth_works(truth, cluster, link, client, server, NULL);
}

static bool is_unrepaired(const struct doc *doc, int link)
{
    for (size_t i = 0; i < doc->unrepaired.count; i++)
        if (doc->unrepaired.items[i] == link)
            return true;
    return false;
}

static bool check_link(struct replay *replay, int link)
{
    const struct gen_cluster *cluster = replay->cluster;
    const struct world *end = &replay->worlds[replay->doc->waves.count];
    const char *why;
    str key = link_key(replay->arena, cluster, link);
    struct end client = world_client(replay->truth, cluster, end, link, false);
    struct end server = world_server(replay->truth, cluster, end, link, false);
    bool works = truth_works(replay->truth, cluster, link, client, server, &why);
    *replay->fault = (struct fault){ .link = link, .client = client, .server = server };
    str text = str_printf(replay->arena, "%.*s (%s)", STR_ARG(key), why);
    if (works == is_unrepaired(replay->doc, link))
        return replay_fail(replay,
                           works ? "a link is called unrepaired that works"
                                 : "a link does not work at the end, and the plan does not say so",
                           text);
    if (!works && can_work(replay, link))
        return replay_fail(replay, "a link does not work at the end that could", text);
    *replay->fault = (struct fault){ .link = NONE };
    return true;
}

static bool check_identity(struct replay *replay, int identity)
{
    const struct world *end = &replay->worlds[replay->doc->waves.count];
    str key = identity_key(replay->arena, replay->cluster, identity);
    if (!is_due(replay->truth->pool, replay->cluster, identity))
        return true;
    if (end->stored[identity] == replay->worlds[0].stored[identity])
        return replay_fail(replay, "an identity that is due is not renewed", key);
    enum load load = replay->cluster->identity[identity].load;
    if (load != LOADS_PER_CONNECTION && end->loaded[identity] != end->stored[identity])
        return replay_fail(replay, "a renewed identity is not loaded", key);
    return true;
}

bool check_end(struct replay *replay)
{
    for (int i = 0; i < replay->cluster->identities; i++)
        if (!check_identity(replay, i))
            return false;
    for (int i = 0; i < replay->cluster->links; i++)
        if (!check_link(replay, i))
            return false;
    return true;
}
