/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/forget.h"

#include "apply/approved.h"

enum { ASK_MS = 20 * 1000 };

bool forget_request(const struct hold *hold, const char *directory, const struct csr *csr,
                    struct err *err)
{
    AUTO(json) json_t *answer = NULL;
    AUTO(json)
    json_t *body =
        json_pack("{s:s%,s:I,s:{s:s%}}", "cluster", hold->cluster.ptr, hold->cluster.len, "token",
                  (json_int_t)hold->token, "step", "id", csr->step.ptr, csr->step.len);
    struct reach *reach = fleet_reach(hold->fleet, csr->node);
    return (reach == NULL || reach_ask(reach, "forget", body, ASK_MS, &answer, err)) &&
           csr_retire(directory, csr, err);
}

/* The requests of the plan's steps, with what came for them. */
static bool read_for(struct arena *arena, const struct cluster *cluster, str plan,
                     awaited_list *ret_list, struct err *err)
{
    struct approved approved;
    struct delivery_terms terms = { .now = clock_now() };
    awaited_list all;
    *ret_list = (awaited_list){ 0 };
    if (!awaited_any(cluster))
        return true;
    if (!approved_parse(arena, plan, &approved, err) ||
        !awaited_read(arena, cluster, &terms, &all, err))
        return false;
    for (size_t i = 0; i < all.count; i++)
        if (approved_has(&approved, all.items[i].csr.step))
            list_push(arena, ret_list) = all.items[i];
    return true;
}

bool forget_plan(struct arena *arena, const struct hold *hold, const struct cluster *cluster,
                 str plan, size_t *ret_count, struct err *err)
{
    awaited_list list;
    *ret_count = 0;
    if (!read_for(arena, cluster, plan, &list, err))
        return false;
    const char *directory = str_cstr(arena, cluster->issuer.directory);
    for (size_t i = 0; i < list.count; i++, ++*ret_count)
        if (!forget_request(hold, directory, &list.items[i].csr, err))
            return false;
    return true;
}

bool forget_done(struct arena *arena, const struct hold *hold, const struct cluster *cluster,
                 str plan, struct err *err)
{
    awaited_list list;
    if (!read_for(arena, cluster, plan, &list, err))
        return false;
    const char *directory = str_cstr(arena, cluster->issuer.directory);
    for (size_t i = 0; i < list.count; i++) {
        const struct csr *csr = &list.items[i].csr;
        /* A node that was left out of this run still waits. */
        if (cluster_node((struct cluster *)(uintptr_t)cluster, csr->node) == NULL)
            continue;
        if (!(list.items[i].here ? csr_retire(directory, csr, err)
                                 : forget_request(hold, directory, csr, err)))
            return false;
    }
    return true;
}
