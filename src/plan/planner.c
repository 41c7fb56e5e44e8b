/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/planner.h"

#include <stddef.h>

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
    *planner = (struct planner){ .arena = arena,
                                 .judge = judge,
                                 .model = judge->model,
                                 .goal = goal,
                                 .plan = ret_plan,
                                 .gain_ids.arena = arena,
                                 .texts.arena = arena,
                                 .certs = judge->model->certs.count,
                                 .leaving = arena_alloc(arena, judge->model->certs.count + 1,
                                                        sizeof(bool)),
                                 .renewal_of = no_ids(arena, judge->model->identities.count),
                                 .turn_of = no_ids(arena, judge->model->services.count) };
    index_processes(planner);
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
    str sha256 = planner->model->certs.items[cert].sha256;
    return str_starts(sha256, S("new:")) ? sha256
                                         : planner_text(planner, "sha256:%.*s", STR_ARG(sha256));
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

void planner_gain(struct planner *planner, uint32_t store, uint32_t anchor)
{
    const uint32_t key[] = { store, anchor };
    uint32_t fresh = (uint32_t)planner->gains.count;
    if (map_put(&planner->gain_ids, (str){ (const char *)key, sizeof(key) }, fresh) == fresh)
        list_push(planner->arena, &planner->gains) = (struct anchor_change){ store, anchor };
}

void planner_lose(struct planner *planner, uint32_t store, uint32_t anchor)
{
    list_push(planner->arena, &planner->losses) = (struct anchor_change){ store, anchor };
}

struct turn *planner_turn(struct planner *planner, str node, str service)
{
    uint32_t id = model_process(planner->model, model_service(planner->model, node, service));
    if (planner->turn_of[id] == NO_ID) {
        planner->turn_of[id] = (uint32_t)planner->turns.count;
        list_push(planner->arena, &planner->turns) = (struct turn){ .service = id };
    }
    return &planner->turns.items[planner->turn_of[id]];
}

bool truster_must_load(const struct truster *truster)
{
    return truster->load == LOAD_RELOAD || truster->load == LOAD_RESTART;
}

void planner_find_turns(struct planner *planner)
{
    for (uint32_t i = 0; i < planner->model->identities.count; i++) {
        const struct identity *identity = &planner->model->identities.items[i];
        bool differs = identity->stored != identity->loaded && identity->stored != NO_ID;
        uint32_t renewal = planner->renewal_of[i];
        if (renewal == NO_ID && !differs && !identity->stale)
            continue;
        struct turn *turn = planner_turn(planner, identity->node, identity->service);
        if (renewal != NO_ID)
            list_push(planner->arena, &turn->renewals) = renewal;
        if (identity->load != LOAD_PER_CONNECTION)
            turn->loads_identity = true;
    }
}

/* ---- batches ---- */

/* How many services of a group there are, and how many have got a batch so far. */
struct group {
    size_t replicas, placed[2]; /* by rank */
};
typedef LIST(struct group) group_list;

/* 0 for a replica or a pure client, 1 for a primary: roles are read again before each step. */
static int turn_rank(const struct planner *planner, const struct turn *turn)
{
    bool primary = str_eq(planner->model->services.items[turn->service].role, S("primary"));
    return primary && order_rule_active[ORDER_PRIMARY_LAST] ? 1 : 0;
}

/* How many services of a group one wave may change. */
static size_t batch_size(const struct planner *planner)
{
    if (!order_rule_active[ORDER_MAX_UNAVAILABLE] || planner->goal->max_unavailable == 0)
        return planner->turns.count;
    return planner->goal->max_unavailable;
}

static struct group *group_of(struct arena *arena, struct map *ids, group_list *groups, str name)
{
    uint32_t id = map_put(ids, name, (uint32_t)groups->count);
    if (id == groups->count)
        list_push(arena, groups) = (struct group){ 0 };
    return &groups->items[id];
}

/* A primary comes after the replicas of its group and never shares a batch with one. */
static size_t batch_of(struct group *group, int rank, size_t size)
{
    size_t before = rank == 0 ? 0 : (group->replicas + size - 1) / size;
    return before + group->placed[rank]++ / size;
}

static void place_turns(struct planner *planner)
{
    AUTO(arena) struct arena scratch = { 0 };
    struct map ids = { .arena = &scratch };
    group_list groups = { 0 };
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < planner->turns.count; i++) {
            struct turn *turn = &planner->turns.items[i];
            str name = planner->model->services.items[turn->service].group;
            struct group *group = group_of(&scratch, &ids, &groups, name);
            int rank = turn_rank(planner, turn);
            if (pass == 0)
                group->replicas += rank == 0;
            else
                turn->batch = batch_of(group, rank, batch_size(planner));
            if (turn->batch >= planner->batches)
                planner->batches = turn->batch + 1;
        }
}

/* Snapshot, issue, install and switch; loads of gains, losses and identities, and a verification;
   a snapshot of a store and its change. Few renewals need all of them. */
static void make_room(struct planner *planner)
{
    size_t stores = planner->gains.count + planner->losses.count;
    list_reserve(planner->arena, &planner->plan->steps,
                 4 * (planner->renewals.count + planner->turns.count) + 2 * stores);
}

/* The file's order within a batch is what people expect. */
void planner_sort_turns(struct planner *planner)
{
    AUTO(arena) struct arena scratch = { 0 };
    make_room(planner);
    place_turns(planner);
    size_t *next = arena_alloc(&scratch, planner->batches + 2, sizeof(size_t));
    struct turn *sorted = arena_alloc(&scratch, planner->turns.count + 1, sizeof(*sorted));
    for (size_t i = 0; i < planner->turns.count; i++)
        next[planner->turns.items[i].batch + 1]++;
    for (size_t batch = 0; batch < planner->batches; batch++)
        next[batch + 1] += next[batch];
    for (size_t i = 0; i < planner->turns.count; i++)
        sorted[next[planner->turns.items[i].batch]++] = planner->turns.items[i];
    for (size_t i = 0; i < planner->turns.count; i++) {
        planner->turns.items[i] = sorted[i];
        planner->turn_of[sorted[i].service] = (uint32_t)i;
    }
}

/* The turns of a batch are [from, end). */
static size_t batch_end(const struct planner *planner, size_t from)
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
    step.expects = planner_fingerprint(planner, renewal->old_leaf);
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

void planner_snapshots(struct planner *planner)
{
    AUTO(arena) struct arena scratch = { 0 };
    bool *saved = arena_alloc(&scratch, planner->model->stores.count + 1, sizeof(bool));
    struct wave *wave = wave_add(planner);
    snapshot_stores(planner, wave, saved, &planner->gains);
    snapshot_stores(planner, wave, saved, &planner->losses);
    for (size_t i = 0; i < planner->renewals.count; i++)
        snapshot_identity(planner, wave, &planner->renewals.items[i]);
    wave_drop_if_empty(planner);
}

/* ---- loads ---- */

/* What a service is made to load for. */
struct load_phase {
    size_t flag; /* offset of a bool in struct turn */
    const char *leaves, *what;
};

static const struct load_phase load_gains = { offsetof(struct turn, loads_trust), "trust loaded",
                                              "the new anchor" };
static const struct load_phase load_losses = { offsetof(struct turn, unloads_trust),
                                               "old anchor no longer loaded",
                                               "what is left to trust" };
static const struct load_phase load_identity = { offsetof(struct turn, loads_identity),
                                                 "identity loaded", "the stored certificate" };

static bool restarts(const struct planner *planner, uint32_t process)
{
    size_t count;
    const uint32_t *services = groups_of(&planner->services_of_process, process, &count);
    for (size_t i = 0; i < count; i++)
        if (planner->model->services.items[services[i]].restarts)
            return true;
    return false;
}

/* What starts anew is not there for a moment: not for its clients, and not as a client. */
static void list_outage(struct planner *planner, uint32_t process, struct step *step)
{
    size_t count;
    const uint32_t *links = groups_of(&planner->links_of_process, process, &count);
    for (size_t i = 0; i < count; i++) {
        const struct link *link = &planner->model->links.items[links[i]];
        if (link->kind == LINK_CONNECT)
            list_push(planner->arena, &step->outage) = link->key;
    }
}

static struct step load_step(struct planner *planner, const struct load_phase *phase,
                             uint32_t process)
{
    const struct service *service = &planner->model->services.items[process];
    struct step step = step_make(STEP_refresh, service->node, service->name, S(""));
    bool anew = restarts(planner, process);
    step.leaves = str_c(phase->leaves);
    step.text =
        anew ? str_printf(planner->arena, "restart %.*s to load %s", STR_ARG(service->key),
                          phase->what)
             : str_printf(planner->arena, "load %s into %.*s", phase->what, STR_ARG(service->key));
    if (anew)
        list_outage(planner, process, &step);
    return step;
}

static void plan_loads(struct planner *planner, const struct load_phase *phase, size_t from,
                       size_t end)
{
    struct wave *wave = wave_add(planner);
    for (size_t i = from; i < end; i++) {
        const struct turn *turn = &planner->turns.items[i];
        if (*(const bool *)((const char *)turn + phase->flag))
            step_add(planner, wave, load_step(planner, phase, turn->service));
    }
    wave_drop_if_empty(planner);
}

static void plan_all_loads(struct planner *planner, const struct load_phase *phase)
{
    for (size_t from = 0, end; from < planner->turns.count; from = end) {
        end = batch_end(planner, from);
        plan_loads(planner, phase, from, end);
    }
}

/* ---- anchors ---- */

static struct step anchor_step(struct planner *planner, enum step_kind kind,
                               const struct anchor_change *change)
{
    const struct trust_store *store = &planner->model->stores.items[change->store];
    str anchor = planner_fingerprint(planner, change->anchor);
    bool add = kind == STEP_trust;
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

void planner_gains(struct planner *planner)
{
    struct wave *wave = wave_add(planner);
    for (size_t i = 0; i < planner->gains.count; i++)
        step_add(planner, wave, anchor_step(planner, STEP_trust, &planner->gains.items[i]));
    wave_drop_if_empty(planner);
    plan_all_loads(planner, &load_gains);
}

void planner_losses(struct planner *planner)
{
    struct wave *wave = NULL;
    uint32_t going = NO_ID;
    planner_sort_losses(planner);
    for (size_t i = 0; i < planner->losses.count; i++) {
        const struct anchor_change *loss = &planner->losses.items[i];
        if (loss->anchor != going)
            wave = wave_add(planner);
        going = loss->anchor;
        step_add(planner, wave, anchor_step(planner, STEP_distrust, loss));
    }
    plan_all_loads(planner, &load_losses);
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

void planner_holds(struct planner *planner)
{
    struct wave *wave = wave_add(planner);
    for (size_t i = 0; i < planner->plan->retired.count; i++)
        hold_anchor(planner, wave, planner->plan->retired.items[i]);
    wave_drop_if_empty(planner);
}

/* ---- identities ---- */

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
    step.expects = planner_fingerprint(planner, renewal->old_leaf);
    step.leaves = beside ? planner_text(planner, "written %.*s", STR_ARG(step.certificate))
                         : step.certificate;
    step.text = str_printf(planner->arena,
                           kind == STEP_switch ? "switch %.*s/%.*s to the %s files"
                           : beside            ? "write the new %.*s/%.*s beside the old"
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
    return renewal->in_place || str_starts(certificate, S("new:"));
}

static void plan_identity_wave(struct planner *planner, enum step_kind kind, size_t from,
                               size_t end)
{
    struct wave *wave = wave_add(planner);
    for (size_t i = from; i < end; i++) {
        const struct turn *turn = &planner->turns.items[i];
        for (size_t k = 0; k < turn->renewals.count; k++) {
            const struct renewal *renewal = &planner->renewals.items[turn->renewals.items[k]];
            struct step step = identity_step(planner, kind, renewal);
            if (takes_part(renewal, step.certificate, kind))
                step_add(planner, wave, step);
        }
    }
    wave_drop_if_empty(planner);
}

void planner_identities(struct planner *planner)
{
    for (size_t from = 0, end; from < planner->turns.count; from = end) {
        end = batch_end(planner, from);
        plan_identity_wave(planner, STEP_install, from, end);
        plan_identity_wave(planner, STEP_switch, from, end);
        plan_loads(planner, &load_identity, from, end);
    }
}

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
        verify_process(planner, wave, planner->turns.items[i].service);
    wave_drop_if_empty(planner);
}
