/* SPDX-License-Identifier: Apache-2.0 */
/* server.h - etcd's members: found, started, asked. */
#ifndef LAB_ETCD_SERVER_H
#define LAB_ETCD_SERVER_H

#include "lab/lab.h"

/* What lab_kind says of them. */
MUST_CHECK bool lab_etcd_find(struct arena *arena, struct lab *lab, struct err *err);
MUST_CHECK bool lab_etcd_prepare(struct arena *arena, const struct lab *lab, size_t node,
                                 struct lab_command *ret_command, struct err *err);
bool lab_etcd_ready(struct arena *arena, const struct lab *lab, size_t node);
bool lab_etcd_running(struct arena *arena, const struct lab_node *node,
                      struct lab_process *ret_process);
void lab_etcd_ask(struct arena *arena, const struct lab *lab, size_t node,
                  struct lab_node_status *status);

#endif
