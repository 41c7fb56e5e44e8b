/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/postgresql/query.h"

#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

DEFINE_AUTO(PGconn, PGconn *, PQfinish(*handle))
DEFINE_AUTO(PGresult, PGresult *, PQclear(*handle))

enum { ANSWER_MAX = 1024 * 1024, QUERY_MS = 10000 };

/* In the child: the answer, or the server's message; the exit status says which. */
static int ask(const struct lab_node *node, const char *sql, str *ret_text, struct arena *arena)
{
    str port = str_printf(arena, "%u", node->port);
    const char *const names[] = {
        "host", "port", "user", "dbname", "connect_timeout", "application_name", NULL
    };
    const char *const values[] = { node->socket.ptr, port.ptr, "postgres", "postgres", "5",
                                   "reseal lab",     NULL };
    AUTO(PGconn) PGconn *conn = PQconnectdbParams(names, values, 0);
    if (PQstatus(conn) != CONNECTION_OK) {
        *ret_text = str_copy(arena, str_trim(str_c(PQerrorMessage(conn))));
        return 1;
    }
    AUTO(PGresult) PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        *ret_text = str_copy(arena, str_trim(str_c(PQresultErrorMessage(result))));
        return 1;
    }
    *ret_text = PQntuples(result) == 0 ? S("") : str_copy(arena, str_c(PQgetvalue(result, 0, 0)));
    return 0;
}

static void child(const struct lab_user *user, const struct lab_node *node, const char *sql,
                  int out)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    str text = S("the run user could not be taken on");
    int status = lab_user_become(user) ? ask(node, sql, &text, &arena) : 1;
    bool written = io_write_all(out, text, &err);
    _exit(written ? status : 1);
}

/* Everything that the child writes until it ends, or false when it takes too long. */
static bool collect(struct arena *arena, int in, struct buf *buf)
{
    char block[4096];
    for (int64_t end = clock_monotonic_ms() + QUERY_MS; buf->bytes.count < ANSWER_MAX;) {
        int64_t left = end - clock_monotonic_ms();
        struct pollfd ready = { .fd = in, .events = POLLIN };
        if (left <= 0)
            return false;
        if (poll(&ready, 1, (int)left) <= 0)
            continue;
        ssize_t got = read(in, block, sizeof(block));
        if (got <= 0)
            return got == 0;
        buf_add(arena, buf, (str){ block, (size_t)got });
    }
    return false;
}

bool lab_query(struct arena *arena, const struct lab_user *user, const struct lab_node *node,
               const char *sql, str *ret_cell, struct err *err)
{
    int ends[2];
    int status;
    struct buf buf = { 0 };
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_errno(err, "pipe");
    AUTO(fd) int in = ends[0];
    AUTO(fd) int out = ends[1];
    pid_t pid = fork();
    if (pid < 0)
        return err_errno(err, "fork");
    if (pid == 0)
        child(user, node, sql, out);
    close(out);
    out = -1;
    bool whole = collect(arena, in, &buf);
    if (!whole)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    str text = buf.bytes.count == 0 ? S("") : buf_str(&buf);
    if (!whole)
        return err_set(err, ERR_TIMEOUT, "%s does not answer", node->name.ptr);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return err_set(err, ERR_NETWORK, "%s: %.*s", node->name.ptr, STR_ARG(text));
    *ret_cell = text;
    return true;
}
