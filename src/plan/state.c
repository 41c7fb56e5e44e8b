/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/state.h"

#include <string.h>

static uint32_t *ids_new(struct arena *arena, size_t count)
{
    return arena_alloc(arena, count + 1, sizeof(uint32_t));
}

static uint32_t *ids_copy(struct arena *arena, const uint32_t *from, size_t count)
{
    uint32_t *ids = ids_new(arena, count);
    memcpy(ids, from, count * sizeof(*ids));
    return ids;
}

static uint32_t union_of(struct model *model, const struct state *state,
                         const struct truster *truster)
{
    AUTO(arena) struct arena scratch = { 0 };
    uint32_t *sets = ids_new(&scratch, truster->stores.count);
    for (size_t i = 0; i < truster->stores.count; i++)
        sets[i] = state->anchors_stored[truster->stores.items[i]];
    return model_anchors_union(model, sets, truster->stores.count);
}

void state_of_model(struct arena *arena, struct model *model, struct state *ret_state)
{
    struct state state = {
        .chain_stored = ids_new(arena, model->identities.count),
        .chain_loaded = ids_new(arena, model->identities.count),
        .anchors_stored = ids_new(arena, model->stores.count),
        .truster_stored = ids_new(arena, model->trusters.count),
        .truster_loaded = ids_new(arena, model->trusters.count),
    };
    for (size_t i = 0; i < model->identities.count; i++) {
        state.chain_stored[i] = model->identities.items[i].stored;
        state.chain_loaded[i] = model->identities.items[i].loaded;
    }
    for (size_t i = 0; i < model->stores.count; i++)
        state.anchors_stored[i] = model->stores.items[i].anchors;
    for (size_t i = 0; i < model->trusters.count; i++) {
        state.truster_stored[i] = union_of(model, &state, &model->trusters.items[i]);
        state.truster_loaded[i] = model->trusters.items[i].loaded;
    }
    *ret_state = state;
}

void state_copy(struct arena *arena, const struct model *model, const struct state *from,
                struct state *ret_state)
{
    *ret_state = (struct state){
        .chain_stored = ids_copy(arena, from->chain_stored, model->identities.count),
        .chain_loaded = ids_copy(arena, from->chain_loaded, model->identities.count),
        .anchors_stored = ids_copy(arena, from->anchors_stored, model->stores.count),
        .truster_stored = ids_copy(arena, from->truster_stored, model->trusters.count),
        .truster_loaded = ids_copy(arena, from->truster_loaded, model->trusters.count),
    };
}

static void change_store(struct model *model, struct state *state, const struct step *step)
{
    uint32_t *anchors = &state->anchors_stored[step->trust_store];
    *anchors = step->kind == STEP_trust ? model_anchors_with(model, *anchors, step->new_cert)
                                        : model_anchors_without(model, *anchors, step->new_cert);
    for (size_t i = 0; i < model->trusters.count; i++)
        state->truster_stored[i] = union_of(model, state, &model->trusters.items[i]);
}

static bool changes_identity(const struct step *step)
{
    /* Without a reference to switch, the new certificate takes the old one's place at once. */
    return step->kind == STEP_switch || (step->kind == STEP_install && step->in_place);
}

/* What has no loaded state of its own uses what is stored; a refresh makes the rest do so too. */
static bool loads_now(enum load_mode load, str node, str service, const struct step *step)
{
    return load == LOAD_PER_CONNECTION || (step->kind == STEP_refresh && str_eq(node, step->node) &&
                                           str_eq(service, step->service));
}

/* A session judges its peer once, when it begins, with what its trust store holds then. */
static bool trusts_now(const struct truster *truster, const struct step *step)
{
    return truster->load == LOAD_PER_SESSION ||
           loads_now(truster->load, truster->node, truster->service, step);
}

void state_apply(struct model *model, struct state *state, const struct step *step)
{
    if (step->kind == STEP_trust || step->kind == STEP_distrust)
        change_store(model, state, step);
    if (changes_identity(step))
        state->chain_stored[step->identity] = step->new_chain;
    for (size_t i = 0; i < model->identities.count; i++) {
        const struct identity *row = &model->identities.items[i];
        if (loads_now(row->load, row->node, row->service, step))
            state->chain_loaded[i] = state->chain_stored[i];
    }
    for (size_t i = 0; i < model->trusters.count; i++)
        if (trusts_now(&model->trusters.items[i], step))
            state->truster_loaded[i] = state->truster_stored[i];
}

static uint32_t chain_at(struct side side, uint32_t identity)
{
    if (identity == NO_ID)
        return NO_ID;
    return side.stored ? side.state->chain_stored[identity] : side.state->chain_loaded[identity];
}

static uint32_t anchors_at(struct side side, uint32_t truster)
{
    if (truster == NO_ID)
        return NO_ID;
    return side.stored ? side.state->truster_stored[truster] : side.state->truster_loaded[truster];
}

struct ends state_ends(const struct model *model, const struct link *link, struct side client,
                       struct side server)
{
    const struct service *to = &model->services.items[link->to];
    return (struct ends){
        .client_chain = chain_at(client, link->client_identity),
        .client_anchors = anchors_at(client, link->client_truster),
        .server_chain = chain_at(server, to->listen_identity),
        .server_anchors = anchors_at(server, to->client_truster),
    };
}
