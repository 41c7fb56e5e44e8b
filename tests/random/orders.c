/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/random/orders.h"

#include <openssl/sha.h>

#include <string.h>

/* More services have too many orders to try them all: some of them are. */
enum {
    MAX_MOVES = MAX_STORES + MAX_IDENTITIES + MAX_SERVICES,
    MAX_STATES = 400 * 1000,
    SOME_STATES = 10 * 1000
};

struct search {
    struct replay *replay;
    struct arena *arena;
    bool watched[MAX_LINKS]; /* must hold what it promises */
    struct promise promises[MAX_LINKS];
    struct doc_step moves[MAX_MOVES];
    int count;
    struct map seen;
    uint32_t limit; /* of states */
    int_list path;  /* moves */
};

static bool watches_store(const struct search *search, int store)
{
    const struct gen_cluster *cluster = search->replay->cluster;
    for (int i = 0; i < cluster->links; i++) {
        int trusters[] = { cluster->link[i].truster,
                           cluster->service[cluster->link[i].to].truster };
        for (size_t k = 0; k < COUNT(trusters) && search->watched[i]; k++)
            if (trusters[k] != NONE && (cluster->truster[trusters[k]].stores[0] == store ||
                                        cluster->truster[trusters[k]].stores[1] == store))
                return true;
    }
    return false;
}

static bool watches_identity(const struct search *search, int identity)
{
    const struct gen_cluster *cluster = search->replay->cluster;
    for (int i = 0; i < cluster->links; i++)
        if (search->watched[i] && (cluster->link[i].identity == identity ||
                                   cluster->service[cluster->link[i].to].listens == identity))
            return true;
    return false;
}

static bool watches_service(const struct search *search, int service)
{
    const struct gen_cluster *cluster = search->replay->cluster;
    for (int i = 0; i < cluster->links; i++)
        if (search->watched[i] && cluster->service[service].process == service &&
            (cluster->service[cluster->link[i].from].process == service ||
             cluster->service[cluster->link[i].to].process == service))
            return true;
    return false;
}

static void add_move(struct search *search, enum act act, int service, int identity, int store,
                     uint32_t cert)
{
    struct arena *arena = search->arena;
    const struct gen_cluster *cluster = search->replay->cluster;
    struct doc_step *move = &search->moves[search->count++];
    *move = (struct doc_step){ .act = act,
                               .service = service,
                               .identity = identity,
                               .store = store,
                               .cert = cert,
                               .in_place = true };
    move->text = act == ACT_trust
                     ? str_printf(arena, "trust in %s", store_key(arena, cluster, store).ptr)
                 : act == ACT_install
                     ? str_printf(arena, "put %s", identity_key(arena, cluster, identity).ptr)
                     : str_printf(arena, "load %s", service_key(arena, cluster, service).ptr);
}

static uint32_t new_cert(const struct search *search, int identity)
{
    const struct gen_cluster *cluster = search->replay->cluster;
    return pool_reissue(search->replay->truth->pool, cluster->identity[identity].stored.ids[0],
                        cluster->goal.issuer, true, cluster->goal.lifetime);
}

/* In the order in which a good planner would try them: that finds an order soon where there is one.
 */
static void find_moves(struct search *search)
{
    const struct gen_cluster *cluster = search->replay->cluster;
    search->count = 0;
    for (int i = 0; i < cluster->stores; i++)
        if (watches_store(search, i))
            add_move(search, ACT_trust, NONE, NONE, i, pool_root(cluster->goal.issuer));
    for (int i = 0; i < cluster->services; i++)
        if (watches_service(search, i))
            add_move(search, ACT_refresh, i, NONE, NONE, NO_CERT);
    for (int i = 0; i < cluster->identities; i++)
        if (watches_identity(search, i) && is_due(search->replay->truth->pool, cluster, i))
            add_move(search, ACT_install, NONE, i, NONE, new_cert(search, i));
}

static bool link_holds(const struct search *search, const struct world *world, int link)
{
    struct truth *truth = search->replay->truth;
    const struct gen_cluster *cluster = search->replay->cluster;
    const struct promise *promise = &search->promises[link];
    const struct gen_link *row = &cluster->link[link];
    bool one = cluster->service[row->from].process == cluster->service[row->to].process;
    for (int mix = 0; mix < (promise->restarting ? 4 : 1); mix += one ? 3 : 1)
        if (!truth_works(truth, cluster, link,
                         world_client(truth, cluster, world, link, (mix & 1) != 0),
                         world_server(truth, cluster, world, link, (mix & 2) != 0), NULL))
            return false;
    return true;
}

static bool all_hold(const struct search *search, const struct world *world)
{
    for (int i = 0; i < search->replay->cluster->links; i++)
        if (search->watched[i] && search->promises[i].running && !link_holds(search, world, i))
            return false;
    return true;
}

/* Every certificate that is due is in its place and loaded. */
static bool is_reached(const struct search *search, const struct world *world)
{
    const struct gen_cluster *cluster = search->replay->cluster;
    for (int i = 0; i < search->count; i++) {
        const struct doc_step *move = &search->moves[i];
        if (move->act != ACT_install)
            continue;
        uint32_t chain = renewed_chain(search->replay->truth, cluster, move->cert);
        bool loads = cluster->identity[move->identity].load != LOADS_PER_CONNECTION;
        if (world->stored[move->identity] != chain ||
            (loads && world->loaded[move->identity] != chain))
            return false;
    }
    return true;
}

static bool is_new(struct search *search, const struct world *world)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)world, sizeof(*world), digest);
    uint32_t fresh = search->seen.count;
    return map_put(&search->seen, (str){ (const char *)digest, 16 }, fresh) == fresh;
}

static enum orders try_from(struct search *search, const struct world *world)
{
    if (is_reached(search, world))
        return ORDERS_SAFE;
    enum orders answer = ORDERS_NONE;
    for (int i = 0; i < search->count; i++) {
        struct world next = *world;
        world_step(search->replay->truth, search->replay->cluster, &next, &search->moves[i]);
        if (memcmp(&next, world, sizeof(next)) == 0 || !is_new(search, &next) ||
            !all_hold(search, &next))
            continue;
        if (search->seen.count > search->limit)
            return ORDERS_TOO_MANY;
        list_push(search->arena, &search->path) = i;
        answer = try_from(search, &next);
        if (answer != ORDERS_NONE)
            return answer;
        search->path.count--;
    }
    return answer;
}

/* The order that was found, held against restarts at any moment like any plan. */
static bool walks(struct search *search)
{
    struct replay *replay = search->replay, again = *replay;
    struct doc doc = { .arena = search->arena, .cluster = replay->cluster };
    struct fault fault;
    again.doc = &doc;
    again.fault = &fault;
    again.worlds = arena_alloc(search->arena, search->path.count + 1, sizeof(struct world));
    again.worlds[0] = replay->worlds[0];
    for (size_t i = 0; i < search->path.count; i++) {
        struct doc_wave wave = { 0 };
        list_push(search->arena, &doc.steps) = search->moves[search->path.items[i]];
        list_push(search->arena, &wave.steps) = (int)i;
        list_push(search->arena, &doc.waves) = wave;
        again.worlds[i + 1] = again.worlds[i];
        world_step(replay->truth, replay->cluster, &again.worlds[i + 1], &doc.steps.items[i]);
    }
    return walk_links(&again);
}

static enum orders search_all(struct search *search)
{
    find_moves(search);
    search->seen = (struct map){ .arena = search->arena };
    search->path.count = 0;
    return try_from(search, &search->replay->worlds[0]);
}

static void promise_all(struct search *search)
{
    const struct replay *replay = search->replay;
    for (int i = 0; i < replay->cluster->links; i++)
        search->promises[i] = link_promise(replay->truth, replay->cluster, &replay->worlds[0], i);
}

static bool is_admitted(const struct doc *doc, int link)
{
    for (size_t i = 0; i < doc->waves.count; i++) {
        const int_list *lists[] = { &doc->waves.items[i].refused, &doc->waves.items[i].broken };
        for (size_t k = 0; k < COUNT(lists); k++)
            for (size_t n = 0; n < lists[k]->count; n++)
                if (lists[k]->items[n] == link)
                    return true;
    }
    return false;
}

static str path_words(const struct search *search, struct arena *arena)
{
    struct buf out = { 0 };
    buf_add(arena, &out, S("this is safe: "));
    for (size_t i = 0; i < search->path.count; i++)
        buf_printf(arena, &out, "%s%s", i == 0 ? "" : ", ",
                   search->moves[search->path.items[i]].text.ptr);
    return buf_str(&out);
}

enum orders orders_search(struct replay *replay, str *ret_text)
{
    AUTO(arena) struct arena scratch = { 0 };
    struct search *search = arena_new(&scratch, struct search);
    *search = (struct search){ .replay = replay, .arena = &scratch };
    search->limit = replay->cluster->services > FEW_SERVICES ? SOME_STATES : MAX_STATES;
    promise_all(search);
    for (int i = 0; i < replay->cluster->links; i++) {
        if (!is_admitted(replay->doc, i))
            continue;
        search->watched[i] = true;
        if (search_all(search) == ORDERS_NONE)
            return ORDERS_NONE;
        search->watched[i] = false;
    }
    for (int i = 0; i < replay->cluster->links; i++)
        search->watched[i] = true;
    enum orders answer = search_all(search);
    if (answer == ORDERS_SAFE && !walks(search))
        return ORDERS_TOO_MANY;
    if (answer == ORDERS_SAFE)
        *ret_text = path_words(search, replay->arena);
    return answer;
}
