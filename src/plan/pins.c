/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/planner.h"

/*
 * What a renewal makes of pins. Whoever remembers a certificate or key that goes is told the next
 * one before that is shown, and forgets the old one when it is shown no more. Where nothing can be
 * told, the key is kept if it is the key that is remembered.
 *
 * Whoever remembers something else than what it is shown is told that: it is read from the store of
 * who shows it, and not from a connection that anybody may answer.
 */

/* ---- pins of one truster ---- */

static const struct trust_store *pin_store(const struct planner *planner,
                                           const struct truster *truster, size_t index)
{
    const struct trust_store *store = &planner->model->stores.items[truster->stores.items[index]];
    return store->kind == STORE_PINS ? store : NULL;
}

static const uint32_t *pins_in(const struct planner *planner, const struct trust_store *store,
                               size_t *ret_count)
{
    return model_members(planner->model->anchor_sets.items[store->anchors], ret_count);
}

static enum pin_kind kind_of(const struct planner *planner, uint32_t pin)
{
    struct pin parsed = { .kind = PIN_SPKI };
    (void)pin_of_name(planner->model->certs.items[pin].sha256, &parsed);
    return parsed.kind;
}

static bool matches_any(const struct planner *planner, uint32_t set, uint32_t leaf)
{
    size_t count;
    const uint32_t *members = model_members(planner->model->anchor_sets.items[set], &count);
    for (size_t i = 0; i < count; i++)
        if (model_is_pin(planner->model, members[i]) &&
            model_pin_matches(planner->model, members[i], leaf))
            return true;
    return false;
}

static bool has_pins(const struct planner *planner, uint32_t set)
{
    size_t count;
    const uint32_t *members = model_members(planner->model->anchor_sets.items[set], &count);
    for (size_t i = 0; i < count; i++)
        if (model_is_pin(planner->model, members[i]))
            return true;
    return false;
}

uint32_t planner_without_pins(const struct planner *planner, uint32_t set)
{
    size_t count;
    const uint32_t *members = model_members(planner->model->anchor_sets.items[set], &count);
    uint32_t left = set;
    for (size_t i = 0; i < count; i++)
        if (model_is_pin(planner->model, members[i]))
            left = model_anchors_without(planner->model, left, members[i]);
    return left;
}

/* ---- keys that must stay ---- */

static void find_pinned_key(void *context, const struct judged_end *end)
{
    struct planner *planner = context;
    bool pinned = false;
    if (end->identity == NO_ID || end->by == NO_ID)
        return;
    const struct truster *truster = &planner->model->trusters.items[end->by];
    uint32_t leaf =
        planner_leaf(planner->model, planner->model->identities.items[end->identity].stored);
    for (size_t i = 0; i < truster->stores.count && leaf != NO_ID; i++) {
        const struct trust_store *store = pin_store(planner, truster, i);
        if (store != NULL && !store->fixed)
            return; /* it can be told the next one */
        size_t count = 0;
        const uint32_t *pins = store == NULL ? NULL : pins_in(planner, store, &count);
        for (size_t k = 0; k < count; k++)
            pinned = pinned || (kind_of(planner, pins[k]) == PIN_SPKI &&
                                model_pin_matches(planner->model, pins[k], leaf));
    }
    uint32_t first = planner->model->identities.items[end->identity].first;
    planner->pinned_key[first] = planner->pinned_key[first] || pinned;
}

void planner_find_pinned_keys(struct planner *planner)
{
    for (size_t i = 0; i < planner->model->links.count; i++)
        planner_ends(planner->model, &planner->model->links.items[i], find_pinned_key, planner);
}

/* ---- the next pins ---- */

/* The pins of this store that remember what goes get one that remembers what comes. */
static bool stage_next(struct planner *planner, uint32_t store, const struct renewal *renewal)
{
    struct model *model = planner->model;
    uint32_t old = renewal->old_leaf, new = renewal->new_cert;
    bool staged = false;
    size_t count;
    const uint32_t *pins = pins_in(planner, &model->stores.items[store], &count);
    for (size_t i = 0; i < count; i++) {
        if (!model_is_pin(model, pins[i]) || !model_pin_matches(model, pins[i], old) ||
            model_pin_matches(model, pins[i], new))
            continue;
        enum pin_kind kind = kind_of(planner, pins[i]);
        struct anchor_change change = { .store = store, .anchor = model_pin_of(model, kind, new) };
        /* An approved step has the same name when what it is about has come. */
        if (str_starts(renewal->certificate, S("new:")))
            change.name = pin_name(planner->arena, (struct pin){ kind, renewal->certificate });
        planner_gain_named(planner, &change);
        planner->leaving[pins[i]] = true;
        staged = true;
    }
    return staged;
}

/* Where nothing that is remembered is what will be shown: the first store that can be told. */
static void stage_what_is_shown(struct planner *planner, const struct truster *truster,
                                uint32_t leaf)
{
    for (size_t i = 0; i < truster->stores.count; i++) {
        const struct trust_store *store = pin_store(planner, truster, i);
        size_t count;
        if (store == NULL || store->fixed)
            continue;
        const uint32_t *pins = pins_in(planner, store, &count);
        enum pin_kind kind = count > 0 ? kind_of(planner, pins[0]) : PIN_SPKI;
        planner_gain(planner, truster->stores.items[i], model_pin_of(planner->model, kind, leaf));
        return;
    }
}

static void find_next(void *context, const struct judged_end *end)
{
    struct planner *planner = context;
    if (end->identity == NO_ID || end->by == NO_ID)
        return;
    const struct renewal *renewal = renewal_of(planner, end->identity);
    const struct truster *truster = &planner->model->trusters.items[end->by];
    uint32_t stored = truster_stored(planner->model, truster);
    uint32_t old =
        planner_leaf(planner->model, planner->model->identities.items[end->identity].stored);
    uint32_t leaf = renewal == NULL ? old : renewal->new_cert;
    if (leaf == NO_ID || (!has_pins(planner, stored) && !has_pins(planner, truster->loaded)))
        return;
    bool staged = false;
    for (size_t i = 0; i < truster->stores.count && renewal != NULL && old != NO_ID; i++) {
        const struct trust_store *store = pin_store(planner, truster, i);
        if (store != NULL && !store->fixed)
            staged = stage_next(planner, truster->stores.items[i], renewal) || staged;
    }
    if (!staged && has_pins(planner, stored) && !matches_any(planner, stored, leaf))
        stage_what_is_shown(planner, truster, leaf);
    if (truster_must_load(truster) && has_pins(planner, truster->loaded) &&
        !matches_any(planner, truster->loaded, leaf))
        planner_turn(planner, truster->node, truster->service)->loads_trust = true;
}

void planner_find_pins(struct planner *planner)
{
    for (size_t i = 0; i < planner->model->links.count; i++)
        planner_ends(planner->model, &planner->model->links.items[i], find_next, planner);
}

/* ---- what goes ---- */

void planner_find_signers(struct planner *planner)
{
    for (size_t i = 0; i < planner->model->links.count; i++) {
        const struct link *link = &planner->model->links.items[i];
        if (link->kind != LINK_SIGNER || link->client_truster == NO_ID)
            continue;
        const struct truster *truster = &planner->model->trusters.items[link->client_truster];
        for (size_t k = 0; k < truster->stores.count; k++)
            planner->of_signers[truster->stores.items[k]] = true;
    }
}

/* What a signer has signed is about for longer than it signs. */
bool planner_is_held(const struct planner *planner, uint32_t store)
{
    return planner->model->stores.items[store].kind == STORE_ANCHORS || planner->of_signers[store];
}
