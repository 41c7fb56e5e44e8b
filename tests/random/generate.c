/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/random/cluster.h"

#include <stdio.h>

/* What a cluster has more or less of, so that clusters differ and not only their parts. */
struct style {
    unsigned messy;      /* percent: things left half done, broken or missing */
    unsigned references; /* percent of identities with a reference */
    unsigned other_ca;   /* percent of leaves that are not by the main CA */
    enum pool_ca main_ca;
    enum age { AGE_DUE, AGE_MIXED, AGE_ENDED, AGE_FRESH, AGE_COUNT } age;
    unsigned groups;
    unsigned size; /* services at the most */
};

/* Percent of what is half done that would break a link if it were loaded. */
enum { HARMFUL = 0 };

/* The keys that one store goes through, of which each node has two. */
enum { KEYS_EACH = 8 };

struct maker {
    uint64_t state;
    struct pool *pool;
    struct gen_cluster *cluster;
    struct style style;
};

/* splitmix64 */
static uint64_t draw(struct maker *maker)
{
    uint64_t z = maker->state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static unsigned below(struct maker *maker, unsigned limit)
{
    return (unsigned)(draw(maker) % limit);
}

static bool chance(struct maker *maker, unsigned percent)
{
    return below(maker, 100) < percent;
}

/* `usual` percent, or more in a messy cluster. */
static bool mishap(struct maker *maker, unsigned usual, unsigned messy)
{
    return chance(maker, maker->style.messy > 0 ? messy : usual);
}

#define PICK(maker, ...)                           \
    (__extension__({                               \
        static const int of_[] = { __VA_ARGS__ };  \
        of_[below((maker), (unsigned)COUNT(of_))]; \
    }))

static void add_id(struct gen_certs *certs, uint32_t id)
{
    for (uint32_t i = 0; i < certs->count; i++)
        if (certs->ids[i] == id)
            return;
    if (certs->count < MAX_ANCHORS)
        certs->ids[certs->count++] = id;
}

static bool has_id(const struct gen_certs *certs, uint32_t id)
{
    for (uint32_t i = 0; i < certs->count; i++)
        if (certs->ids[i] == id)
            return true;
    return false;
}

static struct style make_style(struct maker *maker)
{
    struct style style = { .messy = chance(maker, 35) ? 1 : 0 };
    style.references = (unsigned)PICK(maker, 100, 100, 100, 0, 50);
    style.other_ca = (unsigned)PICK(maker, 0, 0, 10, 40);
    style.main_ca = (enum pool_ca)PICK(maker, CA_ROOT_A, CA_ROOT_A, CA_ROOT_A, CA_ISSUING_A,
                                       CA_ROOT_B, CA_TWIN_A, CA_ISSUING_B);
    style.age = (enum age)PICK(maker, AGE_DUE, AGE_DUE, AGE_MIXED, AGE_MIXED, AGE_MIXED, AGE_FRESH,
                               AGE_ENDED);
    style.groups = (unsigned)PICK(maker, 0, 0, 1, 2);
    style.size = chance(maker, 80) ? 2 + below(maker, 7) : 9 + below(maker, MAX_SERVICES - 8);
    return style;
}

static struct gen_goal make_goal(struct maker *maker)
{
    struct gen_goal goal = { .renew_before = 30 * POOL_DAY, .lifetime = 90 * POOL_DAY };
    goal.issuer = pool_root(maker->style.main_ca);
    if (chance(maker, 50))
        goal.issuer = (enum pool_ca)PICK(maker, CA_ROOT_A, CA_ROOT_B, CA_ROOT_C, CA_TWIN_A,
                                         CA_AGAIN_A, CA_ENDING);
    if (chance(maker, 20))
        goal.issuer = (enum pool_ca)PICK(maker, CA_ISSUING_A, CA_ISSUING_B);
    if (pool_root(goal.issuer) != goal.issuer)
        add_id(&goal.sent_along, goal.issuer);
    if (goal.issuer == CA_ROOT_B && chance(maker, 30))
        add_id(&goal.sent_along, CA_CROSS_B);
    goal.replace = chance(maker, 40);
    goal.keep_anchors = chance(maker, 10);
    goal.renew_all = chance(maker, maker->style.age == AGE_FRESH ? 60 : 20);
    goal.keep_key = chance(maker, 20);
    goal.max_unavailable = (uint32_t)PICK(maker, 1, 1, 1, 2, 3, 0);
    return goal;
}

static void set_age(struct maker *maker, struct leaf *leaf)
{
    enum age age = maker->style.age;
    if (age == AGE_MIXED)
        age = (enum age)PICK(maker, AGE_DUE, AGE_FRESH, AGE_FRESH, AGE_ENDED);
    if (mishap(maker, 0, 5))
        age = (enum age)below(maker, AGE_COUNT);
    int ends = age == AGE_DUE ? 10 : age == AGE_ENDED ? -1 : 80;
    leaf->not_after = POOL_NOW + ends * POOL_DAY;
    leaf->not_before = leaf->not_after - 90 * POOL_DAY;
    if (mishap(maker, 0, 1))
        leaf->not_before = POOL_NOW + POOL_DAY, leaf->not_after = POOL_NOW + 91 * POOL_DAY;
}

static enum pool_ca leaf_issuer(struct maker *maker)
{
    if (!chance(maker, maker->style.other_ca))
        return maker->style.main_ca;
    return (enum pool_ca)PICK(maker, CA_ROOT_A, CA_ROOT_B, CA_ROOT_C, CA_TWIN_A, CA_ISSUING_A,
                              CA_ISSUING_B, CA_ENDING, CA_AGAIN_A);
}

/* The leaf, and what is sent with it. */
static struct gen_certs make_chain(struct maker *maker, const struct leaf *leaf)
{
    struct gen_certs chain = { 0 };
    add_id(&chain, pool_leaf(maker->pool, leaf));
    enum pool_ca issuer = (enum pool_ca)leaf->issuer;
    bool between = pool_root(issuer) != issuer;
    if (between && chance(maker, 65))
        add_id(&chain, issuer);
    if (issuer == CA_ROOT_B && chance(maker, 15))
        add_id(&chain, CA_CROSS_B);
    if (chance(maker, 5))
        add_id(&chain, pool_root(issuer));
    return chain;
}

static int add_identity(struct maker *maker, int service, const char *store, const char *name,
                        enum load load)
{
    struct gen_cluster *cluster = maker->cluster;
    int id = cluster->identities++;
    struct gen_identity *identity = &cluster->identity[id];
    struct leaf leaf = { .issuer = leaf_issuer(maker) };
    *identity = (struct gen_identity){ .service = service, .load = load };
    identity->reference = chance(maker, maker->style.references);
    identity->one_file = !identity->reference && chance(maker, 30);
    snprintf(identity->store, sizeof(identity->store), "%s", store);
    snprintf(leaf.name, sizeof(leaf.name), "%s", name);
    bool client = store[0] == 'c';
    int node = cluster->service[service].node + 1;
    leaf.key = (uint32_t)(2 * KEYS_EACH * node + (client ? KEYS_EACH : 0));
    if (!client)
        snprintf(leaf.san, sizeof(leaf.san), "DNS:n%d.example%s", node,
                 node % 4 == 0 ? ",IP:127.0.0.1" : "");
    leaf.usage = node % 3 == 0 ? USAGE_ANY : USAGE_BOTH;
    if (chance(maker, 10) && store[0] != 'p') /* a peer needs both */
        leaf.usage = client ? USAGE_CLIENT : USAGE_SERVER;
    if (mishap(maker, 0, 2))
        leaf.usage = below(maker, USAGE_COUNT);
    set_age(maker, &leaf);
    identity->stored = identity->loaded = make_chain(maker, &leaf);
    bool apart = load != LOADS_PER_CONNECTION;
    if (apart && mishap(maker, 4, 15)) {
        struct leaf newer = leaf;
        if (chance(maker, HARMFUL))
            newer.issuer = leaf_issuer(maker);
        newer.not_before = POOL_NOW - 3600;
        newer.not_after = POOL_NOW + 90 * POOL_DAY;
        newer.key += chance(maker, 50) ? 1 : 0;
        identity->stored.ids[0] = pool_leaf(maker->pool, &newer);
        if (chance(maker, HARMFUL))
            identity->stored = make_chain(maker, &newer);
    }
    if (apart && mishap(maker, 0, HARMFUL / 4))
        identity->stored = (struct gen_certs){ 0 };
    return id;
}

/* The trust stores of a node: one, or two. */
static int node_store(struct maker *maker, int node)
{
    struct gen_cluster *cluster = maker->cluster;
    int found[2], count = 0;
    for (int i = 0; i < cluster->stores; i++)
        if (cluster->store[i].node == node && count < 2)
            found[count++] = i;
    if (count > 0 && (count == 2 || !chance(maker, 25)))
        return found[below(maker, (unsigned)count)];
    int id = cluster->stores++;
    cluster->store[id] = (struct gen_store){ .node = node };
    snprintf(cluster->store[id].name, sizeof(cluster->store[id].name), "trust%d", count + 1);
    return id;
}

static int add_truster(struct maker *maker, int service, const char *use, enum load load)
{
    struct gen_cluster *cluster = maker->cluster;
    int node = cluster->service[service].node, id = cluster->trusters++;
    struct gen_truster *truster = &cluster->truster[id];
    *truster = (struct gen_truster){ .service = service, .load = load };
    truster->stores[0] = node_store(maker, node);
    truster->stores[1] = chance(maker, 15) ? node_store(maker, node) : NONE;
    if (truster->stores[1] == truster->stores[0])
        truster->stores[1] = NONE;
    snprintf(truster->use, sizeof(truster->use), "%s", use);
    return id;
}

static enum load server_load(struct maker *maker)
{
    return (enum load)PICK(maker, LOADS_AT_RELOAD, LOADS_AT_RELOAD, LOADS_AT_RELOAD, LOADS_AT_START,
                           LOADS_PER_CONNECTION);
}

static int add_service(struct maker *maker, const char *kind, int node)
{
    struct gen_cluster *cluster = maker->cluster;
    int id = cluster->services++;
    cluster->service[id] =
        (struct gen_service){ .node = node, .listens = NONE, .truster = NONE, .process = id };
    cluster->service[id].group = (int)below(maker, maker->style.groups + 1);
    snprintf(cluster->service[id].name, sizeof(cluster->service[id].name), "%s%d", kind, id + 1);
    return id;
}

static int some_node(struct maker *maker)
{
    struct gen_cluster *cluster = maker->cluster;
    if (cluster->nodes == MAX_NODES || (cluster->nodes > 0 && chance(maker, 30)))
        return (int)below(maker, (unsigned)cluster->nodes);
    return cluster->nodes++;
}

/* A server; a peer presents the same certificate to servers of its own kind. */
static int add_server(struct maker *maker, bool peer)
{
    struct gen_cluster *cluster = maker->cluster;
    int id = add_service(maker, peer ? "peer" : "db", some_node(maker));
    struct gen_service *service = &cluster->service[id];
    char store[TEXT], name[TEXT];
    snprintf(store, sizeof(store), "%s%d", peer ? "peer" : "server", id + 1);
    snprintf(name, sizeof(name), "n%d.example", service->node + 1);
    service->listens = add_identity(maker, id, store, name, server_load(maker));
    service->asks =
        (enum client_auth_kind)PICK(maker, ASKS_NONE, ASKS_OPTIONAL, ASKS_REQUIRED, ASKS_REQUIRED);
    if (peer || service->asks != ASKS_NONE || chance(maker, 60))
        service->truster = add_truster(maker, id, "clients", server_load(maker));
    return id;
}

static void add_link(struct maker *maker, int from, int to, int identity, int truster)
{
    struct gen_cluster *cluster = maker->cluster;
    if (cluster->links == MAX_LINKS)
        return;
    struct gen_link link = { .from = from, .to = to, .identity = identity };
    link.verify =
        (enum verify_kind)PICK(maker, VERIFIES_NAME, VERIFIES_NAME, VERIFIES_CA, VERIFIES_NONE);
    link.truster = link.verify == VERIFIES_NONE ? NONE : truster;
    snprintf(link.name, sizeof(link.name), "n%d.example",
             cluster->service[to].node + (mishap(maker, 0, 3) ? 2 : 1));
    if (identity != NONE) {
        const struct gen_certs *stored = &cluster->identity[identity].stored;
        if (stored->count > 0)
            snprintf(link.user, sizeof(link.user), "%s",
                     pool_cert(maker->pool, stored->ids[0])->leaf.name);
    }
    if (mishap(maker, 0, 3))
        snprintf(link.user, sizeof(link.user), "nobody");
    link.user_is_cn = cluster->service[to].truster != NONE &&
                      cluster->service[to].asks == ASKS_REQUIRED && chance(maker, 40);
    cluster->link[cluster->links++] = link;
}

/* A standby: a server that connects to another with a certificate of its own. */
static void follow(struct maker *maker, int service, int primary)
{
    char store[TEXT];
    snprintf(store, sizeof(store), "client%d", service + 1);
    int identity = NONE;
    if (chance(maker, 85))
        identity = add_identity(maker, service, store, "postgres", LOADS_PER_SESSION);
    int truster = add_truster(maker, service, "upstream", LOADS_PER_SESSION);
    add_link(maker, service, primary, identity, truster);
}

static int add_client(struct maker *maker)
{
    int id = add_service(maker, "app", some_node(maker));
    char store[TEXT];
    snprintf(store, sizeof(store), "client%d", id + 1);
    enum load load = (enum load)PICK(maker, LOADS_PER_CONNECTION, LOADS_PER_CONNECTION,
                                     LOADS_AT_RELOAD, LOADS_AT_START);
    int identity = NONE;
    if (chance(maker, 80))
        identity = add_identity(maker, id, store, "app", load);
    int truster = add_truster(maker, id, "servers", load);
    unsigned servers = 0;
    for (int to = 0; to < maker->cluster->services; to++)
        if (maker->cluster->service[to].listens != NONE && (servers == 0 || chance(maker, 40))) {
            add_link(maker, id, to, identity, truster);
            servers++;
        }
    return id;
}

static void replication(struct maker *maker)
{
    struct gen_cluster *cluster = maker->cluster;
    unsigned servers = 1 + below(maker, maker->style.size);
    for (unsigned i = 0; i < servers; i++) {
        int id = add_server(maker, false);
        cluster->service[id].role = i == 0 ? ROLE_PRIMARY : ROLE_REPLICA;
        if (i > 0)
            follow(maker, id, chance(maker, 85) ? 0 : (int)below(maker, i));
    }
}

static void mesh(struct maker *maker)
{
    struct gen_cluster *cluster = maker->cluster;
    unsigned peers = 1 + below(maker, maker->style.size > 6 ? 6 : maker->style.size);
    for (unsigned i = 0; i < peers; i++)
        add_server(maker, true);
    for (int from = 0; from < cluster->services; from++)
        for (int to = 0; to < cluster->services; to++)
            if (from != to && chance(maker, 85))
                add_link(maker, from, to, cluster->service[from].listens,
                         cluster->service[from].truster);
}

static void tiers(struct maker *maker)
{
    struct gen_cluster *cluster = maker->cluster;
    unsigned servers = 1 + below(maker, maker->style.size);
    for (unsigned i = 0; i < servers; i++) {
        int id = add_server(maker, chance(maker, 30));
        if (i > 0 && chance(maker, 60)) {
            int truster = cluster->service[id].truster;
            if (truster == NONE || chance(maker, 50))
                truster = add_truster(maker, id, "onward", server_load(maker));
            add_link(maker, id, (int)below(maker, i),
                     chance(maker, 60) ? cluster->service[id].listens : NONE, truster);
        }
    }
}

/* Services of a node that the same command makes load. */
static void join_processes(struct maker *maker)
{
    struct gen_cluster *cluster = maker->cluster;
    if (!chance(maker, 25))
        return;
    for (int i = 1; i < cluster->services; i++)
        for (int k = 0; k < i; k++) {
            struct gen_service *service = &cluster->service[i], *first = &cluster->service[k];
            if (service->process != i || first->process != k || service->node != first->node ||
                service->role != ROLE_NONE || first->role != ROLE_NONE || chance(maker, 50))
                continue;
            service->process = k;
            service->group = first->group;
        }
}

static void need(struct maker *maker, int truster, const struct gen_certs *chain)
{
    struct gen_cluster *cluster = maker->cluster;
    if (truster == NONE || chain->count == 0 || mishap(maker, 0, 5))
        return;
    enum pool_ca issuer = (enum pool_ca)pool_cert(maker->pool, chain->ids[0])->leaf.issuer;
    enum pool_ca root = pool_root(issuer);
    if (has_id(chain, CA_CROSS_B) && chance(maker, 60))
        root = CA_ROOT_A;
    const struct gen_truster *row = &cluster->truster[truster];
    int store = row->stores[row->stores[1] != NONE && chance(maker, 50) ? 1 : 0];
    add_id(&cluster->store[store].anchors, root);
}

/* OpenSSL completes a lone leaf from the sender's own trust store. */
static void complete(struct maker *maker, int truster, const struct gen_certs *chain)
{
    if (truster == NONE || chain->count != 1 || mishap(maker, 0, 10))
        return;
    enum pool_ca issuer = (enum pool_ca)pool_cert(maker->pool, chain->ids[0])->leaf.issuer;
    if (pool_root(issuer) != issuer)
        add_id(&maker->cluster->store[maker->cluster->truster[truster].stores[0]].anchors, issuer);
}

static void make_trust(struct maker *maker)
{
    struct gen_cluster *cluster = maker->cluster;
    for (int i = 0; i < cluster->links; i++) {
        const struct gen_link *link = &cluster->link[i];
        const struct gen_service *to = &cluster->service[link->to];
        const struct gen_identity *server = &cluster->identity[to->listens];
        need(maker, link->truster, &server->loaded);
        need(maker, link->truster, &server->stored);
        complete(maker, to->truster, &server->stored);
        complete(maker, to->truster, &server->loaded);
        if (link->identity == NONE)
            continue;
        const struct gen_identity *client = &cluster->identity[link->identity];
        need(maker, to->truster, &client->loaded);
        need(maker, to->truster, &client->stored);
        complete(maker, link->truster, &client->stored);
        complete(maker, link->truster, &client->loaded);
    }
    for (int i = 0; i < cluster->stores; i++)
        if (chance(maker, 15))
            add_id(&cluster->store[i].anchors, below(maker, CA_COUNT));
}

static void load_trust(struct maker *maker)
{
    struct gen_cluster *cluster = maker->cluster;
    for (int i = 0; i < cluster->trusters; i++) {
        struct gen_truster *truster = &cluster->truster[i];
        for (int k = 0; k < 2 && truster->stores[k] != NONE; k++) {
            const struct gen_certs *anchors = &cluster->store[truster->stores[k]].anchors;
            for (uint32_t j = 0; j < anchors->count; j++)
                add_id(&truster->loaded, anchors->ids[j]);
        }
        if (truster->load < LOADS_AT_RELOAD || !mishap(maker, 4, 15))
            continue;
        struct gen_certs *loaded = &truster->loaded;
        if (loaded->count > 0 && chance(maker, 50)) {
            loaded->count--;
            loaded->ids[below(maker, loaded->count + 1)] = loaded->ids[loaded->count];
        } else {
            add_id(loaded, chance(maker, HARMFUL) ? below(maker, CA_COUNT)
                                                  : pool_root(cluster->goal.issuer));
        }
    }
}

void generate(struct pool *pool, uint64_t seed, struct gen_cluster *ret_cluster)
{
    static void (*const shapes[])(struct maker *) = { replication, mesh, tiers };
    *ret_cluster = (struct gen_cluster){ .seed = seed };
    struct maker maker = { .state = seed, .pool = pool, .cluster = ret_cluster };
    maker.style = make_style(&maker);
    ret_cluster->goal = make_goal(&maker);
    shapes[below(&maker, COUNT(shapes))](&maker);
    while (ret_cluster->services < (int)maker.style.size && chance(&maker, 80))
        add_client(&maker);
    join_processes(&maker);
    make_trust(&maker);
    load_trust(&maker);
}
