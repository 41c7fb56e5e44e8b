/* SPDX-License-Identifier: Apache-2.0 */
/* query.h - a running server, found by its data folder and asked over its unix socket. */
#ifndef SYSTEM_POSTGRESQL_QUERY_H
#define SYSTEM_POSTGRESQL_QUERY_H

#include "base/err.h"
#include "base/str.h"

#include <sys/types.h>

struct pg_server {
    pid_t pid;  /* of the postmaster; 0: it does not run */
    str socket; /* folder of its unix socket; empty: it has none */
    str port;
    str run_as; /* who asks: the server's own user */
};

/* What postmaster.pid in `data` says, if that process lives. */
struct pg_server pg_server_find(struct arena *arena, str data, str run_as);

/* The first cell of the answer, or the empty string when there is no row. Asked by a child that is
   the server's user, as role postgres or, where there is none, of that user's name; a server that
   does not answer costs at most the timeout. Never over TCP: the repair needs no certificate. */
MUST_CHECK bool pg_ask(struct arena *arena, const struct pg_server *server, const char *sql,
                       int timeout_ms, str *ret_cell, struct err *err);

#endif
