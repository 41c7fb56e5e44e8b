/* SPDX-License-Identifier: Apache-2.0 */
/* server.h - nginx and HAProxy: found, started, asked. */
#ifndef LAB_WEB_SERVER_H
#define LAB_WEB_SERVER_H

#include "lab/lab.h"

/* What lab_kind says of them. */
MUST_CHECK bool lab_web_find(struct arena *arena, struct lab *lab, struct err *err);
MUST_CHECK bool lab_web_prepare(struct arena *arena, const struct lab *lab, size_t node,
                                struct lab_command *ret_command, struct err *err);
bool lab_web_ready(struct arena *arena, const struct lab *lab, size_t node);
bool lab_web_running(struct arena *arena, const struct lab_node *node,
                     struct lab_process *ret_process);
void lab_web_ask(struct arena *arena, const struct lab *lab, size_t node,
                 struct lab_node_status *status);

#endif
