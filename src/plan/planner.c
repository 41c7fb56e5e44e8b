/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/planner.h"

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
    str text = str_printf(arena, "%s\n%.*s\n%.*s\n%.*s\n%.*s\n%.*s", step_kind_name(step->kind),
                          STR_ARG(step->node), STR_ARG(step->service), STR_ARG(step->store),
                          STR_ARG(step->expects), STR_ARG(step->leaves));
    return (str){ sha256_hex(arena, text).ptr, 16 };
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

str planner_fingerprint(struct planner *planner, uint32_t cert)
{
    if (cert == NO_ID)
        return S("absent");
    str sha256 = planner->model->certs.items[cert].sha256;
    return str_starts(sha256, S("new:"))
               ? sha256
               : str_printf(planner->arena, "sha256:%.*s", STR_ARG(sha256));
}

uint32_t planner_leaf(const struct model *model, uint32_t chain)
{
    if (chain == NO_ID)
        return NO_ID;
    size_t count;
    const uint32_t *members = model_members(model->chains.items[chain], &count);
    return count == 0 ? NO_ID : members[0];
}

const struct renewal *renewal_of(const struct planner *planner, uint32_t identity)
{
    for (size_t i = 0; i < planner->renewals.count; i++)
        if (planner->renewals.items[i].identity == identity)
            return &planner->renewals.items[i];
    return NULL;
}

struct turn *turn_of(struct planner *planner, str node, str service)
{
    AUTO(arena) struct arena scratch = { 0 };
    str key = str_printf(&scratch, "%.*s/%.*s", STR_ARG(node), STR_ARG(service));
    uint32_t id = map_get(&planner->model->service_ids, key);
    for (size_t i = 0; i < planner->turns.count; i++)
        if (planner->turns.items[i].service == id)
            return &planner->turns.items[i];
    struct turn *turn = &list_push(planner->arena, &planner->turns);
    *turn = (struct turn){ .service = id };
    return turn;
}

bool truster_must_load(const struct truster *truster)
{
    return truster->load == LOAD_RELOAD || truster->load == LOAD_RESTART;
}

void planner_find_turns(struct planner *planner)
{
    for (uint32_t i = 0; i < planner->model->identities.count; i++) {
        const struct identity *identity = &planner->model->identities.items[i];
        bool renewed = renewal_of(planner, i) != NULL;
        bool differs = identity->stored != identity->loaded && identity->stored != NO_ID;
        if (!renewed && !differs && !identity->stale)
            continue;
        struct turn *turn = turn_of(planner, identity->node, identity->service);
        if (identity->load != LOAD_PER_CONNECTION)
            turn->loads_identity = true;
    }
}

/* 0 for a replica or a pure client, 1 for a primary: roles are read again before each step. */
static int turn_rank(const struct planner *planner, const struct turn *turn)
{
    bool primary = str_eq(planner->model->services.items[turn->service].role, S("primary"));
    return primary && order_rule_active[ORDER_PRIMARY_LAST] ? 1 : 0;
}

/* A stable insertion sort: few services, and the file's order is what people expect. */
void planner_sort_turns(struct planner *planner)
{
    for (size_t i = 1; i < planner->turns.count; i++) {
        struct turn turn = planner->turns.items[i];
        int rank = turn_rank(planner, &turn);
        size_t j = i;
        for (; j > 0 && turn_rank(planner, &planner->turns.items[j - 1]) > rank; j--)
            planner->turns.items[j] = planner->turns.items[j - 1];
        planner->turns.items[j] = turn;
    }
}

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

void planner_snapshots(struct planner *planner)
{
    struct wave *wave = wave_add(planner);
    for (size_t i = 0; i < planner->changed_stores.count; i++)
        snapshot_store(planner, wave, planner->changed_stores.items[i]);
    for (size_t i = 0; i < planner->renewals.count; i++)
        snapshot_identity(planner, wave, &planner->renewals.items[i]);
    wave_drop_if_empty(planner);
}

static struct step service_step(struct planner *planner, enum step_kind kind,
                                const struct turn *turn, const char *leaves, const char *text)
{
    const struct service *service = &planner->model->services.items[turn->service];
    struct step step = step_make(kind, service->node, service->name, S(""));
    step.leaves = str_c(leaves);
    step.text = str_printf(planner->arena, "%s %.*s", text, STR_ARG(service->key));
    return step;
}

/* How many services one wave may change. */
static size_t batch_size(const struct planner *planner)
{
    if (!order_rule_active[ORDER_MAX_UNAVAILABLE] || planner->goal->max_unavailable == 0)
        return planner->turns.count;
    return planner->goal->max_unavailable;
}

/* The end of the batch that starts at `from`: a primary never shares one with a replica. */
static size_t batch_end(const struct planner *planner, size_t from)
{
    size_t end = from;
    while (end < planner->turns.count && end - from < batch_size(planner) &&
           turn_rank(planner, &planner->turns.items[end]) ==
               turn_rank(planner, &planner->turns.items[from]))
        end++;
    return end;
}

void planner_trust_loads(struct planner *planner, const char *text)
{
    for (size_t from = 0, end; from < planner->turns.count; from = end) {
        end = batch_end(planner, from);
        struct wave *wave = wave_add(planner);
        for (size_t i = from; i < end; i++)
            if (planner->turns.items[i].loads_trust)
                step_add(planner, wave,
                         service_step(planner, STEP_refresh, &planner->turns.items[i],
                                      "trust loaded", text));
        wave_drop_if_empty(planner);
    }
}

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
    step.certificate = planner_fingerprint(planner, renewal->new_cert);
    step.expects = planner_fingerprint(planner, renewal->old_leaf);
    step.leaves = beside ? str_printf(planner->arena, "written %.*s", STR_ARG(step.certificate))
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
    for (size_t i = 0; i < planner->renewals.count; i++) {
        const struct renewal *renewal = &planner->renewals.items[i];
        const struct identity *identity = &planner->model->identities.items[renewal->identity];
        const struct turn *turn = turn_of(planner, identity->node, identity->service);
        size_t at = (size_t)(turn - planner->turns.items);
        struct step step = identity_step(planner, kind, renewal);
        if (at >= from && at < end && takes_part(renewal, step.certificate, kind))
            step_add(planner, wave, step);
    }
    wave_drop_if_empty(planner);
}

static void plan_identity_loads(struct planner *planner, size_t from, size_t end)
{
    struct wave *wave = wave_add(planner);
    for (size_t i = from; i < end; i++)
        if (planner->turns.items[i].loads_identity)
            step_add(planner, wave,
                     service_step(planner, STEP_refresh, &planner->turns.items[i],
                                  "identity loaded", "load the stored certificate into"));
    wave_drop_if_empty(planner);
}

void planner_identities(struct planner *planner)
{
    for (size_t from = 0, end; from < planner->turns.count; from = end) {
        end = batch_end(planner, from);
        plan_identity_wave(planner, STEP_install, from, end);
        plan_identity_wave(planner, STEP_switch, from, end);
        plan_identity_loads(planner, from, end);
    }
}

void planner_verifications(struct planner *planner)
{
    struct wave *wave = wave_add(planner);
    for (size_t i = 0; i < planner->turns.count; i++)
        step_add(planner, wave,
                 service_step(planner, STEP_verify, &planner->turns.items[i], "seen on the wire",
                              "connect as every peer of"));
    wave_drop_if_empty(planner);
}
