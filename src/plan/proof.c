/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/state.h"

/*
 * What is judged in a wave: a link's end is a service, and in the course of a wave a service is in
 * its state before or after the wave's steps, running with what it had loaded or, when its machine
 * has just restarted, with what is stored. That makes four states an end, sixteen a link.
 *
 * A link is held to what it could do at the start: one that works only as long as nothing restarts
 * (loaded good, stored bad) is held to its loaded states alone.
 */

enum { BEFORE, AFTER };

struct promise {
    bool loaded; /* worked at the start with both ends as loaded */
    bool stored; /* and in every mix with stored ends */
};

struct proof {
    struct arena *arena;
    struct judge *judge;
    moment now;
    struct promise *promises; /* by link */
    struct state states[2];   /* BEFORE and AFTER the wave at hand */
};

static bool works(const struct proof *proof, const struct link *link, struct side client,
                  struct side server)
{
    struct ends ends = state_ends(proof->judge->model, link, client, server);
    return judge_link(proof->judge, link, ends, proof->now).ok;
}

static struct promise promise_of(const struct proof *proof, const struct link *link)
{
    const struct side loaded = { &proof->states[BEFORE], false };
    const struct side stored = { &proof->states[BEFORE], true };
    struct promise promise = { .loaded = works(proof, link, loaded, loaded) };
    promise.stored = promise.loaded && works(proof, link, stored, loaded) &&
                     works(proof, link, loaded, stored) && works(proof, link, stored, stored);
    return promise;
}

/* Bits 0 and 1 say whether the client is as stored and after; bits 2 and 3 the same of the server.
 */
static bool holds_in_every_mix(const struct proof *proof, size_t index, uint64_t *judged)
{
    const struct link *link = &proof->judge->model->links.items[index];
    for (unsigned mix = 0; mix < 16; mix++) {
        struct side client = { &proof->states[mix >> 1 & 1], mix & 1 };
        struct side server = { &proof->states[mix >> 3 & 1], mix >> 2 & 1 };
        if ((client.stored || server.stored) && !proof->promises[index].stored)
            continue;
        ++*judged;
        if (!works(proof, link, client, server))
            return false;
    }
    return true;
}

static void carry_out(struct proof *proof, const struct plan *plan, struct wave *wave)
{
    for (size_t i = 0; i < wave->steps.count; i++) {
        const struct step *step = &plan->steps.items[wave->steps.items[i]];
        state_apply(proof->judge->model, &proof->states[AFTER], step);
        for (size_t j = 0; j < step->outage.count; j++)
            str_list_add(proof->arena, &wave->outage, step->outage.items[j]);
    }
}

static void prove_wave(struct proof *proof, const struct plan *plan, struct wave *wave)
{
    const struct model *model = proof->judge->model;
    wave->judged = 0;
    wave->broken = wave->outage = (str_list){ 0 };
    carry_out(proof, plan, wave);
    for (size_t i = 0; i < model->links.count; i++) {
        str key = model->links.items[i].key;
        bool held = proof->promises[i].loaded && !str_list_has(&wave->outage, key);
        if (held && !holds_in_every_mix(proof, i, &wave->judged))
            list_push(proof->arena, &wave->broken) = key;
    }
}

static void note_unrepaired(const struct proof *proof, struct plan *plan)
{
    const struct model *model = proof->judge->model;
    const struct side end = { &proof->states[AFTER], false };
    plan->unrepaired = (str_list){ 0 };
    for (size_t i = 0; i < model->links.count; i++)
        if (!works(proof, &model->links.items[i], end, end))
            list_push(proof->arena, &plan->unrepaired) = model->links.items[i].key;
}

void plan_prove(struct arena *arena, struct judge *judge, moment now, struct plan *plan)
{
    AUTO(arena) struct arena scratch = { 0 };
    struct model *model = judge->model;
    struct proof proof = { .arena = arena, .judge = judge, .now = now };
    state_of_model(&scratch, model, &proof.states[BEFORE]);
    state_copy(&scratch, model, &proof.states[BEFORE], &proof.states[AFTER]);
    proof.promises = arena_alloc(&scratch, model->links.count + 1, sizeof(struct promise));
    for (size_t i = 0; i < model->links.count; i++)
        proof.promises[i] = promise_of(&proof, &model->links.items[i]);

    plan->proven = true;
    for (size_t i = 0; i < plan->waves.count; i++) {
        prove_wave(&proof, plan, &plan->waves.items[i]);
        plan->proven = plan->proven && plan->waves.items[i].broken.count == 0;
        state_copy(&scratch, model, &proof.states[AFTER], &proof.states[BEFORE]);
    }
    note_unrepaired(&proof, plan);
}
