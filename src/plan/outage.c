/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/planner.h"

/* Links that no order keeps up. */

static bool is_at(const struct planner *planner, const struct step *step, uint32_t service)
{
    const struct service *row = &planner->model->services.items[service];
    return str_eq(step->node, row->node) &&
           (step->service.len == 0 || str_eq(step->service, row->name));
}

/* The step of the wave that takes the link down: one at an end of it. */
static struct step *step_for(struct planner *planner, const struct wave *wave, uint32_t link)
{
    const struct link *row = &planner->model->links.items[link];
    struct step *steps = planner->plan->steps.items;
    for (size_t i = 0; i < wave->steps.count; i++) {
        struct step *step = &steps[wave->steps.items[i]];
        if (is_at(planner, step, row->from) || is_at(planner, step, row->to))
            return step;
    }
    return &steps[wave->steps.items[0]];
}

/* Where the link needs both anchors of a store that has room for one. */
static const struct trust_store *too_small(const struct planner *planner, uint32_t link)
{
    for (size_t i = 0; i < planner->swaps.count; i++) {
        const struct swap *swap = &planner->swaps.items[i];
        for (size_t k = 0; k < swap->breaks.count; k++)
            if (swap->breaks.items[k] == link)
                return &planner->model->stores.items[swap->store];
    }
    return NULL;
}

static str why_refused(const struct planner *planner, uint32_t link, str verdict)
{
    const struct trust_store *store = too_small(planner, link);
    if (store == NULL)
        return verdict;
    return str_printf(planner->arena,
                      "%.*s holds one anchor at a time, and what is presented is good for the old "
                      "one or the new one only: %.*s",
                      STR_ARG(store->key), STR_ARG(verdict));
}

static void declare_refused(struct planner *planner)
{
    struct plan *plan = planner->plan;
    AUTO(arena) struct arena scratch = { 0 };
    struct map unrepaired = { .arena = &scratch };
    for (size_t i = 0; i < plan->unrepaired.count; i++)
        map_put(&unrepaired, plan->unrepaired.items[i], 0);
    for (size_t i = 0; i < plan->waves.count; i++) {
        const struct wave *wave = &plan->waves.items[i];
        for (size_t k = 0; k < wave->broken.count; k++) {
            str key = wave->broken.items[k];
            uint32_t link = map_get(&planner->model->link_ids, key);
            if (map_get(&unrepaired, key) != MAP_NONE || wave->steps.count == 0)
                continue;
            struct step *step = step_for(planner, wave, link);
            list_push(planner->arena, &step->refused) = key;
            step->why = why_refused(planner, link, wave->why.items[k]);
        }
    }
}

void planner_prove(struct planner *planner)
{
    moment now = planner->goal->now;
    plan_prove(planner->arena, planner->judge, now, planner->plan);
    if (planner->plan->proven)
        return;
    declare_refused(planner);
    plan_prove(planner->arena, planner->judge, now, planner->plan);
}

bool plan_refuses(const struct plan *plan)
{
    for (size_t i = 0; i < plan->steps.count; i++)
        if (plan->steps.items[i].refused.count > 0)
            return true;
    return false;
}
