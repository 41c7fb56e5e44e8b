/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/plan.h"

#include "plan/state.h"

/* A planned renewal of one identity. */
struct renewal {
    uint32_t identity; /* in the model */
    uint32_t old_leaf; /* cert id, or NO_ID when nothing readable is stored */
    uint32_t new_cert; /* cert id of the planned certificate */
    bool keep_key;
};

/* A service that takes part, in the order in which services are changed. */
struct turn {
    uint32_t service;
    bool loads_trust;    /* must reload after its trust stores gained the anchor */
    bool loads_identity; /* must reload because stored and loaded differ, now or by the plan */
};

struct planner {
    struct arena *arena;
    struct judge *judge;
    struct model *model;
    const struct plan_goal *goal;
    struct plan *plan;
    LIST(struct renewal) renewals;
    LIST(uint32_t) gaps; /* trust stores that lack the issuer */
    LIST(struct turn) turns;
};

static struct wave *wave_add(struct planner *planner)
{
    struct wave *wave = &list_push(planner->arena, &planner->plan->waves);
    *wave = (struct wave){ 0 };
    return wave;
}

/* Waves that turned out to have no step are not waves. */
static void wave_drop_if_empty(struct planner *planner)
{
    size_t *count = &planner->plan->waves.count;
    if (*count > 0 && planner->plan->waves.items[*count - 1].steps.count == 0)
        --*count;
}

static str step_id(struct arena *arena, const struct step *step)
{
    str text = str_printf(arena, "%s\n%.*s\n%.*s\n%.*s\n%.*s\n%.*s", step_kind_name(step->kind),
                          STR_ARG(step->node), STR_ARG(step->service), STR_ARG(step->store),
                          STR_ARG(step->expects), STR_ARG(step->leaves));
    return (str){ sha256_hex(arena, text).ptr, 16 };
}

static struct step step_make(enum step_kind kind, str node, str service, str store)
{
    return (struct step){ .kind = kind,
                          .node = node,
                          .service = service,
                          .store = store,
                          .identity = NO_ID,
                          .trust_store = NO_ID,
                          .new_cert = NO_ID };
}

/* The id is taken last, when expects and leaves are known. */
static struct step *step_add(struct planner *planner, struct wave *wave, struct step step)
{
    step.id = step_id(planner->arena, &step);
    list_push(planner->arena, &wave->steps) = (uint32_t)planner->plan->steps.count;
    list_push(planner->arena, &planner->plan->steps) = step;
    return &planner->plan->steps.items[planner->plan->steps.count - 1];
}

static str fingerprint(struct planner *planner, uint32_t cert)
{
    if (cert == NO_ID)
        return S("absent");
    str sha256 = planner->model->certs.items[cert].sha256;
    return str_starts(sha256, S("new:"))
               ? sha256
               : str_printf(planner->arena, "sha256:%.*s", STR_ARG(sha256));
}

static uint32_t leaf_of(const struct model *model, uint32_t chain)
{
    if (chain == NO_ID)
        return NO_ID;
    size_t count;
    const uint32_t *members = model_members(model->chains.items[chain], &count);
    return count == 0 ? NO_ID : members[0];
}

static bool is_due(const struct planner *planner, const struct identity *identity, uint32_t leaf)
{
    const struct plan_goal *goal = planner->goal;
    if (leaf == NO_ID)
        return false; /* nothing to take names from: preflight says so */
    moment end = planner->model->certs.items[leaf].not_after;
    return goal->renew_all || identity->key_mismatch || end - goal->now < goal->renew_before;
}

static struct step issue_step(struct planner *planner, const struct renewal *renewal)
{
    const struct identity *identity = &planner->model->identities.items[renewal->identity];
    struct step step = step_make(STEP_issue, identity->node, S(""), identity->store);
    step.identity = renewal->identity;
    step.expects = fingerprint(planner, renewal->old_leaf);
    step.leaves = str_printf(planner->arena, "certificate by %.*s, %s key",
                             STR_ARG(fingerprint(planner, planner->goal->issuer)),
                             renewal->keep_key ? "the same" : "a new");
    step.text = str_printf(planner->arena, "make %s and get a certificate for %.*s/%.*s",
                           renewal->keep_key ? "a request with the same key" : "a new key",
                           STR_ARG(identity->node), STR_ARG(identity->store));
    return step;
}

/* The certificate that will be there: the old one's names and uses, new dates, key and issuer
   (RFC 5280, 4.1.2.5: both ends of the validity are inclusive). Its DER stays the old one's, for
   name matching; its signature is taken for granted. */
static uint32_t planned_cert(struct planner *planner, const struct renewal *renewal)
{
    const struct plan_goal *goal = planner->goal;
    struct cert cert = planner->model->certs.items[renewal->old_leaf];
    const struct cert *issuer = &planner->model->certs.items[goal->issuer];
    struct step issue = issue_step(planner, renewal);
    str issue_id = step_id(planner->arena, &issue);
    cert.sha256 = str_printf(planner->arena, "new:%.*s", STR_ARG(issue_id));
    if (!renewal->keep_key)
        cert.spki_sha256 = cert.sha256;
    cert.issuer = issuer->subject;
    cert.issuer_der = issuer->subject_der;
    cert.authority_key_id = issuer->subject_key_id;
    cert.self_issued = false;
    cert.not_before = goal->now - 300 > issuer->not_before ? goal->now - 300 : issuer->not_before;
    moment end = goal->now + goal->lifetime;
    cert.not_after = end < issuer->not_after ? end : issuer->not_after;
    uint32_t id = model_cert(planner->model, &cert);
    judge_assume_signed(planner->judge, id, goal->issuer);
    return id;
}

static const struct renewal *renewal_of(const struct planner *planner, uint32_t identity)
{
    for (size_t i = 0; i < planner->renewals.count; i++)
        if (planner->renewals.items[i].identity == identity)
            return &planner->renewals.items[i];
    return NULL;
}

static void find_renewals(struct planner *planner)
{
    for (uint32_t i = 0; i < planner->model->identities.count; i++) {
        const struct identity *identity = &planner->model->identities.items[i];
        struct renewal renewal = { .identity = i,
                                   .old_leaf = leaf_of(planner->model, identity->stored) };
        if (!is_due(planner, identity, renewal.old_leaf))
            continue;
        /* Two renames cannot replace a pair at once: without a reference the key is kept. */
        renewal.keep_key = planner->goal->keep_key || !identity->has_reference;
        renewal.new_cert = planned_cert(planner, &renewal);
        list_push(planner->arena, &planner->renewals) = renewal;
    }
}

static struct turn *turn_of(struct planner *planner, str node, str service)
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

/* The truster must hold the issuer, stored and loaded, before it meets the new certificate. */
static void need_anchor(struct planner *planner, uint32_t truster_id)
{
    if (truster_id == NO_ID)
        return;
    struct model *model = planner->model;
    const struct truster *truster = &model->trusters.items[truster_id];
    uint32_t issuer = planner->goal->issuer;
    bool stored = model_anchors_have(model, truster_stored(model, truster), issuer);
    bool loaded = model_anchors_have(model, truster->loaded, issuer);
    if (!loaded && truster->load != LOAD_PER_CONNECTION)
        turn_of(planner, truster->node, truster->service)->loads_trust = true;
    if (stored || truster->stores.count == 0)
        return;
    for (size_t i = 0; i < planner->gaps.count; i++)
        if (planner->gaps.items[i] == truster->stores.items[0])
            return;
    list_push(planner->arena, &planner->gaps) = truster->stores.items[0];
}

static void find_gaps(struct planner *planner)
{
    const struct model *model = planner->model;
    for (size_t i = 0; i < model->links.count; i++) {
        const struct link *link = &model->links.items[i];
        const struct service *to = &model->services.items[link->to];
        if (renewal_of(planner, to->listen_identity) != NULL)
            need_anchor(planner, link->client_truster);
        if (renewal_of(planner, link->client_identity) != NULL)
            need_anchor(planner, to->client_truster);
    }
}

static void find_turns(struct planner *planner)
{
    for (uint32_t i = 0; i < planner->model->identities.count; i++) {
        const struct identity *identity = &planner->model->identities.items[i];
        bool renewed = renewal_of(planner, i) != NULL;
        bool stale = identity->stored != identity->loaded && identity->stored != NO_ID;
        if (!renewed && !stale)
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
static void sort_turns(struct planner *planner)
{
    for (size_t i = 1; i < planner->turns.count; i++) {
        struct turn turn = planner->turns.items[i];
        size_t j = i;
        for (;
             j > 0 && turn_rank(planner, &planner->turns.items[j - 1]) > turn_rank(planner, &turn);
             j--)
            planner->turns.items[j] = planner->turns.items[j - 1];
        planner->turns.items[j] = turn;
    }
}

static void plan_snapshots(struct planner *planner)
{
    struct wave *wave = wave_add(planner);
    for (size_t i = 0; i < planner->gaps.count; i++) {
        const struct trust_store *store = &planner->model->stores.items[planner->gaps.items[i]];
        struct step step = step_make(STEP_snapshot, store->node, S(""), store->name);
        step.trust_store = planner->gaps.items[i];
        step.leaves = S("saved");
        step.text = str_printf(planner->arena, "save %.*s/%.*s", STR_ARG(store->node),
                               STR_ARG(store->name));
        step_add(planner, wave, step);
    }
    for (size_t i = 0; i < planner->renewals.count; i++) {
        const struct renewal *renewal = &planner->renewals.items[i];
        const struct identity *identity = &planner->model->identities.items[renewal->identity];
        struct step step =
            step_make(STEP_snapshot, identity->node, identity->service, identity->store);
        step.identity = renewal->identity;
        step.expects = fingerprint(planner, renewal->old_leaf);
        step.leaves = S("saved");
        step.text = str_printf(planner->arena, "save %.*s/%.*s and what refers to it",
                               STR_ARG(identity->node), STR_ARG(identity->store));
        step_add(planner, wave, step);
    }
    wave_drop_if_empty(planner);
}

static void plan_issues(struct planner *planner)
{
    struct wave *wave = wave_add(planner);
    for (size_t i = 0; i < planner->renewals.count; i++) {
        struct step step = issue_step(planner, &planner->renewals.items[i]);
        step.new_cert = planner->renewals.items[i].new_cert;
        step.certificate = fingerprint(planner, step.new_cert);
        step_add(planner, wave, step);
    }
    wave_drop_if_empty(planner);
}

static void plan_trust_stores(struct planner *planner)
{
    struct wave *wave = wave_add(planner);
    str anchor = fingerprint(planner, planner->goal->issuer);
    for (size_t i = 0; i < planner->gaps.count; i++) {
        const struct trust_store *store = &planner->model->stores.items[planner->gaps.items[i]];
        struct step step = step_make(STEP_trust, store->node, S(""), store->name);
        step.trust_store = planner->gaps.items[i];
        step.new_cert = planner->goal->issuer;
        step.certificate = anchor;
        step.expects = str_printf(planner->arena, "without %.*s", STR_ARG(anchor));
        step.leaves = str_printf(planner->arena, "with %.*s", STR_ARG(anchor));
        step.text = str_printf(planner->arena, "add %.*s to %.*s/%.*s",
                               STR_ARG(planner->model->certs.items[planner->goal->issuer].subject),
                               STR_ARG(store->node), STR_ARG(store->name));
        step_add(planner, wave, step);
    }
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

static void plan_trust_loads(struct planner *planner)
{
    for (size_t from = 0, end; from < planner->turns.count; from = end) {
        end = batch_end(planner, from);
        struct wave *wave = wave_add(planner);
        for (size_t i = from; i < end; i++)
            if (planner->turns.items[i].loads_trust)
                step_add(planner, wave,
                         service_step(planner, STEP_refresh, &planner->turns.items[i],
                                      "trust loaded", "load the new anchor into"));
        wave_drop_if_empty(planner);
    }
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
        if (at < from || at >= end || (kind == STEP_switch && !identity->has_reference))
            continue;
        struct step step = step_make(kind, identity->node, identity->service, identity->store);
        bool install = kind == STEP_install;
        step.identity = renewal->identity;
        step.new_cert = renewal->new_cert;
        step.certificate = fingerprint(planner, renewal->new_cert);
        step.expects = fingerprint(planner, renewal->old_leaf);
        step.leaves = install
                          ? str_printf(planner->arena, "written %.*s", STR_ARG(step.certificate))
                          : step.certificate;
        step.text = str_printf(planner->arena,
                               install ? "write the new %.*s/%.*s beside the old"
                                       : "switch %.*s/%.*s to the new files",
                               STR_ARG(identity->node), STR_ARG(identity->store));
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
                                  "identity loaded", "load the new certificate into"));
    wave_drop_if_empty(planner);
}

static void plan_verifications(struct planner *planner)
{
    struct wave *wave = wave_add(planner);
    for (size_t i = 0; i < planner->turns.count; i++)
        step_add(planner, wave,
                 service_step(planner, STEP_verify, &planner->turns.items[i], "seen on the wire",
                              "connect as every peer of"));
    wave_drop_if_empty(planner);
}

static void plan_identities(struct planner *planner)
{
    for (size_t from = 0, end; from < planner->turns.count; from = end) {
        end = batch_end(planner, from);
        plan_identity_wave(planner, STEP_install, from, end);
        plan_identity_wave(planner, STEP_switch, from, end);
        plan_identity_loads(planner, from, end);
    }
}

static void plan_trust(struct planner *planner)
{
    plan_trust_stores(planner);
    plan_trust_loads(planner);
}

void plan_make(struct arena *arena, struct judge *judge, const struct plan_goal *goal,
               struct plan *ret_plan)
{
    *ret_plan = (struct plan){ .cluster = goal->cluster };
    struct planner planner = {
        .arena = arena, .judge = judge, .model = judge->model, .goal = goal, .plan = ret_plan
    };
    find_renewals(&planner);
    find_gaps(&planner);
    find_turns(&planner);
    sort_turns(&planner);
    plan_snapshots(&planner);
    plan_issues(&planner);
    if (order_rule_active[ORDER_TRUST_FIRST])
        plan_trust(&planner);
    plan_identities(&planner);
    if (!order_rule_active[ORDER_TRUST_FIRST])
        plan_trust(&planner);
    plan_verifications(&planner);
    plan_prove(arena, judge, goal->now, ret_plan);
}
