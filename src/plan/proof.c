/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/*
 * What is judged in a wave: a link's end is a service, and in the course of a wave a service is in
 * its state before or after the wave's steps, running with what it had loaded or, when its machine
 * has just restarted, with what is stored. That makes four states an end, sixteen a link.
 *
 * A link is held to what it could do at the start: one that works only as long as nothing restarts
 * (loaded good, stored bad) is held to its loaded states alone.
 *
 * A wave that changes neither end leaves a link in the states in which the wave before has judged
 * it, so it is passed over, and states of an end that are the same are judged once. The first wave
 * judges every link; a link that did not hold, or was down, is judged in the next wave too.
 *
 * What a signer has signed is about until a hold has waited for it to be gone, so its verifier is
 * held to every chain that it has signed with since the last hold.
 */

struct promise {
    bool loaded; /* worked at the start with both ends as loaded */
    bool stored; /* and in every mix with stored ends */
};

/* The chains that a signer has signed with since the last hold. */
struct tokens {
    uint32_t link;
    LIST(uint32_t) chains;
};

struct proof {
    struct arena *arena, *scratch;
    struct judge *judge;
    moment now;
    struct walk walk;
    struct promise *promises; /* by link */
    struct groups links_of_identity, links_of_truster;
    LIST(uint32_t) links; /* to be judged in the wave at hand */
    size_t wave;          /* from 1 */
    /* By link: the last wave that judged it, that declares it as an outage of any kind, and as one
       in which handshakes fail. */
    size_t *taken, *listed, *down;
    LIST(struct tokens) tokens;
    uint32_t *tokens_of; /* by link: index of its tokens, or NO_ID */
};

/* ---- the states of one link ---- */

enum { END_STATES = 4 };

/* The states that an end can be in, which differ in what a verdict rests on. */
struct end_states {
    struct side sides[END_STATES];
    size_t count;
};

static_assert(sizeof(struct ends) == 4 * sizeof(uint32_t), "ends are compared byte by byte");

static struct ends ends_at(const struct proof *proof, const struct link *link, struct side side,
                           bool client)
{
    const struct side other = { &proof->walk.before, false };
    return state_ends(proof->judge->model, link, client ? side : other, client ? other : side);
}

static struct end_states end_states(const struct proof *proof, const struct link *link, bool client,
                                    bool stored)
{
    const struct side sides[END_STATES] = {
        {&proof->walk.before,  false},
        { &proof->walk.after,  false},
        { &proof->walk.before, true },
        { &proof->walk.after,  true }
    };
    struct end_states states = { .count = 0 };
    struct ends kept[END_STATES];
    for (size_t i = 0; i < (stored ? 4 : 2); i++) {
        struct ends ends = ends_at(proof, link, sides[i], client);
        size_t twin = 0;
        while (twin < states.count && memcmp(&kept[twin], &ends, sizeof(ends)) != 0)
            twin++;
        if (twin < states.count)
            continue;
        kept[states.count] = ends;
        states.sides[states.count++] = sides[i];
    }
    return states;
}

static bool works(const struct proof *proof, const struct link *link, struct side client,
                  struct side server)
{
    struct ends ends = state_ends(proof->judge->model, link, client, server);
    return judge_link(proof->judge, link, ends, proof->now).ok;
}

static bool tokens_hold(const struct proof *proof, const struct link *link,
                        const struct end_states *clients, uint64_t *judged,
                        struct verdict *ret_verdict)
{
    struct model *model = proof->judge->model;
    uint32_t index = proof->tokens_of[link - model->links.items];
    for (size_t i = 0; index != NO_ID && i < proof->tokens.items[index].chains.count; i++)
        for (size_t k = 0; k < clients->count; k++) {
            struct ends ends = state_ends(model, link, clients->sides[k], clients->sides[k]);
            ends.server_chain = proof->tokens.items[index].chains.items[i];
            ++*judged;
            *ret_verdict = judge_link(proof->judge, link, ends, proof->now);
            if (!ret_verdict->ok)
                return false;
        }
    return true;
}

/* Counts the states that it judges: all of them, or up to the first in which the link fails. */
static bool holds(const struct proof *proof, const struct link *link, bool stored, uint64_t *judged,
                  struct verdict *ret_verdict)
{
    const struct end_states clients = end_states(proof, link, true, stored);
    const struct end_states servers = end_states(proof, link, false, stored);
    for (size_t mix = 0; mix < clients.count * servers.count; mix++) {
        ++*judged;
        struct ends ends = state_ends(proof->judge->model, link, clients.sides[mix / servers.count],
                                      servers.sides[mix % servers.count]);
        *ret_verdict = judge_link(proof->judge, link, ends, proof->now);
        if (!ret_verdict->ok)
            return false;
    }
    return tokens_hold(proof, link, &clients, judged, ret_verdict);
}

/* ---- what is signed ---- */

static void add_chain(struct proof *proof, struct tokens *tokens, uint32_t chain)
{
    for (size_t i = 0; i < tokens->chains.count; i++)
        if (tokens->chains.items[i] == chain)
            return;
    if (chain != NO_ID)
        list_push(proof->scratch, &tokens->chains) = chain;
}

/* A signer signs with what it has loaded; before anything has changed, that is all there is. */
static void note_signed(struct proof *proof, bool hold)
{
    const struct model *model = proof->judge->model;
    for (size_t i = 0; i < proof->tokens.count; i++) {
        struct tokens *tokens = &proof->tokens.items[i];
        uint32_t signer = model->links.items[tokens->link].server_identity;
        if (hold)
            tokens->chains.count = 0;
        if (signer != NO_ID)
            add_chain(proof, tokens, proof->walk.after.chain_loaded[signer]);
    }
}

static void find_signers(struct proof *proof)
{
    const struct model *model = proof->judge->model;
    proof->tokens_of = arena_alloc(proof->scratch, model->links.count + 1, sizeof(uint32_t));
    for (uint32_t i = 0; i < model->links.count; i++) {
        bool signer = model->links.items[i].kind == LINK_SIGNER;
        proof->tokens_of[i] = signer ? (uint32_t)proof->tokens.count : NO_ID;
        if (signer)
            list_push(proof->scratch, &proof->tokens) = (struct tokens){ .link = i };
    }
}

static bool has_hold(const struct plan *plan, const struct wave *wave)
{
    for (size_t i = 0; i < wave->steps.count; i++)
        if (plan->steps.items[wave->steps.items[i]].kind == STEP_hold)
            return true;
    return false;
}

/* ---- one wave ---- */

static void take(struct proof *proof, uint32_t link)
{
    if (!proof->promises[link].loaded || proof->taken[link] == proof->wave)
        return;
    proof->taken[link] = proof->wave;
    list_push(proof->scratch, &proof->links) = link;
}

static void take_touched(struct proof *proof)
{
    for (size_t i = 0; i < proof->walk.changes.count; i++) {
        struct state_change change = proof->walk.changes.items[i];
        if (change.part == STATE_ANCHORS_STORED)
            continue; /* seen in what the trusters have of it */
        bool chain = change.part == STATE_CHAIN_STORED || change.part == STATE_CHAIN_LOADED;
        size_t count;
        const uint32_t *links = groups_of(
            chain ? &proof->links_of_identity : &proof->links_of_truster, change.id, &count);
        for (size_t k = 0; k < count; k++)
            take(proof, links[k]);
    }
}

static void declare(struct proof *proof, struct wave *wave, const str_list *keys, bool refused)
{
    for (size_t i = 0; i < keys->count; i++) {
        uint32_t link = map_get(&proof->judge->model->link_ids, keys->items[i]);
        if (link == NO_ID) {
            str_list_add(proof->arena, &wave->outage, keys->items[i]);
            continue;
        }
        if (proof->listed[link] != proof->wave)
            list_push(proof->arena, &wave->outage) = keys->items[i];
        proof->listed[link] = proof->wave;
        if (refused)
            proof->down[link] = proof->wave;
    }
}

static void carry_out(struct proof *proof, const struct plan *plan, struct wave *wave)
{
    for (size_t i = 0; i < wave->steps.count; i++) {
        const struct step *step = &plan->steps.items[wave->steps.items[i]];
        walk_step(&proof->walk, step);
        declare(proof, wave, &step->outage, false);
        declare(proof, wave, &step->refused, true);
    }
}

static int ascending(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

/* Judges the links that were taken, and leaves those that the next wave must judge again. */
static void judge_taken(struct proof *proof, struct wave *wave)
{
    size_t left = 0;
    if (proof->links.count > 0)
        qsort(proof->links.items, proof->links.count, sizeof(uint32_t), ascending);
    for (size_t i = 0; i < proof->links.count; i++) {
        uint32_t id = proof->links.items[i];
        const struct link *link = &proof->judge->model->links.items[id];
        bool down = proof->down[id] == proof->wave;
        struct verdict verdict;
        if (!down && holds(proof, link, proof->promises[id].stored, &wave->judged, &verdict))
            continue;
        proof->links.items[left++] = id;
        if (down)
            continue;
        list_push(proof->arena, &wave->broken) = link->key;
        list_push(proof->arena, &wave->why) =
            verdict_text(proof->arena, proof->judge->model, link, verdict, proof->now);
    }
    proof->links.count = left;
}

static void prove_wave(struct proof *proof, const struct plan *plan, struct wave *wave)
{
    wave->judged = 0;
    wave->broken = wave->why = wave->outage = (str_list){ 0 };
    for (size_t i = 0; i < proof->links.count; i++)
        proof->taken[proof->links.items[i]] = proof->wave;
    carry_out(proof, plan, wave);
    take_touched(proof);
    judge_taken(proof, wave);
    note_signed(proof, has_hold(plan, wave));
    walk_on(&proof->walk);
}

/* ---- the whole ---- */

static void index_links(struct proof *proof)
{
    const struct model *model = proof->judge->model;
    groups_init(&proof->links_of_identity, proof->scratch, model->identities.count);
    groups_init(&proof->links_of_truster, proof->scratch, model->trusters.count);
    for (int round = 0; round < 2; round++) {
        groups_round(&proof->links_of_identity);
        groups_round(&proof->links_of_truster);
        for (uint32_t i = 0; i < model->links.count; i++) {
            struct link_parts parts = link_parts(model, &model->links.items[i]);
            groups_add(&proof->links_of_identity, parts.client_identity, i);
            groups_add(&proof->links_of_identity, parts.server_identity, i);
            for (size_t k = 0; k < model->links.items[i].more_identities.count; k++)
                groups_add(&proof->links_of_identity,
                           model->links.items[i].more_identities.items[k], i);
            groups_add(&proof->links_of_truster, parts.client_truster, i);
            groups_add(&proof->links_of_truster, parts.server_truster, i);
        }
    }
}

static void make_promises(struct proof *proof)
{
    const struct model *model = proof->judge->model;
    const struct side loaded = { &proof->walk.before, false };
    uint64_t judged = 0;
    struct verdict verdict;
    for (uint32_t i = 0; i < model->links.count; i++) {
        const struct link *link = &model->links.items[i];
        struct promise *promise = &proof->promises[i];
        promise->loaded = works(proof, link, loaded, loaded);
        promise->stored = promise->loaded && holds(proof, link, true, &judged, &verdict);
        if (promise->loaded)
            list_push(proof->scratch, &proof->links) = i;
    }
}

static void note_unrepaired(const struct proof *proof, struct plan *plan)
{
    const struct model *model = proof->judge->model;
    const struct side end = { &proof->walk.after, false };
    plan->unrepaired = (str_list){ 0 };
    for (size_t i = 0; i < model->links.count; i++)
        if (!works(proof, &model->links.items[i], end, end))
            list_push(proof->arena, &plan->unrepaired) = model->links.items[i].key;
}

void plan_prove(struct arena *arena, struct judge *judge, moment now, struct plan *plan)
{
    AUTO(arena) struct arena scratch = { 0 };
    size_t links = judge->model->links.count;
    struct proof proof = { .arena = arena, .scratch = &scratch, .judge = judge, .now = now };
    walk_start(&scratch, judge->model, &proof.walk);
    proof.promises = arena_alloc(&scratch, links + 1, sizeof(struct promise));
    proof.taken = arena_alloc(&scratch, links + 1, sizeof(size_t));
    proof.listed = arena_alloc(&scratch, links + 1, sizeof(size_t));
    proof.down = arena_alloc(&scratch, links + 1, sizeof(size_t));
    index_links(&proof);
    find_signers(&proof);
    make_promises(&proof);
    note_signed(&proof, false);

    plan->proven = true;
    for (size_t i = 0; i < plan->waves.count; i++) {
        proof.wave = i + 1;
        prove_wave(&proof, plan, &plan->waves.items[i]);
        plan->proven = plan->proven && plan->waves.items[i].broken.count == 0;
    }
    note_unrepaired(&proof, plan);
}
