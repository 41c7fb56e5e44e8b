/* SPDX-License-Identifier: Apache-2.0 */
#include "node/lease.h"

#include "base/clock.h"
#include "base/io.h"
#include "base/sink.h"
#include "node/protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <time.h>

enum { LOCK_POLL_MS = 20, SMALL_FILE = 64 * 1024 };

static str read_small(struct arena *arena, const char *path)
{
    AUTO(err) struct err err = { 0 };
    str bytes;
    return io_read(arena, path, SMALL_FILE, &bytes, &err) ? bytes : S("");
}

static str boot_id(struct arena *arena)
{
    return str_trim(read_small(arena, "/proc/sys/kernel/random/boot_id"));
}

str lease_process(struct arena *arena, pid_t pid)
{
    str stat = read_small(arena, str_printf(arena, "/proc/%d/stat", (int)pid).ptr);
    str boot = boot_id(arena);
    /* proc(5): the command's name may hold anything, so count from behind its last bracket;
       the start time is field 22, the twentieth from there. */
    size_t at = stat.len;
    while (at > 0 && stat.ptr[at - 1] != ')')
        at--;
    if (at == 0)
        return S("");
    str rest = str_trim((str){ stat.ptr + at, stat.len - at });
    if (str_starts(rest, S("Z")) || str_starts(rest, S("X")))
        return S("");
    for (int i = 0; i < 19; i++)
        (void)str_cut(&rest, ' ');
    return str_printf(arena, "%.*s/%.*s", STR_ARG(boot), STR_ARG(str_cut(&rest, ' ')));
}

str lease_host(struct arena *arena)
{
    char name[HOST_NAME_MAX + 1] = "";
    (void)gethostname(name, sizeof(name) - 1);
    return str_copy(arena, str_c(name));
}

str lease_machine(struct arena *arena)
{
    char pids[64] = "";
    str machine = str_trim(read_small(arena, "/etc/machine-id"));
    if (machine.len == 0)
        machine = boot_id(arena);
    (void)!readlink("/proc/self/ns/pid", pids, sizeof(pids) - 1);
    return str_printf(arena, "%.*s/%s", STR_ARG(machine), pids);
}

bool lease_is_over(struct arena *arena, const struct lease_holder *holder)
{
    return str_eq(holder->host, lease_host(arena)) &&
           str_eq(holder->machine, lease_machine(arena)) &&
           !str_eq(holder->started, lease_process(arena, holder->pid));
}

static bool id_is_plain(str id)
{
    for (size_t i = 0; i < id.len; i++)
        if (strchr("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-", id.ptr[i]) ==
                NULL ||
            id.ptr[i] == '\0')
            return false;
    return id.len > 0 && id.len <= 64;
}

static bool lease_path(struct arena *arena, const struct lease_place *place, const char *suffix,
                       str *ret_path, struct err *err)
{
    if (!id_is_plain(place->cluster))
        return err_set(err, ERR_FORMAT, "\"%.*s\" is not a cluster's id", STR_ARG(place->cluster));
    str dir = io_join(arena, place->state, S("leases"));
    *ret_path = str_printf(arena, "%s/%.*s%s", dir.ptr, STR_ARG(place->cluster), suffix);
    return io_make_dirs(dir.ptr, 0700, err);
}

/* Who has the lock, as the kernel knows it: the file need not be written for that. */
static pid_t lock_holder(int fd)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    return fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? lock.l_pid : 0;
}

/* A lock of the process and of no child of it: what a killed worker had started must not keep its
   node. It is gone when the process closes any descriptor of the file, so nothing else opens it. */
static bool lock(struct arena *arena, const struct lease_place *place, int *ret_lock,
                 struct err *err)
{
    str path;
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    if (!lease_path(arena, place, ".lock", &path, err))
        return false;
    AUTO(fd) int fd = open(path.ptr, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(err, "%s", path.ptr);
    int64_t wait_ms = place->wait_ms > 0 ? place->wait_ms : LEASE_WAIT_MS;
    int64_t deadline = clock_monotonic_ms() + wait_ms;
    while (fcntl(fd, F_SETLK, &whole) < 0) {
        if (errno != EACCES && errno != EAGAIN && errno != EINTR)
            return err_errno(err, "lock %s", path.ptr);
        if (clock_monotonic_ms() >= deadline)
            return err_set(err, ERR_CONFLICT, "process %d is writing to this node right now",
                           (int)lock_holder(fd));
        nanosleep(&(struct timespec){ .tv_nsec = LOCK_POLL_MS * 1000L * 1000L }, NULL);
    }
    *ret_lock = fd;
    fd = -1;
    return true;
}

static bool lease_parse(struct arena *arena, str bytes, struct lease *lease, struct err *err)
{
    AUTO(json) json_t *json = NULL;
    int64_t pid;
    struct lease_holder *holder = &lease->holder;
    if (!protocol_parse(str_trim(bytes), &json, err) ||
        !take_int(json, "token", 0, &lease->token, err) || !take_int(json, "pid", 0, &pid, err) ||
        !take_text(json, "holder", &holder->name, err) ||
        !take_text(json, "host", &holder->host, err) ||
        !take_text(json, "machine", &holder->machine, err) ||
        !take_text(json, "started", &holder->started, err))
        return false;
    holder->name = str_copy(arena, holder->name);
    holder->host = str_copy(arena, holder->host);
    holder->machine = str_copy(arena, holder->machine);
    holder->started = str_copy(arena, holder->started);
    holder->pid = (pid_t)pid;
    lease->held = holder->name.len > 0;
    return true;
}

bool lease_read(struct arena *arena, const struct lease_place *place, struct lease *ret_lease,
                struct err *err)
{
    str path, bytes;
    *ret_lease = (struct lease){ 0 };
    if (!lease_path(arena, place, ".json", &path, err))
        return false;
    if (access(path.ptr, F_OK) < 0 && errno == ENOENT)
        return true;
    if (!io_read(arena, path.ptr, SMALL_FILE, &bytes, err))
        return false;
    return lease_parse(arena, bytes, ret_lease, err) || err_wrap(err, "%s", path.ptr);
}

static bool lease_write(struct arena *arena, const struct lease_place *place,
                        const struct lease *lease, struct err *err)
{
    str path;
    if (!lease_path(arena, place, ".json", &path, err))
        return false;
    AUTO(sink) struct sink sink = { 0 };
    if (!sink_open(&sink, err))
        return false;
    struct emit emit = { .out = sink.file, .one_line = true };
    emit_object(&emit, NULL);
    emit_int(&emit, "token", lease->token);
    emit_text(&emit, "holder", lease->held ? str_cstr(arena, lease->holder.name) : NULL);
    emit_str(&emit, "host", lease->holder.host);
    emit_str(&emit, "machine", lease->holder.machine);
    emit_int(&emit, "pid", lease->holder.pid);
    emit_str(&emit, "started", lease->holder.started);
    emit_object_end(&emit);
    emit_end(&emit);
    struct io_owner owner = { (uid_t)-1, (gid_t)-1, 0600 };
    return io_replace(path.ptr, sink_text(&sink), owner, err);
}

static bool same_process(const struct lease_holder *a, const struct lease_holder *b)
{
    return a->pid == b->pid && str_eq(a->host, b->host) && str_eq(a->machine, b->machine) &&
           str_eq(a->started, b->started);
}

static bool may_take(struct arena *arena, const struct lease *lease,
                     const struct lease_claim *claim, struct err *err)
{
    const struct lease_holder *old = &lease->holder;
    if (!lease->held || same_process(old, &claim->holder) || lease_is_over(arena, old) ||
        claim->dead == lease->token ||
        (claim->take_over.len > 0 && str_eq(old->name, claim->take_over)))
        return true;
    return err_set(err, ERR_CONFLICT, "%.*s (process %d on %.*s) is changing this cluster",
                   STR_ARG(old->name), (int)old->pid, STR_ARG(old->host));
}

bool lease_take(const struct lease_place *place, const struct lease_claim *claim,
                int64_t *ret_token, struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(fd) int fd = -1;
    struct lease lease;
    int64_t token = claim->token;
    if (claim->holder.name.len == 0)
        return err_set(err, ERR_FORMAT, "a lease needs a holder");
    if (!lock(&arena, place, &fd, err) || !lease_read(&arena, place, &lease, err) ||
        !may_take(&arena, &lease, claim, err))
        return false;
    if (lease.token == INT64_MAX || (token != 0 && token <= lease.token))
        return err_set(err, ERR_CONFLICT, "token %lld is not above %lld, the highest seen here",
                       (long long)token, (long long)lease.token);
    struct lease taken = { token != 0 ? token : lease.token + 1, true, claim->holder };
    *ret_token = taken.token;
    return lease_write(&arena, place, &taken, err);
}

static bool token_holds(const struct lease *lease, int64_t token, struct err *err)
{
    if (lease->held && lease->token == token)
        return true;
    if (!lease->held)
        return err_set(err, ERR_CONFLICT, "token %lld holds no lease at this node",
                       (long long)token);
    return err_set(err, ERR_CONFLICT, "token %lld is stale: %.*s holds this cluster with %lld",
                   (long long)token, STR_ARG(lease->holder.name), (long long)lease->token);
}

bool lease_check(const struct lease_place *place, int64_t token, int *ret_lock, struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(fd) int fd = -1;
    struct lease lease;
    if (!lock(&arena, place, &fd, err) || !lease_read(&arena, place, &lease, err) ||
        !token_holds(&lease, token, err))
        return false;
    *ret_lock = fd;
    fd = -1;
    return true;
}

bool lease_release(const struct lease_place *place, int64_t token, struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(fd) int fd = -1;
    struct lease lease;
    if (!lock(&arena, place, &fd, err) || !lease_read(&arena, place, &lease, err) ||
        !token_holds(&lease, token, err))
        return false;
    lease.held = false;
    return lease_write(&arena, place, &lease, err);
}
