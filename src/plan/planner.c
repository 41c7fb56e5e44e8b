/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/planner.h"

static uint32_t *no_ids(struct arena *arena, size_t count)
{
    uint32_t *ids = arena_alloc(arena, count + 1, sizeof(*ids));
    for (size_t i = 0; i < count; i++)
        ids[i] = NO_ID;
    return ids;
}

static void index_processes(struct planner *planner)
{
    const struct model *model = planner->model;
    groups_init(&planner->services_of_process, planner->arena, model->services.count);
    groups_init(&planner->links_of_process, planner->arena, model->services.count);
    for (int round = 0; round < 2; round++) {
        groups_round(&planner->services_of_process);
        groups_round(&planner->links_of_process);
        for (uint32_t i = 0; i < model->services.count; i++)
            groups_add(&planner->services_of_process, model_process(model, i), i);
        for (uint32_t i = 0; i < model->links.count; i++) {
            const struct link *link = &model->links.items[i];
            uint32_t from = model_process(model, link->from), to = model_process(model, link->to);
            groups_add(&planner->links_of_process, from, i);
            if (to != from)
                groups_add(&planner->links_of_process, to, i);
        }
    }
}

void planner_init(struct planner *planner, struct arena *arena, struct judge *judge,
                  const struct plan_goal *goal, struct plan *ret_plan)
{
    *ret_plan = (struct plan){ .cluster = goal->cluster };
    *planner = (struct planner){
        .arena = arena,
        .judge = judge,
        .model = judge->model,
        .goal = goal,
        .plan = ret_plan,
        .gain_ids.arena = arena,
        .texts.arena = arena,
        .certs = judge->model->certs.count,
        .leaving = arena_alloc(arena, judge->model->certs.count + 1, sizeof(bool)),
        .of_signers = arena_alloc(arena, judge->model->stores.count + 1, sizeof(bool)),
        .pinned_key = arena_alloc(arena, judge->model->identities.count + 1, sizeof(bool)),
        .renewal_of = no_ids(arena, judge->model->identities.count),
        .source_of = no_ids(arena, judge->model->identities.count),
        .turn_of = no_ids(arena, judge->model->services.count),
        .swap_of = no_ids(arena, judge->model->stores.count)
    };
    index_processes(planner);
    planner_find_signers(planner);
    for (size_t i = 0; i < judge->model->derived_identities.count; i++) {
        const struct derivation *derivation = &judge->model->derived_identities.items[i];
        planner->source_of[derivation->copy] = derivation->source;
    }
}

void planner_ends(const struct model *model, const struct link *link,
                  void (*each)(void *context, const struct judged_end *end), void *context)
{
    uint32_t server = model->services.items[link->to].client_truster;
    struct judged_end shown = { link, false, link->server_identity,
                                link->kind == LINK_SIGNER ? NO_ID : server, link->client_truster };
    each(context, &shown);
    if (link->kind == LINK_SIGNER)
        return;
    struct judged_end offered = { link, true, link->client_identity, link->client_truster, server };
    each(context, &offered);
    for (size_t i = 0; i < link->more_identities.count; i++) {
        offered.identity = link->more_identities.items[i];
        each(context, &offered);
    }
}

struct wave *wave_add(struct planner *planner)
{
    struct wave *wave = &list_push(planner->arena, &planner->plan->waves);
    *wave = (struct wave){ 0 };
    return wave;
}

void wave_drop_if_empty(struct planner *planner)
{
    size_t *count = &planner->plan->waves.count;
    if (*count > 0 && planner->plan->waves.items[*count - 1].steps.count == 0)
        --*count;
}

str step_id(struct arena *arena, const struct step *step)
{
    AUTO(arena) struct arena scratch = { 0 };
    str text = str_printf(&scratch, "%s\n%.*s\n%.*s\n%.*s\n%.*s\n%.*s", step_kind_name(step->kind),
                          STR_ARG(step->node), STR_ARG(step->service), STR_ARG(step->store),
                          STR_ARG(step->expects), STR_ARG(step->leaves));
    return str_copy(arena, (str){ sha256_hex(&scratch, text).ptr, 16 });
}

struct step step_make(enum step_kind kind, str node, str service, str store)
{
    return (struct step){ .kind = kind,
                          .node = node,
                          .service = service,
                          .store = store,
                          .identity = NO_ID,
                          .trust_store = NO_ID,
                          .new_cert = NO_ID,
                          .new_chain = NO_ID };
}

struct step *step_add(struct planner *planner, struct wave *wave, struct step step)
{
    step.id = step_id(planner->arena, &step);
    list_push(planner->arena, &wave->steps) = (uint32_t)planner->plan->steps.count;
    list_push(planner->arena, &planner->plan->steps) = step;
    return &planner->plan->steps.items[planner->plan->steps.count - 1];
}

str planner_text(struct planner *planner, const char *fmt, ...)
{
    AUTO(arena) struct arena scratch = { 0 };
    va_list ap;
    va_start(ap, fmt);
    str text = str_vprintf(&scratch, fmt, ap);
    va_end(ap);
    return map_keep(&planner->texts, text);
}

str planner_fingerprint(struct planner *planner, uint32_t cert)
{
    if (cert == NO_ID)
        return S("absent");
    AUTO(arena) struct arena scratch = { 0 };
    return map_keep(&planner->texts, model_cert_name(&scratch, planner->model, cert));
}

str planner_expected(struct planner *planner, const struct renewal *renewal)
{
    const struct identity *identity = &planner->model->identities.items[renewal->identity];
    return planner_fingerprint(planner, planner_leaf(planner->model, identity->stored));
}

uint32_t planner_leaf(const struct model *model, uint32_t chain)
{
    if (chain == NO_ID)
        return NO_ID;
    size_t count;
    const uint32_t *members = model_members(model->chains.items[chain], &count);
    return count == 0 ? NO_ID : members[0];
}

void planner_renew(struct planner *planner, const struct renewal *renewal)
{
    planner->renewal_of[renewal->identity] = (uint32_t)planner->renewals.count;
    list_push(planner->arena, &planner->renewals) = *renewal;
}

const struct renewal *renewal_of(const struct planner *planner, uint32_t identity)
{
    uint32_t index = identity == NO_ID ? NO_ID : planner->renewal_of[identity];
    return index == NO_ID ? NULL : &planner->renewals.items[index];
}

static bool issued_by(const struct planner *planner, uint32_t cert, uint32_t issuer)
{
    struct facts *facts = &planner->judge->facts;
    return facts_likely_issued(facts, cert, issuer) && facts_signed(facts, cert, issuer);
}

bool planner_is_ours(const struct planner *planner, uint32_t chain)
{
    size_t count = 0;
    const uint32_t *members =
        chain == NO_ID ? NULL : model_members(planner->model->chains.items[chain], &count);
    for (size_t i = 0; i < count; i++) {
        if (issued_by(planner, members[i], planner->goal->issuer))
            return true;
        if (i + 1 == count || !issued_by(planner, members[i], members[i + 1]))
            return false;
    }
    return false;
}

static bool gain(struct planner *planner, const struct anchor_change *change)
{
    if (planner->model->stores.items[change->store].single)
        return planner_swap(planner, change->store, change->anchor);
    const uint32_t key[] = { change->store, change->anchor };
    uint32_t fresh = (uint32_t)planner->gains.count;
    if (map_put(&planner->gain_ids, (str){ (const char *)key, sizeof(key) }, fresh) != fresh)
        return false;
    list_push(planner->arena, &planner->gains) = *change;
    return true;
}

void planner_gain_named(struct planner *planner, const struct anchor_change *change)
{
    (void)gain(planner, change);
}

void planner_gain(struct planner *planner, uint32_t store, uint32_t anchor)
{
    const struct model *model = planner->model;
    if (!gain(planner, &(struct anchor_change){ .store = store, .anchor = anchor }))
        return;
    for (size_t i = 0; i < model->derived_stores.count; i++) {
        const struct derivation *at = &model->derived_stores.items[i];
        uint32_t other = at->source == store ? at->copy : at->copy == store ? at->source : NO_ID;
        if (other != NO_ID &&
            !model_anchors_have(model, model->stores.items[other].anchors, anchor))
            planner_gain(planner, other, anchor);
    }
}

void planner_lose(struct planner *planner, uint32_t store, uint32_t anchor)
{
    /* It is never left empty for what takes the place of the old anchor everywhere. */
    if (planner->model->stores.items[store].single && planner->goal->anchor != NO_ID) {
        (void)planner_swap(planner, store, planner->goal->anchor);
        return;
    }
    list_push(planner->arena, &planner->losses) =
        (struct anchor_change){ .store = store, .anchor = anchor };
}

size_t planner_batch_end(const struct planner *planner, size_t from)
{
    size_t end = from;
    while (end < planner->turns.count &&
           planner->turns.items[end].batch == planner->turns.items[from].batch)
        end++;
    return end;
}

/* ---- snapshots ---- */

static void snapshot_store(struct planner *planner, struct wave *wave, uint32_t id)
{
    const struct trust_store *store = &planner->model->stores.items[id];
    struct step step = step_make(STEP_snapshot, store->node, S(""), store->name);
    step.trust_store = id;
    step.leaves = S("saved");
    step.text =
        str_printf(planner->arena, "save %.*s/%.*s", STR_ARG(store->node), STR_ARG(store->name));
    step_add(planner, wave, step);
}

static void snapshot_identity(struct planner *planner, struct wave *wave,
                              const struct renewal *renewal)
{
    const struct identity *identity = &planner->model->identities.items[renewal->identity];
    struct step step = step_make(STEP_snapshot, identity->node, identity->service, identity->store);
    step.identity = renewal->identity;
    step.expects = planner_expected(planner, renewal);
    step.leaves = S("saved");
    step.text = str_printf(planner->arena, "save %.*s/%.*s and what refers to it",
                           STR_ARG(identity->node), STR_ARG(identity->store));
    step_add(planner, wave, step);
}

static void snapshot_stores(struct planner *planner, struct wave *wave, bool *saved,
                            const anchor_change_list *changes)
{
    for (size_t i = 0; i < changes->count; i++) {
        uint32_t store = changes->items[i].store;
        if (!saved[store])
            snapshot_store(planner, wave, store);
        saved[store] = true;
    }
}

static void snapshot_swapped(struct planner *planner, struct wave *wave)
{
    for (size_t i = 0; i < planner->swaps.count; i++)
        if (!planner->swaps.items[i].stored && planner->swaps.items[i].before != SWAP_NEVER)
            snapshot_store(planner, wave, planner->swaps.items[i].store);
}

void planner_snapshots(struct planner *planner)
{
    AUTO(arena) struct arena scratch = { 0 };
    bool *saved = arena_alloc(&scratch, planner->model->stores.count + 1, sizeof(bool));
    struct wave *wave = wave_add(planner);
    snapshot_stores(planner, wave, saved, &planner->gains);
    snapshot_stores(planner, wave, saved, &planner->losses);
    snapshot_swapped(planner, wave);
    for (size_t i = 0; i < planner->renewals.count; i++)
        snapshot_identity(planner, wave, &planner->renewals.items[i]);
    wave_drop_if_empty(planner);
}

/* ---- anchors ---- */

static struct step anchor_step(struct planner *planner, enum step_kind kind,
                               const struct anchor_change *change)
{
    const struct trust_store *store = &planner->model->stores.items[change->store];
    str anchor = change->name.len > 0 ? change->name : planner_fingerprint(planner, change->anchor);
    bool add = kind == STEP_trust || kind == STEP_expect;
    struct step step = step_make(kind, store->node, S(""), store->name);
    step.trust_store = change->store;
    step.new_cert = change->anchor;
    step.certificate = anchor;
    step.expects = planner_text(planner, add ? "without %.*s" : "with %.*s", STR_ARG(anchor));
    step.leaves = planner_text(planner, add ? "with %.*s" : "without %.*s", STR_ARG(anchor));
    step.text =
        str_printf(planner->arena, add ? "add %.*s to %.*s/%.*s" : "remove %.*s from %.*s/%.*s",
                   STR_ARG(planner->model->certs.items[change->anchor].subject),
                   STR_ARG(store->node), STR_ARG(store->name));
    return step;
}

bool planner_is_copy(const struct model *model, uint32_t store)
{
    for (size_t i = 0; i < model->derived_stores.count; i++)
        if (model->derived_stores.items[i].copy == store)
            return true;
    return false;
}

/* Of the changes [from, end) those of one kind of store: copies are made from what their sources
   have by then. */
static void plan_changes(struct planner *planner, enum step_kind kind,
                         const anchor_change_list *changes, size_t from, size_t end)
{
    enum store_kind of = kind == STEP_expect ? STORE_PINS : STORE_ANCHORS;
    for (int copies = 0; copies < 2; copies++) {
        struct wave *wave = wave_add(planner);
        for (size_t i = from; i < end; i++) {
            const struct anchor_change *change = &changes->items[i];
            if (planner->model->stores.items[change->store].kind == of &&
                planner_is_copy(planner->model, change->store) == copies)
                step_add(planner, wave, anchor_step(planner, kind, change));
        }
        wave_drop_if_empty(planner);
    }
}

static void plan_gains(struct planner *planner, enum step_kind kind)
{
    plan_changes(planner, kind, &planner->gains, 0, planner->gains.count);
}

void planner_expects(struct planner *planner)
{
    plan_gains(planner, STEP_expect);
    planner_all_loads(planner, LOADS_GAINS);
}

void planner_gains(struct planner *planner)
{
    plan_gains(planner, STEP_trust);
    if (order_rule_active[ORDER_PIN_FIRST])
        plan_gains(planner, STEP_expect);
    planner_swaps(planner, 0);
    planner_all_loads(planner, LOADS_GAINS);
}

static void plan_forgets(struct planner *planner, bool held)
{
    struct wave *wave = wave_add(planner);
    for (size_t i = 0; i < planner->losses.count; i++) {
        const struct anchor_change *loss = &planner->losses.items[i];
        if (planner->model->stores.items[loss->store].kind == STORE_PINS &&
            planner_is_held(planner, loss->store) == held)
            step_add(planner, wave, anchor_step(planner, STEP_forget, loss));
    }
    wave_drop_if_empty(planner);
}

void planner_forgets(struct planner *planner)
{
    plan_forgets(planner, false);
    planner_all_loads(planner, LOADS_FORGETS);
}

static void plan_distrusts(struct planner *planner)
{
    const anchor_change_list *losses = &planner->losses;
    planner_sort_losses(planner);
    for (size_t from = 0, end; from < losses->count; from = end) {
        for (end = from; end < losses->count; end++)
            if (losses->items[end].anchor != losses->items[from].anchor)
                break;
        plan_changes(planner, STEP_distrust, losses, from, end);
    }
}

void planner_losses(struct planner *planner)
{
    plan_distrusts(planner);
    plan_forgets(planner, true);
    planner_swaps(planner, SWAP_LAST);
    planner_all_loads(planner, LOADS_LOSSES);
}

static void hold_anchor(struct planner *planner, struct wave *wave, uint32_t anchor)
{
    struct step step = step_make(STEP_hold, S(""), S(""), S(""));
    step.new_cert = anchor;
    step.certificate = planner_fingerprint(planner, anchor);
    step.expects = planner_text(planner, "%.*s in use", STR_ARG(step.certificate));
    step.leaves = planner_text(planner, "%.*s in use by nobody", STR_ARG(step.certificate));
    step.text = str_printf(planner->arena, "wait until nobody presents what %.*s vouches for",
                           STR_ARG(planner->model->certs.items[anchor].subject));
    step_add(planner, wave, step);
}

static bool is_held_anywhere(const struct planner *planner, uint32_t anchor)
{
    for (size_t i = 0; i < planner->losses.count; i++)
        if (planner->losses.items[i].anchor == anchor &&
            planner_is_held(planner, planner->losses.items[i].store))
            return true;
    for (size_t i = 0; i < planner->swaps.count; i++) {
        uint32_t set = planner->model->stores.items[planner->swaps.items[i].store].anchors;
        if (planner->swaps.items[i].before != SWAP_NEVER &&
            model_anchors_have(planner->model, set, anchor))
            return true;
    }
    return false;
}

void planner_holds(struct planner *planner)
{
    struct wave *wave = wave_add(planner);
    for (size_t i = 0; i < planner->plan->retired.count; i++)
        if (is_held_anywhere(planner, planner->plan->retired.items[i]))
            hold_anchor(planner, wave, planner->plan->retired.items[i]);
    wave_drop_if_empty(planner);
}

/* ---- the end ---- */

static void verify_process(struct planner *planner, struct wave *wave, uint32_t process)
{
    size_t count;
    const uint32_t *services = groups_of(&planner->services_of_process, process, &count);
    for (size_t i = 0; i < count; i++) {
        const struct service *service = &planner->model->services.items[services[i]];
        struct step step = step_make(STEP_verify, service->node, service->name, S(""));
        step.leaves = S("seen on the wire");
        step.text =
            str_printf(planner->arena, "connect as every peer of %.*s", STR_ARG(service->key));
        step_add(planner, wave, step);
    }
}

void planner_verifications(struct planner *planner)
{
    struct wave *wave = wave_add(planner);
    for (size_t i = 0; i < planner->turns.count; i++)
        if (!planner->turns.items[i].swaps_alone)
            verify_process(planner, wave, planner->turns.items[i].service);
    wave_drop_if_empty(planner);
}
