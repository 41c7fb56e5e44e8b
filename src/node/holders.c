/* SPDX-License-Identifier: Apache-2.0 */
#include "node/holders.h"

#include "base/auto.h"
#include "base/io.h"
#include "tls/endpoint.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PROC_MAX = 16 * 1024 * 1024, STARTED_FIELD = 17 };

static str read_proc(struct arena *arena, const char *path)
{
    AUTO(err) struct err err = { 0 };
    str text;
    return io_read(arena, path, PROC_MAX, &text, &err) ? text : S("");
}

/* ---- sockets ---- */

/* "0100007F:01BB" as /proc/net/tcp has it: 32-bit words in the machine's order, then the port. */
static str kernel_address(struct arena *arena, str host, uint16_t port)
{
    const char *name = str_cstr(arena, host);
    uint32_t words[4];
    size_t count = inet_pton(AF_INET, name, words) == 1    ? 1
                   : inet_pton(AF_INET6, name, words) == 1 ? 4
                                                           : 0;
    struct buf buf = { 0 };
    for (size_t i = 0; i < count; i++)
        buf_printf(arena, &buf, "%08X", words[i]);
    buf_printf(arena, &buf, ":%04X", port);
    return buf_str(&buf);
}

static str next_field(str *line)
{
    *line = str_trim(*line);
    return str_cut(line, ' ');
}

/* "sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode", st 0A: listening. */
static void add_sockets(struct arena *arena, const char *table, str address, str any,
                        str_list *ret_sockets)
{
    str text = read_proc(arena, table);
    while (text.len > 0) {
        str line = str_cut(&text, '\n'), fields[10];
        for (size_t i = 0; i < COUNT(fields); i++)
            fields[i] = next_field(&line);
        bool ours = str_eq(fields[1], address) || str_eq(fields[1], any);
        if (ours && str_eq(fields[3], S("0A")))
            list_push(arena, ret_sockets) = str_printf(arena, "socket:[%.*s]", STR_ARG(fields[9]));
    }
}

static void find_sockets(struct arena *arena, str listen, str_list *ret_sockets)
{
    struct endpoint endpoint;
    if (!endpoint_parse(listen, &endpoint))
        return;
    str host = str_eq(endpoint.host, S("localhost")) ? S("127.0.0.1") : endpoint.host;
    str address = kernel_address(arena, host, endpoint.port);
    add_sockets(arena, "/proc/self/net/tcp", address,
                kernel_address(arena, S("0.0.0.0"), endpoint.port), ret_sockets);
    add_sockets(arena, "/proc/self/net/tcp6", address,
                kernel_address(arena, S("::"), endpoint.port), ret_sockets);
}

/* ---- processes ---- */

static bool has_socket(const char *pid, const str_list *sockets)
{
    AUTO(arena) struct arena arena = { 0 };
    str path = str_printf(&arena, "/proc/%s/fd", pid);
    AUTO(dir) DIR *folder = opendir(path.ptr);
    const struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        char target[64];
        ssize_t len = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target));
        if (len > 0 && str_list_has(sockets, (str){ target, (size_t)len }))
            return true;
    }
    return false;
}

/* Parent and start are fields 4 and 22 of /proc/PID/stat; the command before them may hold blanks
   and brackets. */
static bool read_holder(const char *pid, struct holder *ret_holder)
{
    AUTO(arena) struct arena arena = { 0 };
    uint64_t number, parent;
    str text = read_proc(&arena, str_printf(&arena, "/proc/%s/stat", pid).ptr);
    size_t end = text.len;
    while (end > 0 && text.ptr[end - 1] != ')')
        end--;
    str rest = { text.ptr + end, text.len - end };
    (void)next_field(&rest);
    if (!str_to_u64(str_c(pid), INT_MAX, &number) ||
        !str_to_u64(next_field(&rest), INT_MAX, &parent))
        return false;
    for (int i = 0; i < STARTED_FIELD; i++)
        (void)next_field(&rest);
    ret_holder->pid = (pid_t)number;
    ret_holder->parent = (pid_t)parent;
    return str_to_u64(next_field(&rest), UINT64_MAX, &ret_holder->started);
}

void holders_find(struct arena *arena, str listen, holder_list *ret_holders)
{
    AUTO(arena) struct arena scratch = { 0 };
    str_list sockets = { 0 };
    *ret_holders = (holder_list){ 0 };
    find_sockets(&scratch, listen, &sockets);
    AUTO(dir) DIR *folder = sockets.count == 0 ? NULL : opendir("/proc");
    const struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        struct holder holder;
        bool numeric = entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
        if (numeric && has_socket(entry->d_name, &sockets) && read_holder(entry->d_name, &holder))
            list_push(arena, ret_holders) = holder;
    }
}

/* ---- before and after ---- */

static bool has(const holder_list *list, const struct holder *holder)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].pid == holder->pid && list->items[i].started == holder->started)
            return true;
    return false;
}

static bool has_pid(const holder_list *list, pid_t pid)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].pid == pid)
            return true;
    return false;
}

static size_t count_new(const holder_list *before, const holder_list *now)
{
    size_t count = 0;
    for (size_t i = 0; i < now->count; i++)
        count += !has(before, &now->items[i]);
    return count;
}

/* The parent of something that came holds the socket for it and does not answer itself. */
static bool is_parent_of_new(const holder_list *before, const holder_list *now, pid_t pid)
{
    for (size_t i = 0; i < now->count; i++)
        if (now->items[i].parent == pid && !has(before, &now->items[i]))
            return true;
    return false;
}

static bool has_let_go(const holder_list *before, const holder_list *now, const struct holder *old)
{
    bool worker = has_pid(before, old->parent);
    if (!has(now, old))
        return !worker || count_new(before, now) > 0;
    return !worker && (count_new(before, now) == 0 || is_parent_of_new(before, now, old->pid));
}

bool holders_settled(struct arena *arena, const holder_list *before, const holder_list *now,
                     str *ret_evidence)
{
    *ret_evidence = S("");
    for (size_t i = 0; i < before->count; i++) {
        if (has_let_go(before, now, &before->items[i]))
            continue;
        *ret_evidence = str_printf(arena, "process %d, which answered before, has no successor yet",
                                   (int)before->items[i].pid);
        return false;
    }
    return true;
}

/* Of /proc/stat: when the machine was started. */
static moment boot_time(void)
{
    AUTO(arena) struct arena arena = { 0 };
    uint64_t at = 0;
    for (str text = read_proc(&arena, "/proc/stat"); text.len > 0;) {
        str line = str_cut(&text, '\n');
        if (str_eq(str_cut(&line, ' '), S("btime")))
            (void)!str_to_u64(str_trim(line), INT64_MAX, &at);
    }
    return (moment)at;
}

moment holders_since(const holder_list *holders)
{
    uint64_t first = UINT64_MAX;
    for (size_t i = 0; i < holders->count; i++)
        first = holders->items[i].started < first ? holders->items[i].started : first;
    moment boot = holders->count == 0 ? 0 : boot_time();
    return boot == 0 ? 0 : boot + (moment)(first / (uint64_t)sysconf(_SC_CLK_TCK));
}
