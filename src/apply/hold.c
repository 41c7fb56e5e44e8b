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
        .pid = getpid(),
        .started = lease_process(arena, getpid()),
    };
}

/* The same question to every member; false with the first error. Each answer is given to `take`. */
static bool ask_members(struct fleet *fleet, const char *op, json_t *body, int timeout_ms,
                        void (*take)(void *context, size_t member, const json_t *answer),
                        void *context, struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    size_t count = fleet->members.count;
    struct ask *asks = arena_alloc(&arena, count + 1, sizeof(*asks));
    for (size_t i = 0; i < count; i++)
        asks[i] = (struct ask){ .reach = &fleet->members.items[i].reach,
                                .op = op,
                                .body = body,
                                .timeout_ms = timeout_ms };
    reach_ask_all(asks, count);
    bool all = true;
    for (size_t i = 0; i < count; i++) {
        if (asks[i].ok)
            take(context, i, asks[i].answer);
        else if (all)
            all = ask_error(&asks[i], err);
        ask_clear(&asks[i]);
    }
    return all;
}

struct reading {
    int64_t highest;
};

static void read_one(void *context, size_t member, const json_t *answer)
{
    struct reading *reading = context;
    int64_t token = json_integer_value(json_object_get(answer, "token"));
    (void)member;
    reading->highest = token > reading->highest ? token : reading->highest;
}

static void count_one(void *context, size_t member, const json_t *answer)
{
    size_t *count = context;
    (void)member, (void)answer;
    ++*count;
}

struct naming {
    struct arena *arena;
    str holder, self;
};

static void name_one(void *context, size_t member, const json_t *answer)
{
    struct naming *naming = context;
    str holder = answer_text(naming->arena, answer, "holder");
    (void)member;
    if (holder.len > 0 && !str_eq(holder, naming->self))
        naming->holder = holder;
}

static json_t *take_body(const struct lease_holder *holder, str cluster, int64_t token,
                         str take_over)
{
    return json_pack("{s:s%,s:I,s:s%,s:s%,s:i,s:s%,s:s%}", "cluster", cluster.ptr, cluster.len,
                     "token", (json_int_t)token, "holder", holder->name.ptr, holder->name.len,
                     "host", holder->host.ptr, holder->host.len, "pid", (int)holder->pid, "started",
                     holder->started.ptr, holder->started.len, "take_over",
                     take_over.len > 0 ? take_over.ptr : "", take_over.len);
}

bool hold_take(struct arena *arena, struct fleet *fleet, str cluster, str take_over,
               struct hold *ret_hold, str *ret_holder, struct err *err)
{
    struct lease_holder holder = self(arena);
    struct reading reading = { 0 };
    size_t taken = 0;
    AUTO(json) json_t *which = json_pack("{s:s%}", "cluster", cluster.ptr, cluster.len);
    *ret_holder = S("");
    if (!ask_members(fleet, "lease_read", which, ASK_MS, read_one, &reading, err))
        return false;
    AUTO(json)
    json_t *body = take_body(&holder, cluster, reading.highest + 1, take_over);
    *ret_hold = (struct hold){ fleet, cluster, reading.highest + 1 };
    if (ask_members(fleet, "lease_take", body, TAKE_MS, count_one, &taken, err))
        return true;
    AUTO(err) struct err unnamed = { 0 };
    struct naming naming = { arena, S(""), holder.name };
    if (err->kind == ERR_CONFLICT &&
        ask_members(fleet, "lease_read", which, ASK_MS, name_one, &naming, &unnamed))
        *ret_holder = naming.holder;
    hold_release(ret_hold);
    return false;
}

/* Whoever holds a later token keeps it: a node refuses ours. */
void hold_release(struct hold *hold)
{
    AUTO(err) struct err lost = { 0 };
    size_t released = 0;
    if (hold->token == 0)
        return;
    AUTO(json)
    json_t *body = json_pack("{s:s%,s:I}", "cluster", hold->cluster.ptr, hold->cluster.len, "token",
                             (json_int_t)hold->token);
    (void)!ask_members(hold->fleet, "lease_release", body, TAKE_MS, count_one, &released, &lost);
    hold->token = 0;
}
