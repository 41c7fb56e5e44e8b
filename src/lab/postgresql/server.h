/* SPDX-License-Identifier: Apache-2.0 */
/* server.h - PostgreSQL servers made and started with PostgreSQL's own programs. */
#ifndef LAB_POSTGRESQL_SERVER_H
#define LAB_POSTGRESQL_SERVER_H

#include "lab/lab.h"

/* The folder of the newest PostgreSQL below /usr/lib/postgresql. */
MUST_CHECK bool lab_postgresql_find(struct arena *arena, struct lab *lab, struct err *err);

/* initdb in db1's data folder. */
MUST_CHECK bool lab_postgresql_init(struct arena *arena, const struct lab *lab, struct err *err);

/* Copy the primary to every other node, all at once, over its unix socket. */
MUST_CHECK bool lab_postgresql_copy(struct arena *arena, const struct lab *lab, struct err *err);

/* What lab_kind says of them. */
MUST_CHECK bool lab_postgresql_prepare(struct arena *arena, const struct lab *lab, size_t node,
                                       struct lab_command *ret_command, struct err *err);
bool lab_postgresql_ready(struct arena *arena, const struct lab *lab, size_t node);
bool lab_postgresql_running(struct arena *arena, const struct lab_node *node,
                            struct lab_process *ret_process);

/* SIGHUP, and wait until the postmaster has read its files again. */
MUST_CHECK bool lab_postgresql_reload(struct arena *arena, const struct lab *lab, size_t node,
                                      struct err *err);

/* Wait until every standby streams from the primary. */
MUST_CHECK bool lab_postgresql_streams(struct arena *arena, const struct lab *lab, struct err *err);

#endif
