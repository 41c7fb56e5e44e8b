/* SPDX-License-Identifier: Apache-2.0 */
/* postgresql.h - servers made and started with PostgreSQL's own programs. */
#ifndef LAB_POSTGRESQL_H
#define LAB_POSTGRESQL_H

#include "lab/lab.h"

/* The folder of the newest PostgreSQL below /usr/lib/postgresql. */
MUST_CHECK bool lab_postgresql_find(struct arena *arena, str *ret_bin, struct err *err);

/* A port of 127.0.0.1 that was free a moment ago. */
MUST_CHECK bool lab_free_port(uint16_t *ret_port, struct err *err);

/* initdb in db1's data folder. */
MUST_CHECK bool lab_postgresql_init(struct arena *arena, const struct lab *lab, struct err *err);

/* Copy the primary to every other node, all at once, over its unix socket. */
MUST_CHECK bool lab_postgresql_copy(struct arena *arena, const struct lab *lab, struct err *err);

/* Write node number `node`'s settings with a free port, start it, record it, wait until it takes
   connections. Another port is tried when somebody was faster. */
MUST_CHECK bool lab_postgresql_start(struct arena *arena, struct lab *lab, size_t node,
                                     struct err *err);

/* SIGHUP, and wait until the postmaster has read its files again. */
MUST_CHECK bool lab_postgresql_reload(struct arena *arena, const struct lab *lab, size_t node,
                                      struct err *err);

/* Wait until every standby streams from the primary. */
MUST_CHECK bool lab_postgresql_streams(struct arena *arena, const struct lab *lab, struct err *err);

#endif
