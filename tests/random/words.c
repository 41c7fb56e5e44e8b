/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/random/cluster.h"

/* A generated cluster in words. */

static const char *const loads[] = {
    [LOADS_PER_CONNECTION] = "per connection",
    [LOADS_PER_SESSION] = "per session",
    [LOADS_AT_RELOAD] = "at reload",
    [LOADS_AT_START] = "at start",
};
static const char *const asks[] = {
    [ASKS_NONE] = "nothing of clients",
    [ASKS_OPTIONAL] = "clients for a certificate",
    [ASKS_REQUIRED] = "a certificate of clients",
};
static const char *const roles[] = {
    [ROLE_NONE] = "", [ROLE_REPLICA] = " (replica)", [ROLE_PRIMARY] = " (primary)"
};
static const char *const verifies[] = {
    [VERIFIES_NONE] = "nothing", [VERIFIES_CA] = "the CA", [VERIFIES_NAME] = "the name"
};

bool starts_anew(const struct gen_cluster *cluster, int process)
{
    for (int i = 0; i < cluster->identities; i++)
        if (cluster->service[cluster->identity[i].service].process == process &&
            cluster->identity[i].load == LOADS_AT_START)
            return true;
    for (int i = 0; i < cluster->trusters; i++)
        if (cluster->service[cluster->truster[i].service].process == process &&
            cluster->truster[i].load == LOADS_AT_START)
            return true;
    return false;
}

str service_key(struct arena *arena, const struct gen_cluster *cluster, int service)
{
    const struct gen_service *row = &cluster->service[service];
    return str_printf(arena, "n%d/%s", row->node + 1, row->name);
}

str identity_key(struct arena *arena, const struct gen_cluster *cluster, int identity)
{
    const struct gen_identity *row = &cluster->identity[identity];
    return str_printf(arena, "%.*s:%s", STR_ARG(service_key(arena, cluster, row->service)),
                      row->store);
}

str store_key(struct arena *arena, const struct gen_cluster *cluster, int store)
{
    const struct gen_store *row = &cluster->store[store];
    return str_printf(arena, "n%d/%s", row->node + 1, row->name);
}

str truster_key(struct arena *arena, const struct gen_cluster *cluster, int truster)
{
    const struct gen_truster *row = &cluster->truster[truster];
    return str_printf(arena, "%.*s:%s", STR_ARG(service_key(arena, cluster, row->service)),
                      row->use);
}

str link_key(struct arena *arena, const struct gen_cluster *cluster, int link)
{
    const struct gen_link *row = &cluster->link[link];
    return str_printf(arena, "%.*s->%.*s", STR_ARG(service_key(arena, cluster, row->from)),
                      STR_ARG(service_key(arena, cluster, row->to)));
}

static void add_certs(struct arena *arena, struct buf *out, const struct pool *pool,
                      const char *title, const struct gen_certs *certs)
{
    buf_printf(arena, out, "      %s:%s", title, certs->count == 0 ? " nothing\n" : "");
    for (uint32_t i = 0; i < certs->count; i++)
        buf_printf(arena, out, "%s %.*s%s", i == 0 ? "" : "        ",
                   STR_ARG(pool_words(arena, pool, certs->ids[i])),
                   i + 1 < certs->count ? ",\n" : "\n");
}

static bool same(const struct gen_certs *a, const struct gen_certs *b)
{
    for (uint32_t i = 0; i < a->count && a->count == b->count; i++)
        if (a->ids[i] != b->ids[i])
            return false;
    return a->count == b->count;
}

static void add_identity(struct arena *arena, struct buf *out, const struct pool *pool,
                         const struct gen_identity *identity)
{
    buf_printf(arena, out, "    identity %s, read %s, %s\n", identity->store, loads[identity->load],
               identity->reference  ? "with a reference"
               : identity->one_file ? "in place, in one file"
                                    : "in place");
    add_certs(arena, out, pool, "stored", &identity->stored);
    if (!same(&identity->stored, &identity->loaded))
        add_certs(arena, out, pool, "loaded", &identity->loaded);
}

static void add_truster(struct arena *arena, struct buf *out, const struct pool *pool,
                        const struct gen_cluster *cluster, const struct gen_truster *truster)
{
    buf_printf(arena, out, "    trusts %s%s%s for its %s, read %s\n",
               cluster->store[truster->stores[0]].name, truster->stores[1] == NONE ? "" : " and ",
               truster->stores[1] == NONE ? "" : cluster->store[truster->stores[1]].name,
               truster->use, loads[truster->load]);
    if (truster->load >= LOADS_AT_RELOAD)
        add_certs(arena, out, pool, "loaded", &truster->loaded);
}

static void add_service(struct arena *arena, struct buf *out, const struct pool *pool,
                        const struct gen_cluster *cluster, int id)
{
    const struct gen_service *service = &cluster->service[id];
    buf_printf(arena, out, "  %.*s%s", STR_ARG(service_key(arena, cluster, id)),
               roles[service->role]);
    if (service->group > 0)
        buf_printf(arena, out, " in group %d", service->group);
    if (service->process != id)
        buf_printf(arena, out, " in the process of %s", cluster->service[service->process].name);
    if (service->listens != NONE)
        buf_printf(arena, out, " listens with %s, asks %s%s%s",
                   cluster->identity[service->listens].store, asks[service->asks],
                   service->wanted[0] == '\0' ? "" : " of ", service->wanted);
    buf_add(arena, out, S("\n"));
    for (int i = 0; i < cluster->identities; i++)
        if (cluster->identity[i].service == id)
            add_identity(arena, out, pool, &cluster->identity[i]);
    for (int i = 0; i < cluster->trusters; i++)
        if (cluster->truster[i].service == id)
            add_truster(arena, out, pool, cluster, &cluster->truster[i]);
}

static void add_link(struct arena *arena, struct buf *out, const struct gen_cluster *cluster,
                     int id)
{
    const struct gen_link *link = &cluster->link[id];
    buf_printf(arena, out, "  %.*s verifies %s", STR_ARG(link_key(arena, cluster, id)),
               verifies[link->verify]);
    if (link->verify == VERIFIES_NAME)
        buf_printf(arena, out, " %s", link->name);
    if (link->truster != NONE)
        buf_printf(arena, out, " with what it trusts for %s", cluster->truster[link->truster].use);
    if (link->identity != NONE)
        buf_printf(arena, out, ", presents %s", cluster->identity[link->identity].store);
    buf_printf(arena, out, ", as %s%s\n", link->user,
               link->user_is_cn ? ", which must be the CN" : "");
}

str cluster_words(struct arena *arena, const struct pool *pool, const struct gen_cluster *cluster)
{
    struct buf out = { 0 };
    const struct gen_goal *goal = &cluster->goal;
    buf_printf(arena, &out, "  renew %s by %.*s%s, at most %u at a time\n",
               goal->renew_all ? "everything" : "what is due",
               STR_ARG(pool_words(arena, pool, goal->issuer)), goal->keep_key ? ", keys kept" : "",
               goal->max_unavailable);
    for (int i = 0; i < cluster->stores; i++) {
        buf_printf(arena, &out, "  store %.*s\n", STR_ARG(store_key(arena, cluster, i)));
        add_certs(arena, &out, pool, "anchors", &cluster->store[i].anchors);
    }
    for (int i = 0; i < cluster->services; i++)
        add_service(arena, &out, pool, cluster, i);
    for (int i = 0; i < cluster->links; i++)
        add_link(arena, &out, cluster, i);
    return buf_str(&out);
}
