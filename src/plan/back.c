/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/planner.h"

/* The way back. Anchors that were taken out go in first; what the old certificates need is then
   trusted, so identities go next, and the anchors that only the new ones needed last. */

static void take_identity(struct planner *planner, const struct plan_return *back)
{
    const struct identity *identity = &planner->model->identities.items[back->identity];
    struct renewal renewal = { .identity = back->identity,
                               .old_leaf = planner_leaf(planner->model, identity->stored),
                               .new_cert = planner_leaf(planner->model, back->chain),
                               .new_chain = back->chain,
                               .certificate = planner_fingerprint(
                                   planner, planner_leaf(planner->model, back->chain)),
                               .new_key = back->new_key,
                               .in_place = back->in_place,
                               .copy = planner->source_of[back->identity] != NO_ID };
    if (back->chain != identity->stored && planner->renewal_of[back->identity] == NO_ID)
        planner_renew(planner, &renewal);
}

/* Files that are written over are other ones for whoever reads them. */
static void take_files(struct planner *planner, const struct groups *readers,
                       const struct plan_return *back)
{
    size_t count;
    uint32_t first = planner->model->identities.items[back->identity].first;
    const uint32_t *identities = groups_of(readers, first, &count);
    take_identity(planner, back);
    for (size_t i = 0; i < count && back->in_place; i++) {
        struct plan_return other = *back;
        other.identity = identities[i];
        take_identity(planner, &other);
    }
}

static void find_readers(struct planner *planner, struct groups *readers)
{
    const struct model *model = planner->model;
    groups_init(readers, planner->arena, model->identities.count);
    for (int round = 0; round < 2; round++) {
        groups_round(readers);
        for (uint32_t i = 0; i < model->identities.count; i++)
            groups_add(readers, model->identities.items[i].first, i);
    }
}

static bool has(const struct planner *planner, const struct plan_return *back)
{
    uint32_t anchors = planner->model->stores.items[back->trust_store].anchors;
    return model_anchors_have(planner->model, anchors, back->anchor);
}

/* Every service that holds the store's content in its memory must read it again. */
static void take_store(struct planner *planner, const struct plan_return *back)
{
    if (has(planner, back) == back->regain)
        return;
    if (back->regain)
        planner_gain(planner, back->trust_store, back->anchor);
    else
        planner_lose(planner, back->trust_store, back->anchor);
    if (planner_swap_of(planner, back->trust_store) != NULL)
        return; /* who reads it loads it with that */
    bool held = planner_is_held(planner, back->trust_store);
    for (uint32_t i = 0; i < planner->model->trusters.count; i++) {
        const struct truster *truster = &planner->model->trusters.items[i];
        if (!truster_must_load(truster) || !model_reads(planner->model, i, back->trust_store))
            continue;
        struct turn *turn = planner_turn(planner, truster->node, truster->service);
        *(back->regain ? &turn->loads_trust
          : held       ? &turn->unloads_trust
                       : &turn->unloads_pins) = true;
    }
}

void plan_back(struct arena *arena, struct judge *judge, const struct plan_goal *goal,
               const plan_return_list *returns, struct plan *ret_plan)
{
    struct planner planner;
    struct groups readers;
    planner_init(&planner, arena, judge, goal, ret_plan);
    find_readers(&planner, &readers);
    for (size_t i = 0; i < returns->count; i++) {
        if (returns->items[i].identity != NO_ID)
            take_files(&planner, &readers, &returns->items[i]);
        if (returns->items[i].trust_store != NO_ID)
            take_store(&planner, &returns->items[i]);
    }
    planner_find_turns(&planner);
    planner_sort_turns(&planner);
    planner_place_swaps(&planner);
    planner_snapshots(&planner);
    planner_gains(&planner);
    planner_identities(&planner);
    planner_forgets(&planner);
    planner_losses(&planner);
    planner_verifications(&planner);
    /* Nothing that is refused on the way back is declared: it can be put back raw instead. */
    plan_prove(arena, judge, goal->now, ret_plan);
}
