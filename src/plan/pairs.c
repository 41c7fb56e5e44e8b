/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/planner.h"

/*
 * Certificates with their keys, put in place so that no reader meets half of a pair, and stores
 * that are copies of another: they are made again as soon as that one has what it is to have,
 * before anything is switched or loaded.
 */

/* ---- what can take a new key ---- */

/* One rename replaces a pair that is one file, where it is read as a whole when the service is told
   to. Who reads at each connection opens it once for each. */
static bool replaced_at_once(const struct identity *identity)
{
    bool nobody_reads = identity->service.len == 0;
    bool told = identity->load == LOAD_RELOAD || identity->load == LOAD_RESTART;
    return nobody_reads || (identity->one_file && told);
}

static bool is_safe(const struct pair *pair)
{
    return pair->beside || pair->at_once;
}

/* A pair is limited by the copies that follow it. */
static void add_copies(struct planner *planner)
{
    const struct model *model = planner->model;
    for (size_t i = 0; i < model->derived_identities.count; i++) {
        const struct derivation *at = &model->derived_identities.items[i];
        struct pair *source = &planner->pairs[model->identities.items[at->source].first];
        struct pair *copy = &planner->pairs[model->identities.items[at->copy].first];
        copy->is_copy = true;
        source->pinned = source->pinned || copy->pinned;
        source->takes_new_key = source->takes_new_key && is_safe(copy);
    }
}

void planner_find_pairs(struct planner *planner)
{
    const struct model *model = planner->model;
    planner->pairs =
        arena_alloc(planner->arena, model->identities.count + 1, sizeof(*planner->pairs));
    for (uint32_t i = 0; i < model->identities.count; i++) {
        const struct identity *identity = &model->identities.items[i];
        struct pair *pair = &planner->pairs[identity->first];
        bool first = identity->first == i;
        pair->beside = identity->has_reference && (pair->beside || first);
        pair->at_once = replaced_at_once(identity) && (pair->at_once || first);
        pair->mismatch = pair->mismatch || identity->key_mismatch;
    }
    for (size_t i = 0; i < model->identities.count; i++) {
        struct pair *pair = &planner->pairs[i];
        pair->beside = pair->beside && !pair->at_once;
        pair->takes_new_key = is_safe(pair);
        pair->pinned = planner->pinned_key[i];
    }
    add_copies(planner);
}

/* ---- copies ---- */

/* False when it is as its source is and stays, or cannot be made so without a moment's mismatch. */
static bool follow(struct planner *planner, const struct derivation *at, struct renewal *ret_copy)
{
    const struct identity *from = &planner->model->identities.items[at->source];
    const struct identity *copy = &planner->model->identities.items[at->copy];
    const struct renewal *source = renewal_of(planner, at->source);
    const struct pair *pair = &planner->pairs[copy->first];
    bool lags = from->stored != NO_ID && (copy->stored != from->stored || copy->key_mismatch);
    if (source == NULL && (!lags || !is_safe(pair)))
        return false;
    *ret_copy = (struct renewal){
        .identity = at->copy,
        .old_leaf = planner_leaf(planner->model, copy->stored),
        .new_cert = source != NULL ? source->new_cert : planner_leaf(planner->model, from->stored),
        .new_chain = source != NULL ? source->new_chain : from->stored,
        .certificate = source != NULL ? source->certificate
                                      : planner_fingerprint(
                                            planner, planner_leaf(planner->model, from->stored)),
        .new_key = source == NULL || source->new_key,
        .in_place = !pair->beside,
        .copy = true,
    };
    return true;
}

void planner_find_copies(struct planner *planner)
{
    const derivation_list *derived = &planner->model->derived_identities;
    for (size_t i = 0; i < derived->count; i++) {
        struct renewal copy;
        if (follow(planner, &derived->items[i], &copy))
            planner_renew(planner, &copy);
    }
}

/* Whoever has the store loaded must load what it lacked. */
static void load_again(struct planner *planner, uint32_t store)
{
    for (uint32_t i = 0; i < planner->model->trusters.count; i++) {
        const struct truster *truster = &planner->model->trusters.items[i];
        if (truster_must_load(truster) && model_reads(planner->model, i, store))
            planner_turn(planner, truster->node, truster->service)->loads_trust = true;
    }
}

void planner_find_copied_anchors(struct planner *planner)
{
    const struct model *model = planner->model;
    for (size_t i = 0; i < model->derived_stores.count; i++) {
        uint32_t copy = model->derived_stores.items[i].copy;
        const struct trust_store *source =
            &model->stores.items[model->derived_stores.items[i].source];
        size_t count;
        const uint32_t *anchors = model_members(model->anchor_sets.items[source->anchors], &count);
        for (size_t k = 0; k < count; k++) {
            if (planner->leaving[anchors[k]] ||
                model_anchors_have(model, model->stores.items[copy].anchors, anchors[k]))
                continue;
            planner_gain(planner, copy, anchors[k]);
            load_again(planner, copy);
        }
    }
}

/* ---- steps ---- */

/* The step that puts the new certificate beside or over the old one, or switches to it. */
static struct step identity_step(struct planner *planner, enum step_kind kind,
                                 const struct renewal *renewal)
{
    const struct identity *identity = &planner->model->identities.items[renewal->identity];
    struct step step = step_make(kind, identity->node, identity->service, identity->store);
    bool beside = kind == STEP_install && !renewal->in_place;
    step.identity = renewal->identity;
    step.new_cert = renewal->new_cert;
    step.new_chain = renewal->new_chain;
    step.new_key = renewal->new_key;
    step.in_place = renewal->in_place;
    step.certificate = renewal->certificate;
    step.expects = planner_expected(planner, renewal);
    step.leaves = beside ? planner_text(planner, "written %.*s", STR_ARG(step.certificate))
                         : step.certificate;
    step.text = str_printf(planner->arena,
                           renewal->copy && kind == STEP_install
                               ? "make %.*s/%.*s again from the %s pair that it is a copy of"
                           : kind == STEP_switch ? "switch %.*s/%.*s to the %s files"
                           : beside              ? "write the new %.*s/%.*s beside the old"
                                                 : "write the new %.*s/%.*s over the old",
                           STR_ARG(identity->node), STR_ARG(identity->store),
                           str_starts(step.certificate, S("new:")) ? "new" : "earlier");
    return step;
}

/* Files that a certificate goes back to are still there: only those of a new one are written. */
static bool takes_part(const struct renewal *renewal, str certificate, enum step_kind kind)
{
    if (kind == STEP_switch)
        return !renewal->in_place;
    return renewal->in_place || renewal->copy || str_starts(certificate, S("new:"));
}

/* ---- waves ---- */

struct installs {
    struct planner *planner;
    bool *done; /* by first identity of a store */
    struct wave *wave;
};

static bool *done_of(const struct installs *installs, const struct renewal *renewal)
{
    const struct model *model = installs->planner->model;
    uint32_t first = model->identities.items[renewal->identity].first;
    return &installs->done[order_rule_active[ORDER_SHARED_STORE] ? first : renewal->identity];
}

/* A store that several services read is written once. */
static void install(struct installs *installs, uint32_t index)
{
    const struct renewal *renewal = &installs->planner->renewals.items[index];
    bool *done = done_of(installs, renewal);
    if (*done)
        return;
    *done = true;
    struct step step = identity_step(installs->planner, STEP_install, renewal);
    if (takes_part(renewal, step.certificate, STEP_install))
        step_add(installs->planner, installs->wave, step);
}

/* The renewal that has to be in place before this one can be made; NO_ID: none. */
static uint32_t source_renewal(const struct planner *planner, uint32_t index)
{
    const struct renewal *renewal = &planner->renewals.items[index];
    uint32_t source = renewal->copy ? planner->source_of[renewal->identity] : NO_ID;
    return source == NO_ID ? NO_ID : planner->renewal_of[source];
}

/* The pairs of the services whose turn it is, with what those are copies of. */
static void install_sources(struct installs *installs, size_t from, size_t end)
{
    const struct planner *planner = installs->planner;
    installs->wave = wave_add(installs->planner);
    for (size_t i = from; i < end; i++)
        for (size_t k = 0; k < planner->turns.items[i].renewals.count; k++) {
            uint32_t index = planner->turns.items[i].renewals.items[k];
            uint32_t source = source_renewal(planner, index);
            if (source != NO_ID)
                install(installs, source);
            else if (!planner->renewals.items[index].copy)
                install(installs, index);
        }
    wave_drop_if_empty(installs->planner);
}

/* Every copy of what is in place by now. One that only lagged behind takes its service's turn, or
   `all` alike. */
static void install_copies(struct installs *installs, size_t from, size_t end, bool all)
{
    const struct planner *planner = installs->planner;
    installs->wave = wave_add(installs->planner);
    for (size_t i = 0; i < planner->model->derived_identities.count; i++) {
        uint32_t index = planner->renewal_of[planner->model->derived_identities.items[i].copy];
        uint32_t source = index == NO_ID ? NO_ID : source_renewal(planner, index);
        if (index != NO_ID &&
            (all || (source != NO_ID && *done_of(installs, &planner->renewals.items[source]))))
            install(installs, index);
    }
    for (size_t i = from; i < end; i++)
        for (size_t k = 0; k < planner->turns.items[i].renewals.count; k++)
            install(installs, planner->turns.items[i].renewals.items[k]);
    wave_drop_if_empty(installs->planner);
}

/* What no service reads has no turn. */
static void install_rest(struct installs *installs)
{
    installs->wave = wave_add(installs->planner);
    for (uint32_t i = 0; i < installs->planner->renewals.count; i++)
        if (!installs->planner->renewals.items[i].copy)
            install(installs, i);
    wave_drop_if_empty(installs->planner);
    install_copies(installs, 0, 0, true);
}

static void plan_switches(struct planner *planner, size_t from, size_t end)
{
    struct wave *wave = wave_add(planner);
    for (size_t i = from; i < end; i++) {
        const struct turn *turn = &planner->turns.items[i];
        for (size_t k = 0; k < turn->renewals.count; k++) {
            const struct renewal *renewal = &planner->renewals.items[turn->renewals.items[k]];
            struct step step = identity_step(planner, STEP_switch, renewal);
            if (takes_part(renewal, step.certificate, STEP_switch))
                step_add(planner, wave, step);
        }
    }
    wave_drop_if_empty(planner);
}

void planner_identities(struct planner *planner)
{
    AUTO(arena) struct arena scratch = { 0 };
    struct installs installs = { .planner = planner };
    installs.done = arena_alloc(&scratch, planner->model->identities.count + 1, sizeof(bool));
    for (size_t from = 0, end; from < planner->turns.count; from = end) {
        end = planner_batch_end(planner, from);
        if (planner->turns.items[from].batch > 0)
            planner_swaps(planner, planner->turns.items[from].batch);
        install_sources(&installs, from, end);
        install_copies(&installs, from, end, false);
        plan_switches(planner, from, end);
        planner_loads(planner, LOADS_IDENTITY, from, end);
    }
    if (planner->batches > 0)
        planner_swaps(planner, planner->batches);
    install_rest(&installs);
}
