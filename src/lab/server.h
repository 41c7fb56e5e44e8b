/* SPDX-License-Identifier: Apache-2.0 */
/* server.h - the servers of a lab: on ports that were free, recorded, waited for, found again. */
#ifndef LAB_SERVER_H
#define LAB_SERVER_H

#include "lab/kind.h"

/* Start the nodes from number `from` up to and without number `until`, which need each other to get
   ready, and wait until they are. With other ports where somebody was faster. */
MUST_CHECK bool lab_start(struct arena *arena, struct lab *lab, size_t from, size_t until,
                          struct err *err);

/* The process that serves this node now; pid 0 when none does. */
struct lab_process lab_server_of(struct arena *arena, const struct lab *lab, size_t index);

/* A port of 127.0.0.1 that was free a moment ago, and that no outgoing connection is given. */
MUST_CHECK bool lab_free_port(uint16_t *ret_port, struct err *err);

/* For servers that may be started anew by others: NODE/pid of each, and the text of NODE/restart,
   which ends the process in that file and starts `program` again, with `options` as a shell reads
   them, in the node's folder. lab_process_of_file() finds it then. */
MUST_CHECK bool lab_write_pids(struct arena *arena, const struct lab *lab, struct err *err);
str lab_restart_script(struct arena *arena, str program, const char *options);

/* Whether somebody takes connections at this port of 127.0.0.1. */
bool lab_listens(uint16_t port);

#endif
