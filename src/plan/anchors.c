/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/planner.h"
#include "plan/state.h"
#include "trust/path.h"
#include "trust/present.h"

#include <stdlib.h>

/*
 * Which anchors a renewal brings into trust stores, and which it leaves without use.
 *
 * Both are asked of the judge and not of issuers' names: a cross certificate that is sent along
 * makes a new anchor needless for whoever trusts the old one, an anchor that only completes what is
 * sent is needed as much as one that accepts.
 */

/* Nothing but this end's certificate decides: of the other, only that there is one. What is
   remembered of it is the business of pins.c. */
static bool accepts(const struct planner *planner, const struct judged_end *end, uint32_t chain,
                    uint32_t anchors)
{
    struct ends ends = { NO_ID, chain, NO_ID, NO_ID };
    anchors = planner_without_pins(planner, anchors);
    if (end->client) {
        ends.client_chain = end->link->by_issuer ? model_offer(planner->model, &chain, 1) : chain;
        ends.server_anchors = anchors;
    } else {
        ends.client_anchors = anchors;
    }
    return judge_link(planner->judge, end->link, ends, planner->goal->now).ok;
}

/* ---- losses ---- */

static uint32_t stored_of(const struct planner *planner, uint32_t truster)
{
    return truster == NO_ID
               ? NO_ID
               : truster_stored(planner->model, &planner->model->trusters.items[truster]);
}

/* What the certificates that go are vouched for by at this end is a candidate. */
static void mark_path(void *context, const struct judged_end *end)
{
    struct planner *planner = context;
    const struct renewal *renewal = renewal_of(planner, end->identity);
    uint32_t anchors = stored_of(planner, end->by);
    struct model *model = planner->model;
    moment now = planner->goal->now, since = INT64_MIN, until = INT64_MAX;
    struct path path;
    if (renewal == NULL || anchors == NO_ID)
        return;
    uint32_t chain =
        present_chain(&planner->judge->facts, model->identities.items[end->identity].stored,
                      stored_of(planner, end->own), now, &since, &until);
    if (chain == NO_ID)
        return;
    path_build(&planner->judge->facts, model->chains.items[chain],
               model->anchor_sets.items[anchors], now, &path);
    for (size_t i = 1; i < path.count; i++)
        planner->leaving[path.certs[i]] = true;
}

/* A root that was made anew with its old key has nothing left to vouch for either. */
static bool is_earlier_anchor(const struct planner *planner, uint32_t cert)
{
    const struct cert *old = &planner->model->certs.items[cert];
    const struct cert *now = &planner->model->certs.items[planner->goal->anchor];
    return str_eq(old->subject_der, now->subject_der) && str_eq(old->spki_sha256, now->spki_sha256);
}

static void mark_leaving(struct planner *planner)
{
    for (size_t i = 0; i < planner->model->links.count; i++)
        planner_ends(planner->model, &planner->model->links.items[i], mark_path, planner);
    for (uint32_t i = 0; i < planner->certs; i++)
        if (is_earlier_anchor(planner, i))
            planner->leaving[i] = true;
}

/* What vouches for the new certificates. */
static void mark_staying(struct planner *planner)
{
    const struct plan_goal *goal = planner->goal;
    for (size_t i = 0; i < goal->sent_along.count; i++)
        planner->leaving[goal->sent_along.items[i]] = false;
    planner->leaving[goal->issuer] = planner->leaving[goal->anchor] = false;
}

/* Whether a pin or an anchor of `set` goes that is not in `end`. */
static bool loses_of(const struct planner *planner, uint32_t set, uint32_t end, bool pin)
{
    size_t count;
    const uint32_t *members = model_members(planner->model->anchor_sets.items[set], &count);
    for (size_t i = 0; i < count; i++)
        if (planner->leaving[members[i]] && model_is_pin(planner->model, members[i]) == pin &&
            !model_anchors_have(planner->model, end, members[i]))
            return true;
    return false;
}

/* Whoever runs on with what a store with room for one no longer holds. */
static void find_replaced(struct planner *planner)
{
    const struct model *model = planner->model;
    for (uint32_t i = 0; i < model->trusters.count; i++) {
        const struct truster *truster = &model->trusters.items[i];
        bool remembers = truster_must_load(truster) &&
                         loses_of(planner, truster->loaded, stored_of(planner, i), false);
        for (size_t k = 0; k < truster->stores.count && remembers; k++) {
            uint32_t store = truster->stores.items[k];
            size_t count;
            const uint32_t *anchors =
                model_members(model->anchor_sets.items[model->stores.items[store].anchors], &count);
            if (model->stores.items[store].single && count > 0)
                (void)planner_swap(planner, store, anchors[0]);
        }
    }
}

void planner_find_losses(struct planner *planner)
{
    const struct model *model = planner->model;
    if (planner->goal->keep_anchors)
        return;
    if (planner->goal->replace_others)
        mark_leaving(planner);
    for (size_t i = 0; i < planner->goal->retire.count; i++)
        planner->leaving[planner->goal->retire.items[i]] = true;
    mark_staying(planner);
    for (uint32_t store = 0; store < model->stores.count; store++) {
        size_t count;
        const uint32_t *anchors =
            model_members(model->anchor_sets.items[model->stores.items[store].anchors], &count);
        for (size_t i = 0; i < count && !model->stores.items[store].fixed; i++)
            if (planner->leaving[anchors[i]])
                planner_lose(planner, store, anchors[i]);
    }
    find_replaced(planner);
}

/* ---- gains ---- */

/* What a truster will have of what it has now. */
static uint32_t what_stays(const struct planner *planner, uint32_t truster)
{
    uint32_t set = stored_of(planner, truster);
    size_t count;
    const uint32_t *anchors = model_members(planner->model->anchor_sets.items[set], &count);
    for (size_t i = 0; i < count; i++)
        if (planner->leaving[anchors[i]])
            set = model_anchors_without(planner->model, set, anchors[i]);
    return set;
}

static uint32_t chain_in_the_end(const struct planner *planner, uint32_t identity)
{
    const struct renewal *renewal = renewal_of(planner, identity);
    if (renewal != NULL)
        return renewal->new_chain;
    uint32_t chain = identity == NO_ID ? NO_ID : planner->model->identities.items[identity].stored;
    return planner_is_ours(planner, chain) ? chain : NO_ID;
}

/* Whether who judges has to be given the anchor before it meets the chain. */
static bool lacks(const struct planner *planner, const struct judged_end *end, uint32_t chain,
                  uint32_t anchors)
{
    return !accepts(planner, end, chain, anchors) &&
           !model_anchors_have(planner->model, anchors, planner->goal->anchor);
}

/* The first of its stores that can hold another anchor, or where none has room the first that holds
   one; NO_ID for one that trusts by pins alone. */
static uint32_t store_for_anchors(const struct model *model, const struct truster *truster)
{
    uint32_t single = NO_ID;
    for (size_t i = 0; i < truster->stores.count; i++) {
        const struct trust_store *store = &model->stores.items[truster->stores.items[i]];
        if (store->kind == STORE_ANCHORS && !store->single)
            return truster->stores.items[i];
        if (store->kind == STORE_ANCHORS && single == NO_ID)
            single = truster->stores.items[i];
    }
    return single;
}

/* One that has the anchor stored already and runs on with another is given it once more: it has to
   be loaded at the right moment. */
static void find_single_gain(struct planner *planner, const struct judged_end *end, uint32_t chain,
                             uint32_t store)
{
    const struct truster *truster = &planner->model->trusters.items[end->by];
    bool unloaded = truster_must_load(truster) && lacks(planner, end, chain, truster->loaded);
    if (unloaded || lacks(planner, end, chain, what_stays(planner, end->by)))
        planner_gain(planner, store, planner->goal->anchor);
}

static void find_gain(void *context, const struct judged_end *end)
{
    struct planner *planner = context;
    uint32_t chain = chain_in_the_end(planner, end->identity);
    if (chain == NO_ID || end->by == NO_ID)
        return;
    const struct truster *truster = &planner->model->trusters.items[end->by];
    uint32_t store = store_for_anchors(planner->model, truster);
    if (store == NO_ID)
        return;
    if (planner->model->stores.items[store].single) {
        find_single_gain(planner, end, chain, store);
        return;
    }
    if (lacks(planner, end, chain, what_stays(planner, end->by)))
        planner_gain(planner, store, planner->goal->anchor);
    /* Also where it is loaded and not stored: a restart before it is stored would lose it. */
    if (truster_must_load(truster) && (lacks(planner, end, chain, truster->loaded) ||
                                       lacks(planner, end, chain, stored_of(planner, end->by))))
        planner_turn(planner, truster->node, truster->service)->loads_trust = true;
}

static int by_store(const void *a, const void *b)
{
    const struct anchor_change *left = a, *right = b;
    return left->store < right->store ? -1 : left->store > right->store;
}

/* In the order of the stores, which is the file's. */
void planner_find_gains(struct planner *planner)
{
    for (size_t i = 0; i < planner->model->links.count; i++)
        planner_ends(planner->model, &planner->model->links.items[i], find_gain, planner);
    planner_find_copied_anchors(planner);
    if (planner->gains.count > 0)
        qsort(planner->gains.items, planner->gains.count, sizeof(struct anchor_change), by_store);
}

/* ---- what somebody needs after all ---- */

static void change_sets(struct planner *planner, struct state *state,
                        const anchor_change_list *changes, bool add)
{
    for (size_t i = 0; i < changes->count; i++) {
        const struct anchor_change *change = &changes->items[i];
        uint32_t *set = &state->anchors_stored[change->store];
        *set = add ? model_anchors_with(planner->model, *set, change->anchor)
                   : model_anchors_without(planner->model, *set, change->anchor);
    }
}

/* The end of the renewal, with or without what may go, everything loaded. */
static void final_state(struct planner *planner, struct arena *arena, bool without,
                        struct state *ret_state)
{
    struct model *model = planner->model;
    state_of_model(arena, model, ret_state);
    for (size_t i = 0; i < planner->renewals.count; i++)
        ret_state->chain_stored[planner->renewals.items[i].identity] =
            planner->renewals.items[i].new_chain;
    change_sets(planner, ret_state, &planner->gains, true);
    if (without)
        change_sets(planner, ret_state, &planner->losses, false);
    for (size_t i = 0; i < planner->swaps.count; i++)
        ret_state->anchors_stored[planner->swaps.items[i].store] =
            model_anchors(model, &planner->swaps.items[i].anchor, 1);
    state_load_all(model, ret_state);
}

void planner_state_with_gains(struct planner *planner, struct arena *arena, struct state *ret_state)
{
    state_of_model(arena, planner->model, ret_state);
    change_sets(planner, ret_state, &planner->gains, true);
}

static bool works(const struct planner *planner, const struct link *link, const struct state *state)
{
    struct side side = { state, true };
    struct ends ends = state_ends(planner->model, link, side, side);
    return judge_link(planner->judge, link, ends, planner->goal->now).ok;
}

/* Whether it would lose anything; then it keeps it. */
static bool keep_all_of(struct planner *planner, uint32_t truster, const struct link *link,
                        bool *loses)
{
    bool kept = false;
    if (truster == NO_ID)
        return false;
    const struct truster *row = &planner->model->trusters.items[truster];
    for (size_t i = 0; i < row->stores.count; i++) {
        uint32_t store = row->stores.items[i];
        if (loses[store])
            list_push(planner->arena, &planner->plan->kept) =
                (struct plan_kept){ store, link->key };
        kept = kept || loses[store];
        loses[store] = false;
    }
    return kept;
}

static void drop_kept(anchor_change_list *losses, const bool *loses)
{
    size_t left = 0;
    for (size_t i = 0; i < losses->count; i++)
        if (loses[losses->items[i].store])
            losses->items[left++] = losses->items[i];
    losses->count = left;
}

/* The link that needs what a store keeps. */
static str kept_for(const struct plan *plan, uint32_t store)
{
    for (size_t i = plan->kept.count; i-- > 0;)
        if (plan->kept.items[i].store == store)
            return plan->kept.items[i].link;
    return S("");
}

/* A copy has what its source has, and the other way round. */
static void keep_relatives(struct planner *planner, const bool *lost, bool *loses)
{
    const derivation_list *derived = &planner->model->derived_stores;
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < derived->count; i++)
            for (int turned = 0; turned < 2; turned++) {
                const struct derivation *at = &derived->items[i];
                uint32_t one = turned ? at->copy : at->source;
                uint32_t other = turned ? at->source : at->copy;
                if (!lost[one] || loses[one] || !loses[other])
                    continue;
                loses[other] = false;
                list_push(planner->arena, &planner->plan->kept) =
                    (struct plan_kept){ other, kept_for(planner->plan, one) };
            }
}

/* False when no link misses what goes. */
static bool keep_for_links(struct planner *planner)
{
    AUTO(arena) struct arena scratch = { 0 };
    struct state with, without;
    bool kept = false;
    bool *loses = arena_alloc(&scratch, planner->model->stores.count + 1, sizeof(bool));
    final_state(planner, &scratch, false, &with);
    final_state(planner, &scratch, true, &without);
    bool *lost = arena_alloc(&scratch, planner->model->stores.count + 1, sizeof(bool));
    for (size_t i = 0; i < planner->losses.count; i++)
        lost[planner->losses.items[i].store] = loses[planner->losses.items[i].store] = true;
    for (size_t i = 0; i < planner->model->links.count; i++) {
        const struct link *link = &planner->model->links.items[i];
        if (!works(planner, link, &with) || works(planner, link, &without))
            continue;
        uint32_t server = planner->model->services.items[link->to].client_truster;
        kept = keep_all_of(planner, link->client_truster, link, loses) || kept;
        kept = keep_all_of(planner, server, link, loses) || kept;
    }
    keep_relatives(planner, lost, loses);
    drop_kept(&planner->losses, loses);
    return kept;
}

/* Whether it forgets pins after a hold. */
static bool pins_are_held(const struct planner *planner, const struct truster *truster)
{
    for (size_t i = 0; i < truster->stores.count; i++)
        if (planner->model->stores.items[truster->stores.items[i]].kind == STORE_PINS &&
            planner_is_held(planner, truster->stores.items[i]))
            return true;
    return false;
}

/* Of `set`, what is in the truster's stores that have room for more than one: the rest goes when
   the only anchor of a store is replaced and that is loaded. */
static uint32_t without_swapped(const struct planner *planner, const struct truster *truster,
                                uint32_t set)
{
    struct model *model = planner->model;
    size_t count;
    const uint32_t *members = model_members(model->anchor_sets.items[set], &count);
    for (size_t i = 0; i < count; i++) {
        bool stays = false;
        for (size_t k = 0; k < truster->stores.count; k++)
            stays = stays ||
                    (planner_swap_of(planner, truster->stores.items[k]) == NULL &&
                     model_anchors_have(
                         model, model->stores.items[truster->stores.items[k]].anchors, members[i]));
        if (!stays)
            set = model_anchors_without(model, set, members[i]);
    }
    return set;
}

/* Whoever has it in memory must let go of it, and so must whoever has it stored: the refresh of a
   new certificate, or a restart, loads it meanwhile. */
static void find_unloads(struct planner *planner)
{
    AUTO(arena) struct arena scratch = { 0 };
    struct state start, end;
    state_of_model(&scratch, planner->model, &start);
    final_state(planner, &scratch, true, &end);
    for (size_t i = 0; i < planner->model->trusters.count; i++) {
        const struct truster *truster = &planner->model->trusters.items[i];
        uint32_t left = end.truster_stored[i], loaded = truster->loaded;
        uint32_t stored = start.truster_stored[i];
        bool swapped = planner_reads_swap(planner, (uint32_t)i);
        loaded = swapped ? without_swapped(planner, truster, loaded) : loaded;
        stored = swapped ? without_swapped(planner, truster, stored) : stored;
        bool held = pins_are_held(planner, truster);
        bool pins = loses_of(planner, loaded, left, true) || loses_of(planner, stored, left, true);
        bool unloads = (planner->goal->retiring && truster->stale && !swapped) || (held && pins) ||
                       loses_of(planner, loaded, left, false) ||
                       loses_of(planner, stored, left, false);
        if (unloads && truster_must_load(truster))
            planner_turn(planner, truster->node, truster->service)->unloads_trust = true;
        if (pins && !held && truster_must_load(truster))
            planner_turn(planner, truster->node, truster->service)->unloads_pins = true;
    }
}

static void note_retired(struct planner *planner, bool *noted, uint32_t anchor)
{
    if (!noted[anchor])
        list_push(planner->arena, &planner->plan->retired) = anchor;
    noted[anchor] = true;
}

void planner_note_retired(struct planner *planner)
{
    AUTO(arena) struct arena scratch = { 0 };
    const struct model *model = planner->model;
    bool *noted = arena_alloc(&scratch, planner->certs + 1, sizeof(bool));
    for (size_t i = 0; i < planner->losses.count; i++)
        note_retired(planner, noted, planner->losses.items[i].anchor);
    for (size_t i = 0; i < planner->swaps.count; i++) {
        size_t count;
        uint32_t set = model->stores.items[planner->swaps.items[i].store].anchors;
        const uint32_t *old = model_members(model->anchor_sets.items[set], &count);
        for (size_t k = 0; k < count && planner->swaps.items[i].before != SWAP_NEVER; k++)
            if (planner->leaving[old[k]])
                note_retired(planner, noted, old[k]);
    }
}

void planner_keep_needed(struct planner *planner)
{
    while (planner->losses.count > 0 && keep_for_links(planner))
        ;
    find_unloads(planner);
}

/* ---- in which order they go ---- */

typedef LIST(uint32_t) cert_id_list;

/* Each anchor once; the order of pins is of no account. */
static void find_lost(const struct planner *planner, struct arena *scratch, cert_id_list *ret_lost)
{
    bool *noted = arena_alloc(scratch, planner->model->certs.count + 1, sizeof(bool));
    for (size_t i = 0; i < planner->losses.count; i++) {
        uint32_t anchor = planner->losses.items[i].anchor;
        if (!noted[anchor] && !model_is_pin(planner->model, anchor))
            list_push(scratch, ret_lost) = anchor;
        noted[anchor] = true;
    }
}

static bool vouches_for_one(const struct planner *planner, uint32_t anchor,
                            const cert_id_list *others)
{
    for (size_t i = 0; i < others->count; i++)
        if (others->items[i] != anchor &&
            facts_likely_issued(&planner->judge->facts, others->items[i], anchor))
            return true;
    return false;
}

/* Takes the next to go off the list. */
static uint32_t take_next(const struct planner *planner, cert_id_list *lost)
{
    size_t next = 0;
    while (next + 1 < lost->count && vouches_for_one(planner, lost->items[next], lost))
        next++;
    uint32_t anchor = lost->items[next];
    for (size_t i = next + 1; i < lost->count; i++)
        lost->items[i - 1] = lost->items[i];
    lost->count--;
    return anchor;
}

void planner_sort_losses(struct planner *planner)
{
    AUTO(arena) struct arena scratch = { 0 };
    anchor_change_list sorted = { 0 };
    cert_id_list lost = { 0 };
    find_lost(planner, &scratch, &lost);
    while (lost.count > 0) {
        uint32_t anchor = take_next(planner, &lost);
        for (size_t i = 0; i < planner->losses.count; i++)
            if (planner->losses.items[i].anchor == anchor)
                list_push(planner->arena, &sorted) = planner->losses.items[i];
    }
    for (size_t i = 0; i < planner->losses.count; i++)
        if (model_is_pin(planner->model, planner->losses.items[i].anchor))
            list_push(planner->arena, &sorted) = planner->losses.items[i];
    planner->losses = sorted;
}
