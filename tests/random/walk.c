/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/random/replay.h"

/*
 * A link's states form a small graph: which steps of the wave are done, and what each of its two
 * services had loaded. A step or a restart leads from one to the next; all that can be reached is
 * judged.
 */

enum { MAX_RELEVANT = 16 };

struct point {
    uint32_t done;             /* bits of `steps` */
    struct end client, server; /* as loaded */
};
typedef struct {
    LIST(struct point) all;
    struct map known;
} point_set;

struct walk {
    struct replay *replay;
    int link;
    bool restarts;
    struct arena *arena;
    const struct doc_step *steps[MAX_RELEVANT]; /* of the wave at hand, that matter to the link */
    int count;
    const struct world *world; /* before the wave */
    bool outage;
};

static bool reads_store(const struct gen_cluster *cluster, int truster, int store)
{
    return truster != NONE && (cluster->truster[truster].stores[0] == store ||
                               cluster->truster[truster].stores[1] == store);
}

static bool loads(const struct gen_cluster *cluster, const struct doc_step *step, int service)
{
    return step->act == ACT_refresh &&
           cluster->service[step->service].process == cluster->service[service].process;
}

static bool matters(const struct gen_cluster *cluster, int id, const struct doc_step *step)
{
    const struct gen_link *link = &cluster->link[id];
    const struct gen_service *to = &cluster->service[link->to];
    switch (step->act) {
    case ACT_trust:
    case ACT_distrust:
        return reads_store(cluster, link->truster, step->store) ||
               reads_store(cluster, to->truster, step->store);
    case ACT_install:
        if (!step->in_place)
            return false;
        return step->identity == link->identity || step->identity == to->listens;
    case ACT_switch:
        return step->identity == link->identity || step->identity == to->listens;
    case ACT_refresh:
        return loads(cluster, step, link->from) || loads(cluster, step, link->to);
    case ACT_snapshot:
    case ACT_issue:
    case ACT_hold:
    case ACT_verify:
    case ACT_COUNT:
        break;
    }
    return false;
}

static void add_point(struct walk *walk, point_set *points, struct point point)
{
    uint32_t fresh = (uint32_t)points->all.count;
    points->known.arena = walk->arena;
    if (map_put(&points->known, (str){ (const char *)&point, sizeof(point) }, fresh) == fresh)
        list_push(walk->arena, &points->all) = point;
}

struct stored {
    struct end client, server;
};

static struct stored stored_at(const struct walk *walk, uint32_t done)
{
    struct truth *truth = walk->replay->truth;
    const struct gen_cluster *cluster = walk->replay->cluster;
    struct world world = *walk->world;
    for (int i = 0; i < walk->count; i++)
        if ((done >> i & 1) != 0 && walk->steps[i]->act != ACT_refresh)
            world_step(truth, cluster, &world, walk->steps[i]);
    return (struct stored){ world_client(truth, cluster, &world, walk->link, true),
                            world_server(truth, cluster, &world, walk->link, true) };
}

static void go_on(struct walk *walk, point_set *points, struct point point, struct stored stored)
{
    const struct gen_cluster *cluster = walk->replay->cluster;
    const struct gen_link *link = &cluster->link[walk->link];
    if (walk->restarts &&
        cluster->service[link->from].process == cluster->service[link->to].process) {
        add_point(walk, points, (struct point){ point.done, stored.client, stored.server });
    } else if (walk->restarts) {
        add_point(walk, points, (struct point){ point.done, stored.client, point.server });
        add_point(walk, points, (struct point){ point.done, point.client, stored.server });
    }
    for (int i = 0; i < walk->count; i++) {
        struct point next = point;
        if ((point.done >> i & 1) != 0)
            continue;
        next.done |= 1u << i;
        if (loads(cluster, walk->steps[i], link->from))
            next.client = stored.client;
        if (loads(cluster, walk->steps[i], link->to))
            next.server = stored.server;
        add_point(walk, points, next);
    }
}

static str place(const struct walk *walk, size_t wave, struct point point)
{
    struct arena *arena = walk->replay->arena;
    struct buf out = { 0 };
    buf_printf(arena, &out, "in wave %zu", wave + 1);
    for (int i = 0; i < walk->count; i++)
        buf_printf(arena, &out, "%s %s: %.*s", i == 0 ? "," : ";",
                   (point.done >> i & 1) != 0 ? "done" : "not done", STR_ARG(walk->steps[i]->text));
    return buf_str(&out);
}

static bool judge_point(struct walk *walk, size_t wave, struct point point, struct stored stored)
{
    struct replay *replay = walk->replay;
    const char *why;
    struct end client = client_end(replay->cluster, walk->link, point.client, stored.client);
    struct end server = server_end(replay->cluster, walk->link, point.server, stored.server);
    replay->states++;
    if (walk->outage ||
        truth_works(replay->truth, replay->cluster, walk->link, client, server, &why))
        return true;
    *replay->fault = (struct fault){ "a link that works breaks", .link = walk->link,
                                     .client = client, .server = server };
    replay->fault->text = str_printf(replay->arena, "%.*s (%s) %.*s",
                                     STR_ARG(link_key(replay->arena, replay->cluster, walk->link)),
                                     why, STR_ARG(place(walk, wave, point)));
    return false;
}

static void enter_wave(struct walk *walk, size_t wave)
{
    const struct doc *doc = walk->replay->doc;
    const struct doc_wave *row = &doc->waves.items[wave];
    walk->world = &walk->replay->worlds[wave];
    walk->count = 0;
    walk->outage = false;
    for (size_t i = 0; i < row->refused.count; i++)
        walk->outage = walk->outage || row->refused.items[i] == walk->link;
    for (size_t i = 0; i < row->steps.count; i++) {
        const struct doc_step *step = &doc->steps.items[row->steps.items[i]];
        if (!matters(walk->replay->cluster, walk->link, step))
            continue;
        must(walk->count < MAX_RELEVANT);
        walk->steps[walk->count++] = step;
    }
}

/* From the points before the wave to those after it. */
static bool walk_wave(struct walk *walk, size_t wave, point_set *points)
{
    point_set reached = { 0 };
    enter_wave(walk, wave);
    if (walk->count == 0)
        return true;
    for (size_t i = 0; i < points->all.count; i++)
        add_point(walk, &reached,
                  (struct point){ 0, points->all.items[i].client, points->all.items[i].server });
    *points = (point_set){ 0 };
    for (size_t i = 0; i < reached.all.count; i++) {
        struct point point = reached.all.items[i];
        struct stored stored = stored_at(walk, point.done);
        if (!judge_point(walk, wave, point, stored))
            return false;
        go_on(walk, &reached, point, stored);
        if (point.done + 1 == 1u << walk->count)
            add_point(walk, points, point);
    }
    return true;
}

static bool walk_link(struct replay *replay, int link, bool restarts)
{
    AUTO(arena) struct arena scratch = { 0 };
    struct walk walk = { .replay = replay, .link = link, .restarts = restarts, .arena = &scratch };
    point_set points = { 0 };
    const struct world *start = &replay->worlds[0];
    add_point(&walk, &points,
              (struct point){ 0, world_client(replay->truth, replay->cluster, start, link, false),
                              world_server(replay->truth, replay->cluster, start, link, false) });
    for (size_t wave = 0; wave < replay->doc->waves.count; wave++)
        if (!walk_wave(&walk, wave, &points))
            return false;
    return true;
}

struct promise link_promise(struct truth *truth, const struct gen_cluster *cluster,
                            const struct world *start, int link)
{
    struct promise promise = { .running = true, .restarting = true };
    const struct gen_link *row = &cluster->link[link];
    bool one = cluster->service[row->from].process == cluster->service[row->to].process;
    for (int mix = 0; mix < 4; mix += one ? 3 : 1) {
        struct end client = world_client(truth, cluster, start, link, (mix & 1) != 0);
        struct end server = world_server(truth, cluster, start, link, (mix & 2) != 0);
        bool works = truth_works(truth, cluster, link, client, server, NULL);
        promise.running = promise.running && (works || mix > 0);
        promise.restarting = promise.restarting && works;
    }
    return promise;
}

bool walk_links(struct replay *replay)
{
    for (int link = 0; link < replay->cluster->links; link++) {
        struct promise promise =
            link_promise(replay->truth, replay->cluster, &replay->worlds[0], link);
        if (promise.running && !walk_link(replay, link, promise.restarting))
            return false;
    }
    return true;
}
