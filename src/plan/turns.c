/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/planner.h"

/* Which services take part, and in which order. */

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
        if (identity->service.len == 0 || (renewal == NO_ID && !differs && !identity->stale))
            continue;
        struct turn *turn = planner_turn(planner, identity->node, identity->service);
        if (renewal != NO_ID)
            list_push(planner->arena, &turn->renewals) = renewal;
        if (identity->load != LOAD_PER_CONNECTION)
            turn->loads_identity = true;
    }
    planner_find_swap_turns(planner);
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

/* A store that several services read is written at the first turn of them; one that nobody reads
   has no turn. */
static void choose_installers(struct planner *planner)
{
    AUTO(arena) struct arena scratch = { 0 };
    bool *taken = arena_alloc(&scratch, planner->model->identities.count + 1, sizeof(bool));
    for (size_t i = 0; i < planner->turns.count; i++)
        for (size_t k = 0; k < planner->turns.items[i].renewals.count; k++) {
            struct renewal *renewal =
                &planner->renewals.items[planner->turns.items[i].renewals.items[k]];
            uint32_t first = planner->model->identities.items[renewal->identity].first;
            renewal->installs = !taken[first] || !order_rule_active[ORDER_SHARED_STORE];
            taken[first] = true;
        }
    for (size_t i = 0; i < planner->renewals.count; i++) {
        struct renewal *renewal = &planner->renewals.items[i];
        bool unread = planner->model->identities.items[renewal->identity].service.len == 0;
        renewal->installs = renewal->installs || unread;
    }
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
    choose_installers(planner);
}
