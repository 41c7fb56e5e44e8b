/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/planner.h"

/* Stores that have room for one anchor: which of them are to hold another one, and the steps that
   put it there. When that is, swap_time.c says. */

/* ---- steps ---- */

static struct step replace_step(struct planner *planner, const struct swap *swap)
{
    AUTO(arena) struct arena scratch = { 0 };
    const struct model *model = planner->model;
    const struct trust_store *store = &model->stores.items[swap->store];
    struct step step = step_make(STEP_replace, store->node, S(""), store->name);
    struct buf names = { 0 }, subjects = { 0 };
    size_t count;
    const uint32_t *old = model_members(model->anchor_sets.items[store->anchors], &count);
    for (size_t i = 0; i < count; i++) {
        const char *comma = i == 0 ? "" : ", ";
        buf_printf(&scratch, &names, "%s%.*s", comma,
                   STR_ARG(planner_fingerprint(planner, old[i])));
        buf_printf(&scratch, &subjects, "%s%.*s", comma,
                   STR_ARG(model->certs.items[old[i]].subject));
    }
    step.trust_store = swap->store;
    step.new_cert = swap->anchor;
    step.certificate = step.leaves = planner_fingerprint(planner, swap->anchor);
    step.expects =
        planner_text(planner, "%.*s", STR_ARG(count == 0 ? S("absent") : buf_str(&names)));
    step.text = str_printf(planner->arena, "put %.*s in the place of %.*s in %.*s/%.*s",
                           STR_ARG(model->certs.items[swap->anchor].subject),
                           STR_ARG(count == 0 ? S("nothing") : buf_str(&subjects)),
                           STR_ARG(store->node), STR_ARG(store->name));
    return step;
}

static void plan_replaces(struct planner *planner, size_t before)
{
    for (int copies = 0; copies < 2; copies++) {
        struct wave *wave = wave_add(planner);
        for (size_t i = 0; i < planner->swaps.count; i++) {
            const struct swap *swap = &planner->swaps.items[i];
            if (swap->before == before && !swap->stored &&
                planner_is_copy(planner->model, swap->store) == copies)
                step_add(planner, wave, replace_step(planner, swap));
        }
        wave_drop_if_empty(planner);
    }
}

/* What a turn is to load from its trust stores at the same time it loads with it. */
static void mark_load(struct turn *turn, size_t before)
{
    turn->loads_swap = true;
    turn->swaps_alone = false;
    if (before == 0)
        turn->loads_trust = false;
    if (before == SWAP_LAST)
        turn->unloads_trust = false;
}

static bool reads_replaced(const struct planner *planner, const struct truster *truster,
                           size_t before)
{
    for (size_t i = 0; i < truster->stores.count; i++) {
        const struct swap *swap = planner_swap_of(planner, truster->stores.items[i]);
        if (swap != NULL && swap->before == before)
            return true;
    }
    return false;
}

void planner_swaps(struct planner *planner, size_t before)
{
    if (planner->swaps.count == 0)
        return;
    plan_replaces(planner, before);
    for (size_t i = 0; i < planner->turns.count; i++)
        planner->turns.items[i].loads_swap = false;
    for (size_t i = 0; i < planner->model->trusters.count; i++) {
        const struct truster *truster = &planner->model->trusters.items[i];
        if (truster_must_load(truster) && reads_replaced(planner, truster, before))
            mark_load(planner_turn(planner, truster->node, truster->service), before);
    }
    planner_all_loads(planner, LOADS_SWAPS);
}

struct swap *planner_swap_of(const struct planner *planner, uint32_t store)
{
    uint32_t index = planner->swaps.count == 0 ? NO_ID : planner->swap_of[store];
    return index == NO_ID ? NULL : &planner->swaps.items[index];
}

bool planner_swap(struct planner *planner, uint32_t store, uint32_t anchor)
{
    const struct model *model = planner->model;
    if (planner_swap_of(planner, store) != NULL)
        return false;
    planner->swap_of[store] = (uint32_t)planner->swaps.count;
    list_push(planner->arena, &planner->swaps) = (struct swap){
        .store = store,
        .anchor = anchor,
        .stored = model_anchors_have(model, model->stores.items[store].anchors, anchor),
    };
    return true;
}

void planner_find_swap_turns(struct planner *planner)
{
    const struct model *model = planner->model;
    for (uint32_t i = 0; i < model->trusters.count; i++) {
        const struct truster *truster = &model->trusters.items[i];
        size_t before = planner->turns.count;
        if (!truster_must_load(truster) || !planner_reads_swap(planner, i))
            continue;
        struct turn *turn = planner_turn(planner, truster->node, truster->service);
        turn->swaps_alone = turn->swaps_alone || planner->turns.count > before;
    }
}

bool planner_reads_swap(const struct planner *planner, uint32_t truster)
{
    if (truster == NO_ID)
        return false;
    const struct truster *row = &planner->model->trusters.items[truster];
    for (size_t i = 0; i < row->stores.count; i++)
        if (planner_swap_of(planner, row->stores.items[i]) != NULL)
            return true;
    return false;
}
