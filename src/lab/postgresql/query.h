/* SPDX-License-Identifier: Apache-2.0 */
/* query.h - one question to a server of the lab over its unix socket, asked as the run user. */
#ifndef LAB_POSTGRESQL_QUERY_H
#define LAB_POSTGRESQL_QUERY_H

#include "lab/lab.h"

/* The first cell of the answer, or the empty string when there is no row. Asked in a child: we do
   not become the run user, and a server that does not answer costs at most ten seconds. */
MUST_CHECK bool lab_query(struct arena *arena, const struct lab_user *user,
                          const struct lab_node *node, const char *sql, str *ret_cell,
                          struct err *err);

#endif
