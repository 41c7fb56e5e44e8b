/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/planner.h"
#include "plan/state.h"

#include <stdlib.h>

/*
 * Stores that have room for one anchor: the new one comes when the old one goes, and there is no
 * moment at which both are there. When that is, is chosen: what is presented to the store's readers
 * must be good for the old anchor up to then and for the new one from then on. The moments are the
 * batches of identities and, where the old anchor is waited for, the end after the hold; the one is
 * taken at which the fewest links break, and of those the one after which they are back soonest.
 *
 * All that is asked of a link is asked of the judge: with each of its ends as it presents now or in
 * the end, and the store with the old or the new anchor, which are eight answers.
 */

enum {
    CLIENT_NEW = 1,
    SERVER_NEW = 2,
    STORE_NEW = 4,
    ANSWERS = 8,
    /* More moments than these are not compared: they differ in how long links are down. */
    MAX_POINTS = 64,
    /* In batches: a hold can take days. */
    HOLD_LENGTH = 1000
};

#define NEVER SIZE_MAX

/* When what an end presents changes: at some time in the batches from start to end. */
struct flip {
    uint32_t old_chain, new_chain;
    size_t start, end; /* NEVER: it stays as it is */
};

/* A link that is touched by what a swapped store holds. */
struct touched {
    uint32_t link;
    bool answers[ANSWERS];
    bool works_now;
    struct flip client, server;
};

struct placing {
    struct planner *planner;
    struct arena *arena;
    const struct swap *swap;
    struct state with; /* what is stored, with the gains */
    size_t *starts;    /* by first identity of a store: the batch in which its files are written */
    struct groups links_of; /* by swap */
    LIST(struct touched) links;
    LIST(size_t) points;
};

/* How bad a moment is; the first difference decides. */
struct cost {
    size_t lost;   /* links that work now and do not in the end */
    size_t down;   /* links that do not work in the end */
    size_t broken; /* links that work now and in the end, and not all the time */
    size_t length; /* of what is broken, or not repaired yet, in batches */
};

/* ---- when identities change ---- */

static size_t batch_of(const struct planner *planner, const struct identity *identity)
{
    uint32_t service = model_service(planner->model, identity->node, identity->service);
    uint32_t turn =
        service == NO_ID ? NO_ID : planner->turn_of[model_process(planner->model, service)];
    return turn == NO_ID ? NEVER : planner->turns.items[turn].batch;
}

static void lower(size_t *value, size_t other)
{
    *value = other < *value ? other : *value;
}

/* Files of one name are written for all their readers in the turn of the first, and copies follow
   their source at once. */
static void find_starts(struct placing *placing)
{
    struct planner *planner = placing->planner;
    const struct model *model = planner->model;
    placing->starts = arena_alloc(placing->arena, model->identities.count + 1, sizeof(size_t));
    for (size_t i = 0; i < model->identities.count; i++)
        placing->starts[i] = NEVER;
    for (size_t i = 0; i < planner->renewals.count; i++) {
        const struct identity *row = &model->identities.items[planner->renewals.items[i].identity];
        lower(&placing->starts[row->first], batch_of(planner, row));
    }
    for (size_t i = 0; i < model->derived_identities.count; i++) {
        const struct derivation *at = &model->derived_identities.items[i];
        lower(&placing->starts[model->identities.items[at->copy].first],
              placing->starts[model->identities.items[at->source].first]);
    }
}

static struct flip flip_of(const struct placing *placing, uint32_t identity)
{
    struct flip flip = { NO_ID, NO_ID, NEVER, NEVER };
    if (identity == NO_ID)
        return flip;
    const struct identity *row = &placing->planner->model->identities.items[identity];
    const struct renewal *renewal = renewal_of(placing->planner, identity);
    flip.old_chain = row->loaded == NO_ID ? row->stored : row->loaded;
    flip.new_chain = renewal != NULL ? renewal->new_chain : row->stored;
    if (flip.old_chain == flip.new_chain)
        return flip;
    flip.start = flip.end = batch_of(placing->planner, row);
    if (renewal != NULL && renewal->in_place)
        lower(&flip.start, placing->starts[row->first]);
    return flip;
}

/* ---- what the judge says ---- */

/* What the truster has, with the swapped store and all others of its kind as given. */
static uint32_t trusted(const struct placing *placing, uint32_t truster, bool new, bool others_new)
{
    AUTO(arena) struct arena scratch = { 0 };
    struct model *model = placing->planner->model;
    LIST(uint32_t) sets = { 0 };
    if (truster == NO_ID)
        return NO_ID;
    const struct truster *row = &model->trusters.items[truster];
    for (size_t i = 0; i < row->stores.count; i++) {
        uint32_t store = row->stores.items[i];
        const struct swap *swap = planner_swap_of(placing->planner, store);
        bool swapped = swap == NULL ? false : swap == placing->swap ? new : others_new;
        if (swap != NULL && swap->stored && !swapped)
            list_push(&scratch, &sets) = row->loaded;
        else
            list_push(&scratch, &sets) = swapped ? model_anchors(model, &swap->anchor, 1)
                                                 : placing->with.anchors_stored[store];
    }
    return model_anchors_union(model, sets.items, sets.count);
}

static uint32_t shown(const struct placing *placing, uint32_t identity, bool new)
{
    struct flip flip = flip_of(placing, identity);
    return new ? flip.new_chain : flip.old_chain;
}

static uint32_t offered(const struct placing *placing, const struct link *link, bool new)
{
    AUTO(arena) struct arena scratch = { 0 };
    LIST(uint32_t) chains = { 0 };
    list_push(&scratch, &chains) = shown(placing, link->client_identity, new);
    for (size_t i = 0; i < link->more_identities.count; i++)
        list_push(&scratch, &chains) = shown(placing, link->more_identities.items[i], new);
    return link->by_issuer ? model_offer(placing->planner->model, chains.items, chains.count)
                           : chains.items[0];
}

/* Another store of the kind at the other end is that one's matter. */
static bool answer(const struct placing *placing, const struct link *link, unsigned question)
{
    const struct planner *planner = placing->planner;
    struct link_parts parts = link_parts(planner->model, link);
    struct ends ends = {
        .client_chain = offered(placing, link, (question & CLIENT_NEW) != 0),
        .server_chain = shown(placing, link->server_identity, (question & SERVER_NEW) != 0),
    };
    for (int others = 0; others < 2; others++) {
        bool new = (question & STORE_NEW) != 0;
        ends.client_anchors = trusted(placing, parts.client_truster, new, others != 0);
        ends.server_anchors = trusted(placing, parts.server_truster, new, others != 0);
        if (judge_link(planner->judge, link, ends, planner->goal->now).ok)
            return true;
    }
    return false;
}

/* ---- what a point of time costs ---- */

/* Whether there is a time in [from, end) at which the two ends are as `question` has them. */
static bool is_met(const struct touched *touched, unsigned question, size_t from, size_t end)
{
    size_t earliest = from, latest = end == 0 ? 0 : end - 1;
    const struct flip *const flips[] = { &touched->client, &touched->server };
    const unsigned bits[] = { CLIENT_NEW, SERVER_NEW };
    if (end <= from)
        return false;
    for (size_t i = 0; i < COUNT(flips); i++) {
        bool changed = (question & bits[i]) != 0;
        if (changed && flips[i]->start == NEVER)
            return false;
        if (changed)
            earliest = flips[i]->start > earliest ? flips[i]->start : earliest;
        else
            lower(&latest, flips[i]->end);
    }
    return earliest <= latest;
}

/* Whether something that can be met while the store changes at `point` does not work. At the very
   start everything is old, in the batches before the point and in that of a flip both. */
static bool breaks(const struct touched *touched, size_t point)
{
    bool broken = !touched->answers[0];
    for (unsigned question = 0; question < ANSWERS && !broken; question++) {
        bool new = (question & STORE_NEW) != 0;
        broken = !touched->answers[question] && (new ? is_met(touched, question, point, NEVER)
                                                     : is_met(touched, question, 0, point));
    }
    return broken;
}

static size_t distance(const struct flip *flip, size_t point)
{
    if (flip->start == NEVER)
        return 0;
    if (point <= flip->start)
        return flip->start - point;
    return point <= flip->end ? 0 : point - 1 - flip->end;
}

/* The hold comes after every batch. */
static size_t point_of(const struct planner *planner, size_t before)
{
    return before == SWAP_LAST ? planner->batches + 1 : before;
}

static void add_cost(const struct placing *placing, const struct touched *touched, size_t before,
                     struct cost *cost)
{
    size_t point = point_of(placing->planner, before);
    bool never = before == SWAP_NEVER;
    bool works = touched->answers[CLIENT_NEW | SERVER_NEW | (never ? 0 : STORE_NEW)];
    bool broken = touched->works_now && works && breaks(touched, point);
    cost->down += !works;
    cost->lost += touched->works_now && !works;
    cost->broken += broken;
    if (broken || !touched->works_now)
        cost->length += distance(&touched->client, point) + distance(&touched->server, point) +
                        (before == SWAP_LAST ? HOLD_LENGTH : 0);
}

static struct cost cost_of(const struct placing *placing, size_t before)
{
    struct cost cost = { 0 };
    for (size_t i = 0; i < placing->links.count; i++)
        add_cost(placing, &placing->links.items[i], before, &cost);
    return cost;
}

static bool is_less(const struct cost *a, const struct cost *b)
{
    const size_t pairs[][2] = {
        {a->lost,    b->lost  },
        { a->down,   b->down  },
        { a->broken, b->broken},
        { a->length, b->length}
    };
    for (size_t i = 0; i < COUNT(pairs); i++)
        if (pairs[i][0] != pairs[i][1])
            return pairs[i][0] < pairs[i][1];
    return false;
}

/* ---- the links of a store ---- */

/* What the client may present changes from the first of it to the last. */
static struct flip client_flip(const struct placing *placing, const struct link *link)
{
    struct flip flip = flip_of(placing, link->client_identity);
    for (size_t i = 0; i < link->more_identities.count; i++) {
        struct flip more = flip_of(placing, link->more_identities.items[i]);
        if (more.start == NEVER)
            continue;
        lower(&flip.start, more.start);
        flip.end = flip.end == NEVER || more.end > flip.end ? more.end : flip.end;
    }
    return flip;
}

static void take_link(struct placing *placing, uint32_t id)
{
    struct planner *planner = placing->planner;
    const struct link *link = &planner->model->links.items[id];
    struct touched touched = { .link = id,
                               .client = client_flip(placing, link),
                               .server = flip_of(placing, link->server_identity) };
    struct ends now = ends_loaded(planner->model, link);
    touched.works_now = judge_link(planner->judge, link, now, planner->goal->now).ok;
    /* What a signer has signed is about until the hold. */
    if (link->kind == LINK_SIGNER && touched.server.start != NEVER)
        touched.server.end = planner->batches;
    for (unsigned question = 0; question < ANSWERS; question++)
        touched.answers[question] = answer(placing, link, question);
    list_push(placing->arena, &placing->links) = touched;
}

/* Of each swapped store, the links that are touched by what is in it. */
static void index_links(struct placing *placing)
{
    const struct planner *planner = placing->planner;
    const struct model *model = planner->model;
    groups_init(&placing->links_of, placing->arena, planner->swaps.count);
    for (int round = 0; round < 2; round++) {
        groups_round(&placing->links_of);
        for (uint32_t i = 0; i < model->links.count; i++) {
            struct link_parts parts = link_parts(model, &model->links.items[i]);
            if (!planner_reads_swap(planner, parts.client_truster) &&
                !planner_reads_swap(planner, parts.server_truster))
                continue;
            for (uint32_t k = 0; k < planner->swaps.count; k++)
                if (model_reads(model, parts.client_truster, planner->swaps.items[k].store) ||
                    model_reads(model, parts.server_truster, planner->swaps.items[k].store))
                    groups_add(&placing->links_of, k, i);
        }
    }
}

static void take_links(struct placing *placing, uint32_t swap)
{
    size_t count;
    const uint32_t *links = groups_of(&placing->links_of, swap, &count);
    placing->links.count = 0;
    for (size_t i = 0; i < count; i++)
        take_link(placing, links[i]);
}

/* ---- the points of time ---- */

static int ascending(const void *a, const void *b)
{
    size_t left = *(const size_t *)a, right = *(const size_t *)b;
    return (left > right) - (left < right);
}

static void add_point(struct placing *placing, size_t point)
{
    if (point <= placing->planner->batches)
        list_push(placing->arena, &placing->points) = point;
}

/* Before and after whatever changes. */
static void find_points(struct placing *placing)
{
    size_t kept = 0;
    placing->points.count = 0;
    add_point(placing, 0);
    add_point(placing, placing->planner->batches);
    for (size_t i = 0; i < placing->links.count; i++) {
        const struct flip *const flips[] = { &placing->links.items[i].client,
                                             &placing->links.items[i].server };
        for (size_t k = 0; k < COUNT(flips); k++) {
            add_point(placing, flips[k]->start);
            add_point(placing, flips[k]->end == NEVER ? NEVER : flips[k]->end + 1);
        }
    }
    qsort(placing->points.items, placing->points.count, sizeof(size_t), ascending);
    for (size_t i = 0; i < placing->points.count; i++)
        if (kept == 0 || placing->points.items[i] != placing->points.items[kept - 1])
            placing->points.items[kept++] = placing->points.items[i];
    placing->points.count = kept;
}

/* Whether a hold waits for what goes. */
static bool is_held(const struct planner *planner, const struct swap *swap)
{
    size_t count;
    const uint32_t *old = model_members(
        planner->model->anchor_sets.items[planner->model->stores.items[swap->store].anchors],
        &count);
    for (size_t i = 0; i < count; i++)
        if (planner->leaving[old[i]])
            return true;
    return false;
}

static void try_point(const struct placing *placing, size_t before, size_t *best,
                      struct cost *least)
{
    struct cost cost = cost_of(placing, before);
    if (!is_less(&cost, least))
        return;
    *best = before;
    *least = cost;
}

static size_t best_point(struct placing *placing)
{
    size_t best = SWAP_NEVER, step = placing->points.count / MAX_POINTS + 1;
    struct cost least = { SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX };
    if (!order_rule_active[ORDER_ONE_ANCHOR])
        return 0;
    if (is_held(placing->planner, placing->swap))
        try_point(placing, SWAP_LAST, &best, &least);
    for (size_t i = 0; i < placing->points.count; i += step)
        try_point(placing, placing->points.items[i], &best, &least);
    try_point(placing, placing->planner->batches, &best, &least);
    try_point(placing, SWAP_NEVER, &best, &least);
    return best;
}

/* ---- what follows from it ---- */

/* The store keeps what it has, for the first link that would miss it. */
static void note_kept(struct placing *placing)
{
    for (size_t i = 0; i < placing->links.count; i++) {
        const struct touched *touched = &placing->links.items[i];
        bool misses = breaks(touched, 0) && !breaks(touched, NEVER);
        if (!misses || !is_held(placing->planner, placing->swap))
            continue;
        list_push(placing->planner->arena, &placing->planner->plan->kept) =
            (struct plan_kept){ placing->swap->store,
                                placing->planner->model->links.items[touched->link].key };
        return;
    }
}

static void note_broken(struct placing *placing, struct swap *swap)
{
    size_t point = point_of(placing->planner, swap->before);
    for (size_t i = 0; i < placing->links.count; i++)
        if (placing->links.items[i].works_now && breaks(&placing->links.items[i], point))
            list_push(placing->planner->arena, &swap->breaks) = placing->links.items[i].link;
}

static void place(struct placing *placing, uint32_t index)
{
    struct swap *swap = &placing->planner->swaps.items[index];
    placing->swap = swap;
    take_links(placing, index);
    find_points(placing);
    swap->before = best_point(placing);
    if (swap->before == SWAP_NEVER)
        note_kept(placing);
    else
        note_broken(placing, swap);
}

/* What is derived has what its source has. */
static void follow_sources(struct planner *planner)
{
    const derivation_list *derived = &planner->model->derived_stores;
    for (size_t i = 0; i < derived->count; i++) {
        const struct swap *source = planner_swap_of(planner, derived->items[i].source);
        struct swap *copy = planner_swap_of(planner, derived->items[i].copy);
        if (source != NULL && copy != NULL)
            copy->before = source->before;
    }
}

void planner_place_swaps(struct planner *planner)
{
    AUTO(arena) struct arena scratch = { 0 };
    struct placing placing = { .planner = planner, .arena = &scratch };
    if (planner->swaps.count == 0)
        return;
    planner_state_with_gains(planner, &scratch, &placing.with);
    find_starts(&placing);
    index_links(&placing);
    for (uint32_t i = 0; i < planner->swaps.count; i++)
        place(&placing, i);
    follow_sources(planner);
}
