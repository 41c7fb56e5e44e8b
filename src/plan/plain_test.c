/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Covers proof.c and state.c: the same answers as a proof that spares nothing.
 *
 * Here every step renews the whole state, every wave copies it and judges every link in all
 * sixteen mixes. On random clusters and random waves, few of them sensible, both must say the
 * same of every wave and end in the same state.
 */
#include "plan/state.h"

#include "tests/random.h"
#include "tests/test.h"

#include <string.h>

/* ---- the plain way ---- */

static struct state copy_of(struct arena *arena, const struct model *model,
                            const struct state *from)
{
    const size_t sizes[STATE_PARTS] = { model->identities.count, model->identities.count,
                                        model->stores.count, model->trusters.count,
                                        model->trusters.count };
    struct state state;
    for (int part = 0; part < STATE_PARTS; part++) {
        state.part[part] = arena_alloc(arena, sizes[part] + 1, sizeof(uint32_t));
        memcpy(state.part[part], from->part[part], sizes[part] * sizeof(uint32_t));
    }
    return state;
}

static bool loads_now(enum load_mode load, str node, str service, const struct step *step)
{
    return load == LOAD_PER_CONNECTION || (step->kind == STEP_refresh && str_eq(node, step->node) &&
                                           str_eq(service, step->service));
}

static uint32_t union_of(struct model *model, const struct state *state,
                         const struct truster *truster)
{
    uint32_t sets[8];
    for (size_t i = 0; i < truster->stores.count; i++)
        sets[i] = state->anchors_stored[truster->stores.items[i]];
    return model_anchors_union(model, sets, truster->stores.count);
}

static void apply(struct model *model, struct state *state, const struct step *step)
{
    if (step->kind == STEP_trust || step->kind == STEP_distrust) {
        uint32_t *set = &state->anchors_stored[step->trust_store];
        *set = step->kind == STEP_trust ? model_anchors_with(model, *set, step->new_cert)
                                        : model_anchors_without(model, *set, step->new_cert);
    }
    const struct identity *changed = &model->identities.items[step->identity];
    for (size_t i = 0; i < model->identities.count; i++) {
        const struct identity *row = &model->identities.items[i];
        if ((step->kind == STEP_switch && row == changed) ||
            (step->kind == STEP_install && step->in_place && str_eq(row->node, changed->node) &&
             str_eq(row->store, changed->store)))
            state->chain_stored[i] = step->new_chain;
        if (loads_now(row->load, row->node, row->service, step))
            state->chain_loaded[i] = state->chain_stored[i];
    }
    for (size_t i = 0; i < model->trusters.count; i++) {
        const struct truster *row = &model->trusters.items[i];
        state->truster_stored[i] = union_of(model, state, row);
        if (row->load == LOAD_PER_SESSION || loads_now(row->load, row->node, row->service, step))
            state->truster_loaded[i] = state->truster_stored[i];
    }
}

typedef LIST(uint32_t) chain_list;

struct plain {
    struct judge *judge;
    struct state states[2]; /* before and after the wave */
    bool *loaded, *stored;  /* by link: what it could do at the start */
    chain_list
        *signed_with; /* by link: chains of a signer since the last hold; some are there twice */
};

static uint32_t id_at(const uint32_t *stored, const uint32_t *loaded, bool is_stored, uint32_t id)
{
    return id == NO_ID ? NO_ID : (is_stored ? stored : loaded)[id];
}

static bool works(const struct plain *plain, const struct link *link, struct side client,
                  struct side server)
{
    const struct service *to = &plain->judge->model->services.items[link->to];
    const struct state *a = client.state, *b = server.state;
    uint32_t offered[] = { link->client_identity,
                           link->by_issuer ? link->more_identities.items[0] : NO_ID };
    for (size_t i = 0; i < COUNT(offered); i++)
        offered[i] = id_at(a->chain_stored, a->chain_loaded, client.stored, offered[i]);
    struct ends ends = {
        .client_chain = link->by_issuer ? model_offer(plain->judge->model, offered, 2) : offered[0],
        .server_chain =
            id_at(b->chain_stored, b->chain_loaded, server.stored, link->server_identity),
        .client_anchors =
            id_at(a->truster_stored, a->truster_loaded, client.stored, link->client_truster),
        .server_anchors = link->kind == LINK_SIGNER ? NO_ID
                                                    : id_at(b->truster_stored, b->truster_loaded,
                                                            server.stored, to->client_truster),
    };
    return judge_link(plain->judge, link, ends, PKI_NOW).ok;
}

/* What was signed with any chain since the last hold is accepted by the verifier in any state. */
static bool tokens_hold(const struct plain *plain, size_t index)
{
    const struct link *link = &plain->judge->model->links.items[index];
    for (size_t i = 0; i < plain->signed_with[index].count; i++)
        for (unsigned mix = 0; mix < 4; mix++) {
            const struct state *state = &plain->states[mix >> 1];
            bool stored = mix & 1;
            struct ends ends = { .client_chain = NO_ID, .server_anchors = NO_ID };
            ends.server_chain = plain->signed_with[index].items[i];
            ends.client_anchors =
                id_at(state->truster_stored, state->truster_loaded, stored, link->client_truster);
            if ((!stored || plain->stored[index]) &&
                !judge_link(plain->judge, link, ends, PKI_NOW).ok)
                return false;
        }
    return true;
}

static void note_signed(struct arena *arena, struct plain *plain, bool hold)
{
    const struct model *model = plain->judge->model;
    for (size_t i = 0; i < model->links.count; i++) {
        const struct link *link = &model->links.items[i];
        if (link->kind != LINK_SIGNER)
            continue;
        if (hold)
            plain->signed_with[i].count = 0;
        uint32_t chain = plain->states[1].chain_loaded[link->server_identity];
        if (chain != NO_ID)
            list_push(arena, &plain->signed_with[i]) = chain;
    }
}

static void promise(struct plain *plain, size_t index)
{
    const struct link *link = &plain->judge->model->links.items[index];
    const struct side loaded = { &plain->states[0], false }, stored = { &plain->states[0], true };
    plain->loaded[index] = works(plain, link, loaded, loaded);
    plain->stored[index] = plain->loaded[index] && works(plain, link, stored, loaded) &&
                           works(plain, link, loaded, stored) && works(plain, link, stored, stored);
}

static bool holds_in_every_mix(const struct plain *plain, size_t index)
{
    const struct link *link = &plain->judge->model->links.items[index];
    for (unsigned mix = 0; mix < 16; mix++) {
        struct side client = { &plain->states[mix >> 1 & 1], mix & 1 };
        struct side server = { &plain->states[mix >> 3 & 1], mix >> 2 & 1 };
        if ((client.stored || server.stored) && !plain->stored[index])
            continue;
        if (!works(plain, link, client, server))
            return false;
    }
    return tokens_hold(plain, index);
}

static void prove_wave(struct arena *arena, struct plain *plain, const struct plan *plan,
                       struct wave *wave)
{
    const struct model *model = plain->judge->model;
    wave->broken = wave->outage = (str_list){ 0 };
    for (size_t i = 0; i < wave->steps.count; i++) {
        const struct step *step = &plan->steps.items[wave->steps.items[i]];
        apply(plain->judge->model, &plain->states[1], step);
        for (size_t j = 0; j < step->refused.count; j++)
            str_list_add(arena, &wave->outage, step->refused.items[j]);
    }
    for (size_t i = 0; i < model->links.count; i++) {
        str key = model->links.items[i].key;
        if (plain->loaded[i] && !str_list_has(&wave->outage, key) && !holds_in_every_mix(plain, i))
            list_push(arena, &wave->broken) = key;
    }
    bool hold = false;
    for (size_t i = 0; i < wave->steps.count; i++)
        hold = hold || plan->steps.items[wave->steps.items[i]].kind == STEP_hold;
    note_signed(arena, plain, hold);
}

/* Fills in `plan` as plan_prove() does; `ret_end` is the state after the last wave. */
static void plain_prove(struct arena *arena, struct judge *judge, struct plan *plan,
                        struct state *ret_end)
{
    struct model *model = judge->model;
    struct plain plain = { .judge = judge,
                           .loaded = arena_alloc(arena, model->links.count + 1, 1),
                           .stored = arena_alloc(arena, model->links.count + 1, 1),
                           .signed_with =
                               arena_alloc(arena, model->links.count + 1, sizeof(chain_list)) };
    state_of_model(arena, model, &plain.states[0]);
    plain.states[1] = copy_of(arena, model, &plain.states[0]);
    for (size_t i = 0; i < model->links.count; i++)
        promise(&plain, i);
    note_signed(arena, &plain, false);
    plan->proven = true;
    for (size_t i = 0; i < plan->waves.count; i++) {
        prove_wave(arena, &plain, plan, &plan->waves.items[i]);
        plan->proven = plan->proven && plan->waves.items[i].broken.count == 0;
        plain.states[0] = copy_of(arena, model, &plain.states[1]);
    }
    const struct side end = { &plain.states[1], false };
    for (size_t i = 0; i < model->links.count; i++)
        if (!works(&plain, &model->links.items[i], end, end))
            list_push(arena, &plan->unrepaired) = model->links.items[i].key;
    *ret_end = plain.states[1];
}

/* ---- both ---- */

static void same_list(const str_list *got, const str_list *want)
{
    check_int(got->count, want->count);
    for (size_t i = 0; i < got->count; i++)
        check_str(got->items[i], want->items[i]);
}

static void same_state(const struct model *model, const struct state *got, const struct state *want)
{
    const size_t sizes[STATE_PARTS] = { model->identities.count, model->identities.count,
                                        model->stores.count, model->trusters.count,
                                        model->trusters.count };
    for (int part = 0; part < STATE_PARTS; part++)
        for (size_t i = 0; i < sizes[part]; i++)
            check_int(got->part[part][i], want->part[part][i]);
}

static struct plan waves_of(struct arena *arena, const struct plan *plan)
{
    struct plan copy = *plan;
    copy.waves.items = NULL, copy.waves.count = copy.waves.cap = 0;
    copy.unrepaired = (str_list){ 0 };
    for (size_t i = 0; i < plan->waves.count; i++)
        list_push(arena, &copy.waves) = plan->waves.items[i];
    return copy;
}

static void walk_all(struct arena *arena, struct model *model, const struct plan *plan,
                     struct walk *walk)
{
    walk_start(arena, model, walk);
    for (size_t i = 0; i < plan->waves.count; i++) {
        for (size_t j = 0; j < plan->waves.items[i].steps.count; j++)
            walk_step(walk, &plan->steps.items[plan->waves.items[i].steps.items[j]]);
        walk_on(walk);
    }
}

/* What random plans have come to, so that the test can tell that it met every outcome. */
struct outcomes {
    size_t proven, broken_waves, mended, outages, unrepaired, whole;
};

static void count_outcomes(const struct plan *plan, size_t links, struct outcomes *outcomes)
{
    outcomes->proven += plan->proven;
    outcomes->unrepaired += plan->unrepaired.count > 0;
    outcomes->whole += plan->unrepaired.count == 0 && links > 0;
    for (size_t i = 0; i < plan->waves.count; i++) {
        const struct wave *wave = &plan->waves.items[i];
        outcomes->broken_waves += wave->broken.count > 0;
        outcomes->outages += wave->outage.count > 0;
        outcomes->mended += i > 0 && wave->broken.count < plan->waves.items[i - 1].broken.count;
    }
}

static void compare(struct random_cluster *cluster, struct outcomes *outcomes)
{
    struct plan plan, plain;
    struct state end;
    struct walk walk;
    random_waves(cluster, &plan);
    plain = waves_of(&cluster->arena, &plan);
    plan_prove(&cluster->arena, &cluster->judge, PKI_NOW, &plan);
    plain_prove(&cluster->arena, &cluster->judge, &plain, &end);
    check_int(plan.proven, plain.proven);
    same_list(&plan.unrepaired, &plain.unrepaired);
    for (size_t i = 0; i < plan.waves.count; i++) {
        same_list(&plan.waves.items[i].broken, &plain.waves.items[i].broken);
        same_list(&plan.waves.items[i].outage, &plain.waves.items[i].outage);
    }
    walk_all(&cluster->arena, &cluster->model, &plan, &walk);
    same_state(&cluster->model, &walk.before, &end);
    same_state(&cluster->model, &walk.after, &end);
    count_outcomes(&plan, cluster->model.links.count, outcomes);
}

TEST(random_waves_are_proven_as_by_a_proof_that_judges_everything_in_every_wave)
{
    struct random_pki pki;
    struct outcomes outcomes = { 0 };
    random_pki_make(&pki);
    for (uint32_t seed = 1; seed <= 500; seed++) {
        struct random_cluster cluster;
        random_cluster_make(&cluster, &pki, seed);
        compare(&cluster, &outcomes);
        random_cluster_free(&cluster);
    }
    random_pki_free(&pki);
    check(outcomes.proven > 100 && outcomes.proven < 400);
    check(outcomes.broken_waves > 100 && outcomes.mended > 50);
    check(outcomes.outages > 100 && outcomes.unrepaired > 100 && outcomes.whole > 50);
}
