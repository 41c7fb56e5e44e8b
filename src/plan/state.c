/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/state.h"

#include <stdlib.h>
#include <string.h>

static void sizes_of(const struct model *model, size_t sizes[STATE_PARTS])
{
    sizes[STATE_CHAIN_STORED] = sizes[STATE_CHAIN_LOADED] = model->identities.count;
    sizes[STATE_ANCHORS_STORED] = model->stores.count;
    sizes[STATE_TRUSTER_STORED] = sizes[STATE_TRUSTER_LOADED] = model->trusters.count;
}

static void state_new(struct arena *arena, const struct model *model, struct state *ret_state)
{
    size_t sizes[STATE_PARTS];
    sizes_of(model, sizes);
    for (int part = 0; part < STATE_PARTS; part++)
        ret_state->part[part] = arena_alloc(arena, sizes[part] + 1, sizeof(uint32_t));
}

static void state_copy(struct arena *arena, const struct model *model, const struct state *from,
                       struct state *ret_state)
{
    size_t sizes[STATE_PARTS];
    sizes_of(model, sizes);
    state_new(arena, model, ret_state);
    for (int part = 0; part < STATE_PARTS; part++)
        memcpy(ret_state->part[part], from->part[part], sizes[part] * sizeof(uint32_t));
}

static uint32_t union_of(struct model *model, const struct state *state,
                         const struct truster *truster)
{
    AUTO(arena) struct arena scratch = { 0 };
    if (truster->stores.count == 1)
        return state->anchors_stored[truster->stores.items[0]];
    uint32_t *sets = arena_alloc(&scratch, truster->stores.count + 1, sizeof(*sets));
    for (size_t i = 0; i < truster->stores.count; i++)
        sets[i] = state->anchors_stored[truster->stores.items[i]];
    return model_anchors_union(model, sets, truster->stores.count);
}

void state_of_model(struct arena *arena, struct model *model, struct state *ret_state)
{
    state_new(arena, model, ret_state);
    for (size_t i = 0; i < model->identities.count; i++) {
        ret_state->chain_stored[i] = model->identities.items[i].stored;
        ret_state->chain_loaded[i] = model->identities.items[i].loaded;
    }
    for (size_t i = 0; i < model->stores.count; i++)
        ret_state->anchors_stored[i] = model->stores.items[i].anchors;
    for (size_t i = 0; i < model->trusters.count; i++) {
        ret_state->truster_stored[i] = union_of(model, ret_state, &model->trusters.items[i]);
        ret_state->truster_loaded[i] = model->trusters.items[i].loaded;
    }
}

/* ---- a walk ---- */

static uint32_t process_of(const struct model *model, str node, str service)
{
    return model_process(model, model_service(model, node, service));
}

static void index_model(struct walk *walk)
{
    const struct model *model = walk->model;
    groups_init(&walk->trusters_of_store, walk->arena, model->stores.count);
    groups_init(&walk->trusters_of_process, walk->arena, model->services.count);
    groups_init(&walk->identities_of_process, walk->arena, model->services.count);
    groups_init(&walk->identities_of_store, walk->arena, model->identities.count);
    for (int round = 0; round < 2; round++) {
        groups_round(&walk->trusters_of_store);
        groups_round(&walk->trusters_of_process);
        groups_round(&walk->identities_of_process);
        groups_round(&walk->identities_of_store);
        for (uint32_t i = 0; i < model->identities.count; i++) {
            const struct identity *row = &model->identities.items[i];
            groups_add(&walk->identities_of_process, process_of(model, row->node, row->service), i);
            groups_add(&walk->identities_of_store, row->first, i);
        }
        for (uint32_t i = 0; i < model->trusters.count; i++) {
            const struct truster *row = &model->trusters.items[i];
            groups_add(&walk->trusters_of_process, process_of(model, row->node, row->service), i);
            for (size_t k = 0; k < row->stores.count; k++)
                groups_add(&walk->trusters_of_store, row->stores.items[k], i);
        }
    }
}

void state_load_all(struct model *model, struct state *state)
{
    memcpy(state->chain_loaded, state->chain_stored,
           model->identities.count * sizeof(*state->chain_loaded));
    for (size_t i = 0; i < model->trusters.count; i++)
        state->truster_stored[i] = state->truster_loaded[i] =
            union_of(model, state, &model->trusters.items[i]);
}

void walk_start(struct arena *arena, struct model *model, struct walk *ret_walk)
{
    *ret_walk = (struct walk){ .arena = arena, .model = model };
    state_of_model(arena, model, &ret_walk->before);
    state_copy(arena, model, &ret_walk->before, &ret_walk->after);
    index_model(ret_walk);
}

static void set(struct walk *walk, enum state_part part, uint32_t id, uint32_t value)
{
    uint32_t *now = &walk->after.part[part][id];
    if (*now == value)
        return;
    if (*now == walk->before.part[part][id])
        list_push(walk->arena, &walk->changes) = (struct state_change){ part, id };
    *now = value;
}

static void load_identity(struct walk *walk, uint32_t id)
{
    set(walk, STATE_CHAIN_LOADED, id, walk->after.chain_stored[id]);
}

static void load_truster(struct walk *walk, uint32_t id)
{
    set(walk, STATE_TRUSTER_LOADED, id, walk->after.truster_stored[id]);
}

/* What has no loaded state of its own uses what is stored. */
static void settle_identity(struct walk *walk, uint32_t id)
{
    if (walk->model->identities.items[id].load == LOAD_PER_CONNECTION)
        load_identity(walk, id);
}

/* A session judges its peer once, when it begins, with what its trust store holds then. */
static void settle_truster(struct walk *walk, uint32_t id)
{
    enum load_mode load = walk->model->trusters.items[id].load;
    if (load == LOAD_PER_CONNECTION || load == LOAD_PER_SESSION)
        load_truster(walk, id);
}

/* What had not been read yet when the walk started has been by the time of the first step. */
static void settle_all(struct walk *walk)
{
    for (uint32_t i = 0; i < walk->model->identities.count; i++)
        settle_identity(walk, i);
    for (uint32_t i = 0; i < walk->model->trusters.count; i++)
        settle_truster(walk, i);
}

/* What the step leaves in a store that holds `anchors`. */
static uint32_t changed_anchors(struct model *model, const struct step *step, uint32_t anchors)
{
    if (step->kind == STEP_replace)
        return model_anchors(model, &step->new_cert, 1);
    return step->kind == STEP_trust || step->kind == STEP_expect
               ? model_anchors_with(model, anchors, step->new_cert)
               : model_anchors_without(model, anchors, step->new_cert);
}

static void change_store(struct walk *walk, const struct step *step)
{
    uint32_t anchors = walk->after.anchors_stored[step->trust_store];
    set(walk, STATE_ANCHORS_STORED, step->trust_store, changed_anchors(walk->model, step, anchors));
    size_t count;
    const uint32_t *trusters = groups_of(&walk->trusters_of_store, step->trust_store, &count);
    for (size_t i = 0; i < count; i++) {
        const struct truster *truster = &walk->model->trusters.items[trusters[i]];
        set(walk, STATE_TRUSTER_STORED, trusters[i], union_of(walk->model, &walk->after, truster));
        settle_truster(walk, trusters[i]);
    }
}

static void change_identity(struct walk *walk, uint32_t id, uint32_t chain)
{
    set(walk, STATE_CHAIN_STORED, id, chain);
    settle_identity(walk, id);
}

/* What is written over the old files is what everyone has who reads them by their own names. */
static void change_files(struct walk *walk, const struct step *step)
{
    size_t count;
    uint32_t first = walk->model->identities.items[step->identity].first;
    const uint32_t *ids = groups_of(&walk->identities_of_store, first, &count);
    for (size_t i = 0; i < count; i++)
        change_identity(walk, ids[i], step->new_chain);
}

static void refresh(struct walk *walk, const struct step *step)
{
    uint32_t process = process_of(walk->model, step->node, step->service);
    size_t count;
    const uint32_t *ids = groups_of(&walk->identities_of_process, process, &count);
    for (size_t i = 0; i < count; i++)
        load_identity(walk, ids[i]);
    ids = groups_of(&walk->trusters_of_process, process, &count);
    for (size_t i = 0; i < count; i++)
        load_truster(walk, ids[i]);
}

void walk_step(struct walk *walk, const struct step *step)
{
    if (!walk->moved)
        settle_all(walk);
    walk->moved = true;
    if (step_is_of_anchors(step->kind) || step_is_of_pins(step->kind))
        change_store(walk, step);
    if (step->kind == STEP_switch)
        change_identity(walk, step->identity, step->new_chain);
    /* Without a reference to switch, the new certificate takes the old one's place at once. */
    if (step->kind == STEP_install && step->in_place)
        change_files(walk, step);
    if (step->kind == STEP_refresh)
        refresh(walk, step);
}

void walk_on(struct walk *walk)
{
    for (size_t i = 0; i < walk->changes.count; i++) {
        struct state_change change = walk->changes.items[i];
        walk->before.part[change.part][change.id] = walk->after.part[change.part][change.id];
    }
    walk->changes.count = 0;
}

static int in_order(const void *a, const void *b)
{
    const struct state_change *left = a, *right = b;
    if (left->part != right->part)
        return left->part < right->part ? -1 : 1;
    return (left->id > right->id) - (left->id < right->id);
}

void walk_sort(struct walk *walk)
{
    struct state_change *changes = walk->changes.items;
    size_t kept = 0;
    if (walk->changes.count > 0)
        qsort(changes, walk->changes.count, sizeof(*changes), in_order);
    for (size_t i = 0; i < walk->changes.count; i++) {
        enum state_part part = changes[i].part;
        uint32_t id = changes[i].id;
        bool again = kept > 0 && in_order(&changes[kept - 1], &changes[i]) == 0;
        if (!again && walk->before.part[part][id] != walk->after.part[part][id])
            changes[kept++] = changes[i];
    }
    walk->changes.count = kept;
}

/* ---- links ---- */

struct link_parts link_parts(const struct model *model, const struct link *link)
{
    const struct service *to = &model->services.items[link->to];
    return (struct link_parts){ .client_identity = link->client_identity,
                                .client_truster = link->client_truster,
                                .server_identity = link->server_identity,
                                .server_truster =
                                    link->kind == LINK_CONNECT ? to->client_truster : NO_ID };
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

static uint32_t offer_at(struct model *model, const struct link *link, struct side side)
{
    AUTO(arena) struct arena scratch = { 0 };
    LIST(uint32_t) chains = { 0 };
    list_push(&scratch, &chains) = chain_at(side, link->client_identity);
    for (size_t i = 0; i < link->more_identities.count; i++)
        list_push(&scratch, &chains) = chain_at(side, link->more_identities.items[i]);
    return model_offer(model, chains.items, chains.count);
}

struct ends state_ends(struct model *model, const struct link *link, struct side client,
                       struct side server)
{
    struct link_parts parts = link_parts(model, link);
    return (struct ends){
        .client_chain = link->by_issuer ? offer_at(model, link, client)
                                        : chain_at(client, parts.client_identity),
        .client_anchors = anchors_at(client, parts.client_truster),
        .server_chain = chain_at(server, parts.server_identity),
        .server_anchors = anchors_at(server, parts.server_truster),
    };
}
