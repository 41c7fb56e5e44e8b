/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/postgresql/server.h"

#include "base/clock.h"
#include "base/io.h"
#include "lab/files.h"
#include "lab/postgresql/config.h"
#include "lab/postgresql/query.h"

#include <dirent.h>
#include <signal.h>

enum { STREAM_MS = 20000, POLL_MS = 20, STATUS_LINE = 8 };

bool lab_postgresql_find(struct arena *arena, struct lab *lab, struct err *err)
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
    lab->bin = str_printf(arena, "/usr/lib/postgresql/%u/bin", (unsigned)newest);
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
bool lab_postgresql_ready(struct arena *arena, const struct lab *lab, size_t node)
{
    AUTO(err) struct err err = { 0 };
    str text;
    str path = str_printf(arena, "%s/postmaster.pid", lab->nodes[node].data.ptr);
    if (!io_read(arena, path.ptr, 4096, &text, &err))
        return false;
    for (int i = 1; i < STATUS_LINE; i++)
        str_cut(&text, '\n');
    return str_eq(str_trim(str_cut(&text, '\n')), S("ready"));
}

bool lab_postgresql_running(struct arena *arena, const struct lab_node *node,
                            struct lab_process *ret_process)
{
    return lab_process_of_file(arena, str_printf(arena, "%s/postmaster.pid", node->data.ptr),
                               node->data, ret_process);
}

bool lab_postgresql_prepare(struct arena *arena, const struct lab *lab, size_t node,
                            struct lab_command *ret_command, struct err *err)
{
    const struct lab_node *at = &lab->nodes[node];
    const char **argv = arena_alloc(arena, 4, sizeof(*argv));
    argv[0] = str_printf(arena, "%s/postgres", lab->bin.ptr).ptr;
    argv[1] = "-D";
    argv[2] = at->data.ptr;
    *ret_command = (struct lab_command){
        .argv = argv, .log = at->log.ptr, .cwd = at->home.ptr, .server = true
    };
    return write_settings(arena, lab, node, err);
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
