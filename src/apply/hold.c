/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/hold.h"

#include "node/lease.h"
#include "x509/cert.h"

#include <pwd.h>

/* A node may wait ten seconds for its lock before it names who has it. */
enum { ASK_MS = 15000, TAKE_MS = LEASE_WAIT_MS + 5000, ID_DIGITS = 32 };

str hold_cluster_id(struct arena *arena, const struct cluster *cluster)
{
    if (cluster->id.len > 0)
        return cluster->id;
    return (str){ sha256_hex(arena, cluster->name).ptr, ID_DIGITS };
}

/* "alice@host:1234": who it is, for people, and for --take-over. */
static struct lease_holder self(struct arena *arena)
{
    const struct passwd *entry = getpwuid(geteuid());
    str host = lease_host(arena);
    return (struct lease_holder){
        .name = str_printf(arena, "%s@%.*s:%d", entry == NULL ? "?" : entry->pw_name, STR_ARG(host),
                           (int)getpid()),
        .host = host,
        .machine = lease_machine(arena),
        .pid = getpid(),
        .started = lease_process(arena, getpid()),
    };
}

/* What a node says of its lease. */
struct reading {
    int64_t token;
    struct lease_holder holder; /* without a name: nobody holds it */
};

static struct reading read_one(struct arena *arena, const json_t *answer)
{
    return (struct reading){
        .token = json_integer_value(json_object_get(answer, "token")),
        .holder = {.name = answer_text(arena, answer, "holder"),
                   .host = answer_text(arena, answer, "host"),
                   .machine = answer_text(arena, answer, "machine"),
                   .pid = (pid_t)json_integer_value(json_object_get(answer, "pid")),
                   .started = answer_text(arena, answer, "started")}
    };
}

/* A question to every member, each with its own body; false with the first error. Every answer is
   read as if it were about the lease. */
static bool ask_members(struct arena *arena, struct fleet *fleet, const char *op, json_t **bodies,
                        int timeout_ms, struct reading *readings, struct err *err)
{
    size_t count = fleet->members.count;
    struct ask *asks = arena_alloc(arena, count + 1, sizeof(*asks));
    for (size_t i = 0; i < count; i++)
        asks[i] = (struct ask){ .reach = fleet_reach(fleet, fleet->members.items[i].node),
                                .op = op,
                                .body = bodies[i],
                                .timeout_ms = timeout_ms };
    reach_ask_all(asks, count);
    bool all = true;
    for (size_t i = 0; i < count; i++) {
        if (asks[i].ok)
            readings[i] = read_one(arena, asks[i].answer);
        else if (all)
            all = ask_error(&asks[i], err);
        ask_clear(&asks[i]);
        json_decref(bodies[i]);
    }
    return all;
}

static bool read_all(struct arena *arena, struct fleet *fleet, str cluster,
                     struct reading *readings, struct err *err)
{
    size_t count = fleet->members.count;
    json_t **bodies = arena_alloc(arena, count + 1, sizeof(json_t *));
    for (size_t i = 0; i < count; i++)
        bodies[i] = json_pack("{s:s%}", "cluster", cluster.ptr, cluster.len);
    return ask_members(arena, fleet, "lease_read", bodies, ASK_MS, readings, err);
}

/* A node cannot know of a holder on another machine that it is dead; where that machine is ours, we
   can. It is said by its token: by now somebody else may hold the lease. */
static json_t *claim_body(struct arena *arena, str cluster, const struct lease_claim *claim,
                          const struct reading *reading)
{
    const struct lease_holder *me = &claim->holder;
    bool dead = reading->holder.name.len > 0 && lease_is_over(arena, &reading->holder);
    return json_pack("{s:s%,s:I,s:s%,s:s%,s:s%,s:i,s:s%,s:s%,s:I}", "cluster", cluster.ptr,
                     cluster.len, "token", (json_int_t)claim->token, "holder", me->name.ptr,
                     me->name.len, "host", me->host.ptr, me->host.len, "machine", me->machine.ptr,
                     me->machine.len, "pid", (int)me->pid, "started", me->started.ptr,
                     me->started.len, "take_over",
                     claim->take_over.len > 0 ? claim->take_over.ptr : "", claim->take_over.len,
                     "dead", (json_int_t)(dead ? reading->token : 0));
}

static bool take_all(struct arena *arena, struct hold *hold, const struct lease_claim *claim,
                     const struct reading *readings, struct err *err)
{
    size_t count = hold->fleet->members.count;
    json_t **bodies = arena_alloc(arena, count + 1, sizeof(json_t *));
    struct reading *taken = arena_alloc(arena, count + 1, sizeof(*taken));
    for (size_t i = 0; i < count; i++)
        bodies[i] = claim_body(arena, hold->cluster, claim, &readings[i]);
    return ask_members(arena, hold->fleet, "lease_take", bodies, TAKE_MS, taken, err);
}

/* Whoever else holds the lease somewhere, or the empty string. */
static str other_holder(struct arena *arena, struct fleet *fleet, str cluster, str self)
{
    AUTO(err) struct err unnamed = { 0 };
    size_t count = fleet->members.count;
    struct reading *readings = arena_alloc(arena, count + 1, sizeof(*readings));
    str other = S("");
    (void)!read_all(arena, fleet, cluster, readings, &unnamed);
    for (size_t i = 0; i < count; i++)
        if (readings[i].holder.name.len > 0 && !str_eq(readings[i].holder.name, self) &&
            !lease_is_over(arena, &readings[i].holder))
            other = readings[i].holder.name;
    return other;
}

bool hold_take(struct arena *arena, struct fleet *fleet, str cluster, str take_over,
               struct hold *ret_hold, str *ret_holder, struct err *err)
{
    struct lease_claim claim = { .holder = self(arena), .take_over = take_over };
    size_t count = fleet->members.count;
    struct reading *readings = arena_alloc(arena, count + 1, sizeof(*readings));
    *ret_holder = S("");
    if (!read_all(arena, fleet, cluster, readings, err))
        return false;
    for (size_t i = 0; i < count; i++)
        claim.token = readings[i].token > claim.token ? readings[i].token : claim.token;
    claim.token++;
    *ret_hold = (struct hold){ fleet, cluster, claim.token };
    if (take_all(arena, ret_hold, &claim, readings, err))
        return true;
    if (err->kind == ERR_CONFLICT)
        *ret_holder = other_holder(arena, fleet, cluster, claim.holder.name);
    hold_release(ret_hold);
    return false;
}

/* Whoever holds a later token keeps it: a node refuses ours. One that cannot be reached keeps ours,
   and it is told when we are seen to be dead. */
void hold_release(struct hold *hold)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err lost = { 0 };
    if (hold->token == 0)
        return;
    size_t count = hold->fleet->members.count;
    json_t **bodies = arena_alloc(&arena, count + 1, sizeof(json_t *));
    struct reading *readings = arena_alloc(&arena, count + 1, sizeof(*readings));
    for (size_t i = 0; i < count; i++)
        bodies[i] = json_pack("{s:s%,s:I}", "cluster", hold->cluster.ptr, hold->cluster.len,
                              "token", (json_int_t)hold->token);
    (void)!ask_members(&arena, hold->fleet, "lease_release", bodies, TAKE_MS, readings, &lost);
    hold->token = 0;
}
