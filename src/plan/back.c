/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/planner.h"

/* The way back. What the old certificates need is still trusted, so they go first; the anchors that
   only the new ones needed go last. */

static void take_identity(struct planner *planner, const struct plan_return *back)
{
    const struct identity *identity = &planner->model->identities.items[back->identity];
    struct renewal renewal = { .identity = back->identity,
                               .old_leaf = planner_leaf(planner->model, identity->stored),
                               .new_cert = planner_leaf(planner->model, back->chain),
                               .new_chain = back->chain,
                               .new_key = back->new_key,
                               .in_place = back->in_place };
    if (back->chain != identity->stored)
        list_push(planner->arena, &planner->renewals) = renewal;
}

static bool has(const struct planner *planner, const struct plan_return *back)
{
    uint32_t anchors = planner->model->stores.items[back->trust_store].anchors;
    return model_anchors_have(planner->model, anchors, back->anchor);
}

/* Every service that holds the store's content in its memory must read it again. */
static void take_store(struct planner *planner, const struct plan_return *back)
{
    if (!has(planner, back))
        return;
    list_push(planner->arena, &planner->changed_stores) = back->trust_store;
    for (size_t i = 0; i < planner->model->trusters.count; i++) {
        const struct truster *truster = &planner->model->trusters.items[i];
        for (size_t k = 0; k < truster->stores.count; k++)
            if (truster->stores.items[k] == back->trust_store && truster_must_load(truster))
                turn_of(planner, truster->node, truster->service)->loads_trust = true;
    }
}

static void plan_removals(struct planner *planner, const plan_return_list *returns)
{
    struct wave *wave = wave_add(planner);
    for (size_t i = 0; i < returns->count; i++) {
        const struct plan_return *back = &returns->items[i];
        if (back->trust_store == NO_ID || !has(planner, back))
            continue;
        const struct trust_store *store = &planner->model->stores.items[back->trust_store];
        struct step step = step_make(STEP_distrust, store->node, S(""), store->name);
        step.trust_store = back->trust_store;
        step.new_cert = back->anchor;
        step.certificate = planner_fingerprint(planner, back->anchor);
        step.expects = str_printf(planner->arena, "with %.*s", STR_ARG(step.certificate));
        step.leaves = str_printf(planner->arena, "without %.*s", STR_ARG(step.certificate));
        step.text = str_printf(planner->arena, "remove %.*s from %.*s/%.*s",
                               STR_ARG(planner->model->certs.items[back->anchor].subject),
                               STR_ARG(store->node), STR_ARG(store->name));
        step_add(planner, wave, step);
    }
    wave_drop_if_empty(planner);
}

void plan_back(struct arena *arena, struct judge *judge, const struct plan_goal *goal,
               const plan_return_list *returns, struct plan *ret_plan)
{
    *ret_plan = (struct plan){ .cluster = goal->cluster };
    struct planner planner = {
        .arena = arena, .judge = judge, .model = judge->model, .goal = goal, .plan = ret_plan
    };
    for (size_t i = 0; i < returns->count; i++) {
        if (returns->items[i].identity != NO_ID)
            take_identity(&planner, &returns->items[i]);
        if (returns->items[i].trust_store != NO_ID)
            take_store(&planner, &returns->items[i]);
    }
    planner_find_turns(&planner);
    planner_sort_turns(&planner);
    planner_snapshots(&planner);
    planner_identities(&planner);
    plan_removals(&planner, returns);
    planner_trust_loads(&planner, "load what is left to trust into");
    planner_verifications(&planner);
    plan_prove(arena, judge, goal->now, ret_plan);
}
