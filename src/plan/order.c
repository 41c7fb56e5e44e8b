/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/planner.h"
#include "x509/profile.h"

/* What a renewal needs, and the order that its steps come in. */

uint32_t plan_replaced(const struct model *model, uint32_t identity)
{
    const struct identity *row = &model->identities.items[identity];
    if (!row->gone)
        return planner_leaf(model, row->stored);
    uint32_t leaf = NO_ID;
    for (size_t i = 0; i < model->identities.count && leaf == NO_ID; i++)
        if (model->identities.items[i].first == row->first)
            leaf = planner_leaf(model, model->identities.items[i].loaded);
    return leaf;
}

static bool is_due(const struct planner *planner, const struct identity *identity, uint32_t leaf)
{
    const struct plan_goal *goal = planner->goal;
    if (leaf == NO_ID)
        return false; /* nothing to take names from: preflight says so */
    if (identity->gone)
        return planner_is_ours(planner, identity->loaded); /* it has signed these names before */
    const struct cert *cert = &planner->model->certs.items[leaf];
    moment begun = goal->since > 0 ? goal->since : goal->now;
    bool done = planner->replaces != NULL && !planner->replaces[leaf];
    return (goal->renew_all && !done) || identity->key_mismatch ||
           cert->not_after - begun < goal->renew_before ||
           (goal->replace_others && !planner_is_ours(planner, identity->stored));
}

/* Where a new key was asked for and is not made, the reason. */
static const char *key_text(const struct planner *planner, const struct renewal *renewal)
{
    if (renewal->new_key)
        return "a new key";
    if (planner->goal->keep_key)
        return "a request with the same key";
    return renewal->in_place
               ? "a request with the same key, as two files cannot be replaced at once,"
               : "a request with the same key, as it is remembered where nothing can change that,";
}

static struct step issue_step(struct planner *planner, const struct renewal *renewal)
{
    const struct identity *identity = &planner->model->identities.items[renewal->identity];
    struct step step = step_make(STEP_issue, identity->node, S(""), identity->store);
    step.identity = renewal->identity;
    step.new_key = renewal->new_key;
    step.expects = planner_expected(planner, renewal);
    step.leaves = planner_text(planner, "certificate by %.*s, %s key",
                               STR_ARG(planner_fingerprint(planner, planner->goal->issuer)),
                               renewal->new_key ? "a new" : "the same");
    step.text =
        str_printf(planner->arena, "make %s and get a certificate for %.*s/%.*s",
                   key_text(planner, renewal), STR_ARG(identity->node), STR_ARG(identity->store));
    return step;
}

/* The chain that came for the step, or NO_ID. */
static uint32_t known_chain(const struct planner *planner, str step)
{
    for (size_t i = 0; i < planner->goal->known.count; i++)
        if (str_eq(planner->goal->known.items[i].step, step))
            return planner->goal->known.items[i].chain;
    return NO_ID;
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
    cert.sha256 = renewal->certificate;
    if (renewal->new_key)
        cert.spki_sha256 = cert.sha256;
    uint32_t id = model_cert(planner->model, &cert);
    judge_assume_signed(planner->judge, id, goal->issuer);
    return id;
}

/* The new leaf with what its issuer's chain needs beyond it. */
static uint32_t planned_chain(struct planner *planner, uint32_t leaf)
{
    LIST(uint32_t) certs = { 0 };
    list_push(planner->arena, &certs) = leaf;
    for (size_t i = 0; i < planner->goal->sent_along.count; i++)
        list_push(planner->arena, &certs) = planner->goal->sent_along.items[i];
    return model_chain(planner->model, certs.items, certs.count);
}

static void find_certificate(struct planner *planner, struct renewal *renewal)
{
    struct step issue = issue_step(planner, renewal);
    str id = step_id(planner->arena, &issue);
    renewal->certificate = str_printf(planner->arena, "new:%.*s", STR_ARG(id));
    renewal->new_chain = known_chain(planner, id);
    if (renewal->new_chain == NO_ID)
        renewal->new_chain = planned_chain(planner, planned_cert(planner, renewal));
    renewal->new_cert = planner_leaf(planner->model, renewal->new_chain);
}

static void find_replaced(struct planner *planner)
{
    const struct plan_goal *goal = planner->goal;
    if (goal->replaces.count == 0)
        return;
    planner->replaces = arena_alloc(planner->arena, planner->certs + 1, sizeof(bool));
    for (size_t i = 0; i < goal->replaces.count; i++)
        if (goal->replaces.items[i] != NO_ID)
            planner->replaces[goal->replaces.items[i]] = true;
}

static void find_renewals(struct planner *planner)
{
    find_replaced(planner);
    planner_find_pairs(planner);
    for (size_t i = 0; i < planner->model->identities.count; i++) {
        const struct identity *identity = &planner->model->identities.items[i];
        uint32_t leaf = plan_replaced(planner->model, (uint32_t)i);
        struct pair *pair = &planner->pairs[identity->first];
        pair->due = pair->due || is_due(planner, identity, leaf);
    }
    for (uint32_t i = 0; i < planner->model->identities.count; i++) {
        const struct identity *identity = &planner->model->identities.items[i];
        const struct pair *pair = &planner->pairs[identity->first];
        struct renewal renewal = { .identity = i, .old_leaf = plan_replaced(planner->model, i) };
        if (!pair->due || pair->is_copy || renewal.old_leaf == NO_ID)
            continue;
        /* Without a reference the key is kept. */
        bool pinned = pair->pinned && order_rule_active[ORDER_PINNED_KEY];
        renewal.in_place = !pair->beside || !order_rule_active[ORDER_ONE_REFERENCE];
        /* A key that is not the certificate's is not the one that was to be kept. */
        bool keep = (planner->goal->keep_key || pinned) && !pair->mismatch;
        renewal.new_key = !keep && (pair->takes_new_key || !order_rule_active[ORDER_ONE_REFERENCE]);
        find_certificate(planner, &renewal);
        planner_renew(planner, &renewal);
    }
}

static void plan_issues(struct planner *planner)
{
    struct wave *wave = wave_add(planner);
    for (size_t i = 0; i < planner->renewals.count; i++) {
        if (!planner->renewals.items[i].installs || planner->renewals.items[i].copy)
            continue;
        struct step step = issue_step(planner, &planner->renewals.items[i]);
        step.new_cert = planner->renewals.items[i].new_cert;
        step.certificate = planner->renewals.items[i].certificate;
        step_add(planner, wave, step);
    }
    wave_drop_if_empty(planner);
}

static void plan_removals(struct planner *planner)
{
    if (order_rule_active[ORDER_FORGET_LAST])
        planner_forgets(planner);
    if (order_rule_active[ORDER_HOLD])
        planner_holds(planner);
    planner_losses(planner);
}

void plan_make(struct arena *arena, struct judge *judge, const struct plan_goal *goal,
               struct plan *ret_plan)
{
    struct planner planner;
    planner_init(&planner, arena, judge, goal, ret_plan);
    planner_find_pinned_keys(&planner);
    find_renewals(&planner);
    planner_find_copies(&planner);
    planner_find_pins(&planner);
    planner_find_losses(&planner);
    planner_find_gains(&planner);
    planner_keep_needed(&planner);
    planner_find_turns(&planner);
    planner_sort_turns(&planner);
    planner_place_swaps(&planner);
    planner_note_retired(&planner);
    planner_snapshots(&planner);
    plan_issues(&planner);
    if (!order_rule_active[ORDER_FORGET_LAST])
        planner_forgets(&planner);
    if (!order_rule_active[ORDER_DISTRUST_LAST])
        plan_removals(&planner);
    if (order_rule_active[ORDER_TRUST_FIRST])
        planner_gains(&planner);
    planner_identities(&planner);
    if (!order_rule_active[ORDER_PIN_FIRST])
        planner_expects(&planner);
    if (!order_rule_active[ORDER_TRUST_FIRST])
        planner_gains(&planner);
    if (order_rule_active[ORDER_DISTRUST_LAST])
        plan_removals(&planner);
    planner_verifications(&planner);
    planner_prove(&planner);
}
