/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/random/trial.h"

#include <string.h>

/* A failing cluster made smaller: one part after another is left out for as long as the fault stays
   the same. */

static void lower(int *id, int removed)
{
    if (*id > removed)
        --*id;
}

#define REMOVE(cluster, list, count, id)                                      \
    (memmove(&(cluster)->list[id], &(cluster)->list[(id) + 1],                \
             (size_t)((cluster)->count - (id)-1) * sizeof(*(cluster)->list)), \
     --(cluster)->count)

static bool drop_link(struct gen_cluster *cluster, int id)
{
    if (id >= cluster->links)
        return false;
    REMOVE(cluster, link, links, id);
    return true;
}

static bool drop_identity(struct gen_cluster *cluster, int id)
{
    if (id >= cluster->identities)
        return false;
    for (int i = 0; i < cluster->services; i++)
        if (cluster->service[i].listens == id)
            return false;
    for (int i = 0; i < cluster->links; i++) {
        if (cluster->link[i].identity == id)
            cluster->link[i].identity = NONE;
        lower(&cluster->link[i].identity, id);
    }
    for (int i = 0; i < cluster->services; i++)
        lower(&cluster->service[i].listens, id);
    REMOVE(cluster, identity, identities, id);
    return true;
}

static bool drop_truster(struct gen_cluster *cluster, int id)
{
    if (id >= cluster->trusters)
        return false;
    for (int i = 0; i < cluster->services; i++) {
        struct gen_service *service = &cluster->service[i];
        if (service->truster == id)
            service->truster = NONE, service->asks = ASKS_NONE;
        lower(&service->truster, id);
    }
    for (int i = 0; i < cluster->links; i++) {
        struct gen_link *link = &cluster->link[i];
        if (link->truster == id)
            link->truster = NONE, link->verify = VERIFIES_NONE;
        lower(&link->truster, id);
        if (cluster->service[link->to].asks == ASKS_NONE)
            link->user_is_cn = false;
    }
    REMOVE(cluster, truster, trusters, id);
    return true;
}

static bool drop_service(struct gen_cluster *cluster, int id)
{
    if (id >= cluster->services)
        return false;
    for (int i = cluster->links - 1; i >= 0; i--) {
        if (cluster->link[i].from == id || cluster->link[i].to == id)
            drop_link(cluster, i);
    }
    cluster->service[id].listens = NONE;
    for (int i = cluster->identities - 1; i >= 0; i--)
        if (cluster->identity[i].service == id)
            drop_identity(cluster, i);
    for (int i = cluster->trusters - 1; i >= 0; i--)
        if (cluster->truster[i].service == id)
            drop_truster(cluster, i);
    for (int i = 0; i < cluster->links; i++)
        lower(&cluster->link[i].from, id), lower(&cluster->link[i].to, id);
    for (int i = 0; i < cluster->services; i++) {
        if (cluster->service[i].process == id)
            cluster->service[i].process = i;
        lower(&cluster->service[i].process, id);
    }
    for (int i = 0; i < cluster->identities; i++)
        lower(&cluster->identity[i].service, id);
    for (int i = 0; i < cluster->trusters; i++)
        lower(&cluster->truster[i].service, id);
    REMOVE(cluster, service, services, id);
    return true;
}

static bool drop_store(struct gen_cluster *cluster, int id)
{
    if (id >= cluster->stores)
        return false;
    for (int i = 0; i < cluster->trusters; i++)
        if (cluster->truster[i].stores[0] == id || cluster->truster[i].stores[1] == id)
            return false;
    for (int i = 0; i < cluster->trusters; i++)
        lower(&cluster->truster[i].stores[0], id), lower(&cluster->truster[i].stores[1], id);
    REMOVE(cluster, store, stores, id);
    return true;
}

static bool drop_last(struct gen_certs *certs)
{
    if (certs->count == 0)
        return false;
    certs->count--;
    return true;
}

static bool same(const struct gen_certs *a, const struct gen_certs *b)
{
    return a->count == b->count && memcmp(a->ids, b->ids, a->count * sizeof(a->ids[0])) == 0;
}

/* Numbers that are too high stand for "no more". Each row: make the cluster a little plainer. */
static bool drop_anchor(struct gen_cluster *cluster, int id)
{
    return id < cluster->stores && drop_last(&cluster->store[id].anchors);
}

static bool drop_loaded(struct gen_cluster *cluster, int id)
{
    return id < cluster->trusters && drop_last(&cluster->truster[id].loaded);
}

static bool drop_sent_along(struct gen_cluster *cluster, int id)
{
    if (id >= cluster->identities || cluster->identity[id].stored.count < 2)
        return false;
    bool alike = same(&cluster->identity[id].stored, &cluster->identity[id].loaded);
    cluster->identity[id].stored.count--;
    if (alike)
        cluster->identity[id].loaded = cluster->identity[id].stored;
    return true;
}

static bool load_identity(struct gen_cluster *cluster, int id)
{
    if (id >= cluster->identities ||
        same(&cluster->identity[id].stored, &cluster->identity[id].loaded))
        return false;
    cluster->identity[id].loaded = cluster->identity[id].stored;
    return true;
}

static bool drop_second_store(struct gen_cluster *cluster, int id)
{
    if (id >= cluster->trusters || cluster->truster[id].stores[1] == NONE)
        return false;
    cluster->truster[id].stores[1] = NONE;
    return true;
}

static bool leave_group(struct gen_cluster *cluster, int id)
{
    if (id >= cluster->services ||
        (cluster->service[id].group == 0 && cluster->service[id].process == id))
        return false;
    cluster->service[id].group = 0;
    cluster->service[id].process = id;
    return true;
}

static bool send_less_along(struct gen_cluster *cluster, int id)
{
    return id == 0 && drop_last(&cluster->goal.sent_along);
}

static bool (*const simpler[])(struct gen_cluster *, int) = {
    drop_service, drop_link,       drop_identity, drop_truster,      drop_store,  drop_anchor,
    drop_loaded,  drop_sent_along, load_identity, drop_second_store, leave_group, send_less_along,
};

static bool still_fails(struct trial *trial, const char *rule, const struct gen_cluster *cluster)
{
    AUTO(arena) struct arena arena = { 0 };
    struct fault fault;
    return !trial_run(trial, &arena, cluster, &fault) && strcmp(fault.rule, rule) == 0;
}

static bool shrink_once(struct trial *trial, const char *rule, struct gen_cluster *cluster)
{
    bool smaller = false;
    for (size_t i = 0; i < COUNT(simpler); i++)
        for (int id = MAX_LINKS - 1; id >= 0; id--) {
            struct gen_cluster candidate = *cluster;
            if (!simpler[i](&candidate, id) || !still_fails(trial, rule, &candidate))
                continue;
            *cluster = candidate;
            smaller = true;
        }
    return smaller;
}

void shrink(struct trial *trial, const char *rule, struct gen_cluster *cluster)
{
    struct trial_tally tally = trial->tally;
    while (shrink_once(trial, rule, cluster))
        ;
    trial->tally = tally;
}
