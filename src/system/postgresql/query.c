/* SPDX-License-Identifier: Apache-2.0 */
#include "system/postgresql/query.h"

#include "base/io.h"
#include "node/run.h"

#include <libpq-fe.h>
#include <signal.h>

DEFINE_AUTO(PGconn, PGconn *, PQfinish(*handle))
DEFINE_AUTO(PGresult, PGresult *, PQclear(*handle))

/* Lines of postmaster.pid (src/include/utils/pidfile.h). */
enum { PID_LINE = 1, PORT_LINE = 4, SOCKET_LINE = 5, PIDFILE_MAX = 4096, PID_MAX = 1 << 30 };

static str line_of(str text, int number)
{
    for (int i = 1; i < number; i++)
        (void)str_cut(&text, '\n');
    return str_trim(str_cut(&text, '\n'));
}

/* A number that is used again by another program is no server. */
static bool is_postgres(struct arena *arena, pid_t pid)
{
    AUTO(err) struct err err = { 0 };
    str comm;
    return io_read(arena, str_printf(arena, "/proc/%d/comm", (int)pid).ptr, PIDFILE_MAX, &comm,
                   &err) &&
           str_starts(comm, S("postgres"));
}

struct pg_server pg_server_find(struct arena *arena, str data, str run_as)
{
    AUTO(err) struct err err = { 0 };
    struct pg_server server = { .run_as = run_as };
    uint64_t pid;
    str text;
    if (!io_read(arena, io_join(arena, data, S("postmaster.pid")).ptr, PIDFILE_MAX, &text, &err) ||
        !str_to_u64(line_of(text, PID_LINE), PID_MAX, &pid) || !is_postgres(arena, (pid_t)pid))
        return server;
    server.pid = (pid_t)pid;
    server.port = str_copy(arena, line_of(text, PORT_LINE));
    server.socket = str_copy(arena, line_of(text, SOCKET_LINE));
    return server;
}

struct question {
    const struct pg_server *server;
    const char *sql;
};

static PGconn *connect_as(struct arena *arena, const struct pg_server *server, const char *role)
{
    const char *const names[] = {
        "host", "port", "user", "dbname", "connect_timeout", "application_name", NULL
    };
    const char *const values[] = { str_cstr(arena, server->socket),
                                   str_cstr(arena, server->port),
                                   role,
                                   "postgres",
                                   "5",
                                   "reseal",
                                   NULL };
    return PQconnectdbParams(names, values, 0);
}

/* In the child: the answer, or the server's message; the exit status says which. */
static int ask(int out, void *context)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    const struct question *question = context;
    AUTO(PGconn) PGconn *conn = connect_as(&arena, question->server, "postgres");
    if (PQstatus(conn) != CONNECTION_OK && question->server->run_as.len > 0) {
        AUTO(PGconn)
        PGconn *other =
            connect_as(&arena, question->server, str_cstr(&arena, question->server->run_as));
        if (PQstatus(other) == CONNECTION_OK) {
            PGconn *refused = conn;
            conn = other;
            other = refused;
        }
    }
    str text = str_trim(str_c(PQerrorMessage(conn)));
    if (PQstatus(conn) != CONNECTION_OK)
        return io_write_all(out, text, &err) ? 1 : 2;
    AUTO(PGresult) PGresult *result = PQexec(conn, question->sql);
    ExecStatusType status = PQresultStatus(result);
    bool good = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
    if (!good)
        text = str_trim(str_c(PQresultErrorMessage(result)));
    else
        text = PQntuples(result) == 0 ? S("") : str_c(PQgetvalue(result, 0, 0));
    return io_write_all(out, text, &err) ? !good : 2;
}

bool pg_ask(struct arena *arena, const struct pg_server *server, const char *sql, int timeout_ms,
            str *ret_cell, struct err *err)
{
    struct question question = { server, sql };
    struct run_result result;
    if (server->pid == 0)
        return err_set(err, ERR_NETWORK, "the server does not run");
    if (server->socket.len == 0)
        return err_set(err, ERR_NETWORK, "the server has no unix socket");
    if (!run_call(arena, server->run_as, timeout_ms, ask, &question, &result, err))
        return false;
    if (result.exit_code != 0)
        return err_set(err, ERR_NETWORK, "the server cannot be asked: %.*s",
                       STR_ARG(result.output));
    *ret_cell = result.output;
    return true;
}
