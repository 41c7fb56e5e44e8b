/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/planner.h"
#include "x509/profile.h"

/* What a renewal needs, and the order that its steps come in. */

static bool is_due(const struct planner *planner, const struct identity *identity, uint32_t leaf)
{
    const struct plan_goal *goal = planner->goal;
    if (leaf == NO_ID)
        return false; /* nothing to take names from: preflight says so */
    const struct cert *cert = &planner->model->certs.items[leaf];
    bool done = goal->since > 0 && cert->not_before + PROFILE_BACKDATE >= goal->since;
    return (goal->renew_all && !done) || identity->key_mismatch ||
           cert->not_after - goal->now < goal->renew_before;
}

static struct step issue_step(struct planner *planner, const struct renewal *renewal)
{
    const struct identity *identity = &planner->model->identities.items[renewal->identity];
    struct step step = step_make(STEP_issue, identity->node, S(""), identity->store);
    step.identity = renewal->identity;
    step.new_key = renewal->new_key;
    step.expects = planner_fingerprint(planner, renewal->old_leaf);
    step.leaves = str_printf(planner->arena, "certificate by %.*s, %s key",
                             STR_ARG(planner_fingerprint(planner, planner->goal->issuer)),
                             renewal->new_key ? "a new" : "the same");
    step.text = str_printf(planner->arena, "make %s and get a certificate for %.*s/%.*s",
                           renewal->new_key ? "a new key" : "a request with the same key",
                           STR_ARG(identity->node), STR_ARG(identity->store));
    return step;
}

/* The certificate that will be there. Its DER stays the old one's, for name matching; its signature
   is taken for granted. An issuer that may not sign is refused before anything is planned. */
static uint32_t planned_cert(struct planner *planner, const struct renewal *renewal)
{
    AUTO(err) struct err err = { 0 };
    const struct plan_goal *goal = planner->goal;
    const struct cert *old = &planner->model->certs.items[renewal->old_leaf];
    struct profile profile = { .replaced = old,
                               .issuer = &planner->model->certs.items[goal->issuer],
                               .now = goal->now,
                               .lifetime = goal->lifetime };
    struct cert cert = *old;
    if (planned_certificate(planner->arena, &profile, renewal->new_key, &cert, &err))
        cert.der = old->der;
    struct step issue = issue_step(planner, renewal);
    cert.sha256 = str_printf(planner->arena, "new:%.*s", STR_ARG(step_id(planner->arena, &issue)));
    if (renewal->new_key)
        cert.spki_sha256 = cert.sha256;
    uint32_t id = model_cert(planner->model, &cert);
    judge_assume_signed(planner->judge, id, goal->issuer);
    return id;
}

static void find_renewals(struct planner *planner)
{
    for (uint32_t i = 0; i < planner->model->identities.count; i++) {
        const struct identity *identity = &planner->model->identities.items[i];
        struct renewal renewal = { .identity = i,
                                   .old_leaf = planner_leaf(planner->model, identity->stored) };
        if (!is_due(planner, identity, renewal.old_leaf))
            continue;
        /* Two renames cannot replace a pair at once: without a reference the key is kept. */
        bool beside = identity->has_reference && order_rule_active[ORDER_ONE_REFERENCE];
        renewal.in_place = !beside;
        /* A key that is not the certificate's is not the one that was to be kept. */
        bool keep = planner->goal->keep_key && !identity->key_mismatch;
        renewal.new_key = !keep && (beside || !order_rule_active[ORDER_ONE_REFERENCE]);
        renewal.new_cert = planned_cert(planner, &renewal);
        renewal.new_chain = model_chain(planner->model, &renewal.new_cert, 1);
        list_push(planner->arena, &planner->renewals) = renewal;
    }
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
    /* Also where it is loaded and not stored: a restart before it is stored would lose it. */
    if ((!loaded || !stored) && truster_must_load(truster))
        turn_of(planner, truster->node, truster->service)->loads_trust = true;
    if (stored || truster->stores.count == 0)
        return;
    for (size_t i = 0; i < planner->changed_stores.count; i++)
        if (planner->changed_stores.items[i] == truster->stores.items[0])
            return;
    list_push(planner->arena, &planner->changed_stores) = truster->stores.items[0];
}

static void find_gaps(struct planner *planner)
{
    const struct model *model = planner->model;
    for (size_t i = 0; i < model->links.count; i++) {
        const struct link *link = &model->links.items[i];
        const struct service *to = &model->services.items[link->to];
        if (renewal_of(planner, link->server_identity) != NULL)
            need_anchor(planner, link->client_truster);
        if (renewal_of(planner, link->client_identity) != NULL)
            need_anchor(planner, to->client_truster);
    }
}

static void plan_issues(struct planner *planner)
{
    struct wave *wave = wave_add(planner);
    for (size_t i = 0; i < planner->renewals.count; i++) {
        struct step step = issue_step(planner, &planner->renewals.items[i]);
        step.new_cert = planner->renewals.items[i].new_cert;
        step.certificate = planner_fingerprint(planner, step.new_cert);
        step_add(planner, wave, step);
    }
    wave_drop_if_empty(planner);
}

static void plan_trust_stores(struct planner *planner)
{
    struct wave *wave = wave_add(planner);
    str anchor = planner_fingerprint(planner, planner->goal->issuer);
    str subject = planner->model->certs.items[planner->goal->issuer].subject;
    for (size_t i = 0; i < planner->changed_stores.count; i++) {
        uint32_t id = planner->changed_stores.items[i];
        const struct trust_store *store = &planner->model->stores.items[id];
        struct step step = step_make(STEP_trust, store->node, S(""), store->name);
        step.trust_store = id;
        step.new_cert = planner->goal->issuer;
        step.certificate = anchor;
        step.expects = str_printf(planner->arena, "without %.*s", STR_ARG(anchor));
        step.leaves = str_printf(planner->arena, "with %.*s", STR_ARG(anchor));
        step.text = str_printf(planner->arena, "add %.*s to %.*s/%.*s", STR_ARG(subject),
                               STR_ARG(store->node), STR_ARG(store->name));
        step_add(planner, wave, step);
    }
    wave_drop_if_empty(planner);
}

static void plan_trust(struct planner *planner)
{
    plan_trust_stores(planner);
    planner_trust_loads(planner, "load the new anchor into");
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
    planner_find_turns(&planner);
    planner_sort_turns(&planner);
    planner_snapshots(&planner);
    plan_issues(&planner);
    if (order_rule_active[ORDER_TRUST_FIRST])
        plan_trust(&planner);
    planner_identities(&planner);
    if (!order_rule_active[ORDER_TRUST_FIRST])
        plan_trust(&planner);
    planner_verifications(&planner);
    plan_prove(arena, judge, goal->now, ret_plan);
}
