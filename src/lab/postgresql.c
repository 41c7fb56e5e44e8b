/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/postgresql.h"

#include "base/io.h"
#include "lab/config.h"
#include "lab/files.h"
#include "lab/query.h"
#include "lab/record.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <signal.h>
#include <sys/socket.h>

enum { READY_MS = 30000, STREAM_MS = 20000, POLL_MS = 20, START_TRIES = 3, STATUS_LINE = 8 };

bool lab_postgresql_find(struct arena *arena, str *ret_bin, struct err *err)
{
    uint64_t newest = 0;
    DIR *dir = opendir("/usr/lib/postgresql");
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        uint64_t version;
        str bin = str_printf(arena, "/usr/lib/postgresql/%s/bin/initdb", entry->d_name);
        if (str_to_u64(str_c(entry->d_name), 999, &version) && version > newest &&
            access(bin.ptr, X_OK) == 0)
            newest = version;
    }
    if (dir != NULL)
        closedir(dir);
    if (newest == 0) {
        err_set(err, ERR_REFUSED, "no PostgreSQL server below /usr/lib/postgresql");
        return err_next(err, "apt-get install --no-install-recommends postgresql-15");
    }
    *ret_bin = str_printf(arena, "/usr/lib/postgresql/%u/bin", (unsigned)newest);
    return true;
}

bool lab_free_port(uint16_t *ret_port, struct err *err)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(at);
    AUTO(fd) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) < 0)
        return err_errno(err, "no free port on 127.0.0.1");
    *ret_port = ntohs(at.sin_port);
    return true;
}

bool lab_postgresql_init(struct arena *arena, const struct lab *lab, struct err *err)
{
    const struct lab_node *node = &lab->nodes[0];
    str initdb = str_printf(arena, "%s/initdb", lab->bin.ptr);
    const char *const argv[] = {
        initdb.ptr, "-D",   node->data.ptr,     "-U",        "postgres",          "-A", "trust",
        "-E",       "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions", NULL
    };
    struct lab_command command = { .argv = argv, .log = node->log.ptr, .cwd = node->home.ptr };
    struct lab_process process;
    return lab_spawn(&lab->user, &command, &process, err) && lab_wait(&process, &command, err);
}

enum { COPY_ARGS = 16 };

static void copy_command(struct arena *arena, const struct lab *lab, size_t node, const char **argv)
{
    const char *const words[] = { str_printf(arena, "%s/pg_basebackup", lab->bin.ptr).ptr,
                                  "-h",
                                  lab->nodes[0].socket.ptr,
                                  "-p",
                                  str_printf(arena, "%u", lab->nodes[0].port).ptr,
                                  "-U",
                                  "postgres",
                                  "-D",
                                  lab->nodes[node].data.ptr,
                                  "-c",
                                  "fast",
                                  "-X",
                                  "stream",
                                  "--no-sync",
                                  NULL };
    _Static_assert(COUNT(words) <= COPY_ARGS, "room for every word");
    for (size_t i = 0; i < COUNT(words); i++)
        argv[i] = words[i];
}

bool lab_postgresql_copy(struct arena *arena, const struct lab *lab, struct err *err)
{
    const char *argv[LAB_NODES_MAX][COPY_ARGS];
    struct lab_command commands[LAB_NODES_MAX];
    struct lab_process processes[LAB_NODES_MAX] = { 0 };
    AUTO(err) struct err later = { 0 };
    bool done = true;
    for (size_t i = 1; i < lab->count && done; i++) {
        copy_command(arena, lab, i, argv[i]);
        commands[i] = (struct lab_command){ .argv = argv[i],
                                            .log = lab->nodes[i].log.ptr,
                                            .cwd = lab->nodes[i].home.ptr };
        done = lab_spawn(&lab->user, &commands[i], &processes[i], err);
    }
    /* Every child is waited for, and the first failure is the one that is told. */
    for (size_t i = 1; i < lab->count; i++)
        if (processes[i].pid > 0 && !lab_wait(&processes[i], &commands[i], done ? err : &later))
            done = false;
    return done;
}

static bool write_settings(struct arena *arena, const struct lab *lab, size_t node, struct err *err)
{
    str data = lab->nodes[node].data;
    str conf = str_printf(arena, "%s/postgresql.conf", data.ptr);
    str hba = str_printf(arena, "%s/pg_hba.conf", data.ptr);
    if (!lab_write(lab, conf, lab_config_postgresql(arena, lab, node), LAB_SERVERS, err) ||
        !lab_write(lab, hba, lab_config_hba(arena), LAB_SERVERS, err))
        return false;
    if (node == 0)
        return true;
    return lab_write(lab, str_printf(arena, "%s/standby.signal", data.ptr), S(""), LAB_SERVERS,
                     err) &&
           lab_write(lab, str_printf(arena, "%s/postgresql.auto.conf", data.ptr),
                     lab_config_standby(arena, lab, node), LAB_SERVERS, err);
}

/* Line 8 of postmaster.pid says "ready" once connections are taken. */
static bool is_ready(const struct lab_node *node)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    str text;
    str path = str_printf(&arena, "%s/postmaster.pid", node->data.ptr);
    if (!io_read(&arena, path.ptr, 4096, &text, &err))
        return false;
    for (int i = 1; i < STATUS_LINE; i++)
        str_cut(&text, '\n');
    return str_eq(str_trim(str_cut(&text, '\n')), S("ready"));
}

enum start { START_READY, START_DIED, START_SLOW };

static enum start wait_ready(const struct lab_node *node)
{
    for (int64_t end = clock_monotonic_ms() + READY_MS; clock_monotonic_ms() < end;
         lab_pause(POLL_MS)) {
        if (is_ready(node))
            return START_READY;
        if (!lab_process_alive(&node->server))
            return START_DIED;
    }
    return START_SLOW;
}

static bool port_was_taken(struct arena *arena, const struct lab_node *node)
{
    AUTO(err) struct err err = { 0 };
    str text;
    if (!io_read(arena, node->log.ptr, IO_FILE_MAX, &text, &err))
        return false;
    return str_find(text, S("Address already in use")) < text.len;
}

static bool launch(struct arena *arena, struct lab *lab, size_t node, struct err *err)
{
    struct lab_node *at = &lab->nodes[node];
    str postgres = str_printf(arena, "%s/postgres", lab->bin.ptr);
    const char *const argv[] = { postgres.ptr, "-D", at->data.ptr, NULL };
    struct lab_command command = {
        .argv = argv, .log = at->log.ptr, .cwd = at->home.ptr, .server = true
    };
    return lab_free_port(&at->port, err) && write_settings(arena, lab, node, err) &&
           lab_spawn(&lab->user, &command, &at->server, err) && lab_record_write(lab, err);
}

bool lab_postgresql_start(struct arena *arena, struct lab *lab, size_t node, struct err *err)
{
    const struct lab_node *at = &lab->nodes[node];
    for (int i = 0; i < START_TRIES; i++) {
        if (!launch(arena, lab, node, err))
            return err_wrap(err, "start %s", at->name.ptr);
        enum start start = wait_ready(at);
        if (start == START_READY)
            return true;
        if (start == START_SLOW)
            return err_set(err, ERR_TIMEOUT, "%s does not get ready (%s)", at->name.ptr,
                           at->log.ptr);
        if (!port_was_taken(arena, at))
            break;
    }
    return err_set(err, ERR_SYSTEM, "%s did not start: %.*s", at->name.ptr,
                   STR_ARG(lab_log_tail(arena, at->log.ptr)));
}

/* Asked again until the answer is `want` (or, with `differ`, is something else). */
static bool wait_answer(struct arena *arena, const struct lab *lab, size_t node, const char *sql,
                        str want, bool differ, struct err *err)
{
    str got = S("");
    for (int64_t end = clock_monotonic_ms() + STREAM_MS; clock_monotonic_ms() < end;
         lab_pause(POLL_MS)) {
        if (!lab_query(arena, &lab->user, &lab->nodes[node], sql, &got, err))
            return false;
        if (str_eq(got, want) != differ)
            return true;
    }
    return err_set(err, ERR_TIMEOUT, "%s: \"%s\" stays %.*s", lab->nodes[node].name.ptr, sql,
                   STR_ARG(got));
}

bool lab_postgresql_reload(struct arena *arena, const struct lab *lab, size_t node, struct err *err)
{
    /* A new session inherits the time from the postmaster, which has the new files by then. */
    static const char *const sql = "select pg_conf_load_time()";
    const struct lab_node *at = &lab->nodes[node];
    str before;
    if (!lab_query(arena, &lab->user, at, sql, &before, err))
        return false;
    if (!lab_process_alive(&at->server) || kill(at->server.pid, SIGHUP) < 0)
        return err_errno(err, "reload %s", at->name.ptr);
    return wait_answer(arena, lab, node, sql, before, true, err);
}

bool lab_postgresql_streams(struct arena *arena, const struct lab *lab, struct err *err)
{
    str want = str_printf(arena, "%zu", lab->count - 1);
    return wait_answer(arena, lab, 0,
                       "select count(*) from pg_stat_replication where state = 'streaming'", want,
                       false, err);
}
