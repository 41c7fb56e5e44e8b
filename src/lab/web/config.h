/* SPDX-License-Identifier: Apache-2.0 */
/* config.h - the texts that the lab writes for nginx and HAProxy, and cluster.yaml. */
#ifndef LAB_WEB_CONFIG_H
#define LAB_WEB_CONFIG_H

#include "lab/lab.h"

/* Whether node number `node` is the one in front: the last. */
bool lab_web_is_front(const struct lab *lab, size_t node);

str lab_web_nginx(struct arena *arena, const struct lab *lab, size_t node);
str lab_web_haproxy(struct arena *arena, const struct lab *lab);

/* For `curl -K`: the client of lab_make_app() at the front. */
str lab_web_curl(struct arena *arena, const struct lab *lab);

str lab_web_cluster(struct arena *arena, const struct lab *lab);

#endif
