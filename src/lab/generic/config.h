/* SPDX-License-Identifier: Apache-2.0 */
/* config.h - the texts that the lab writes for slapd and HAProxy, and cluster.yaml. */
#ifndef LAB_GENERIC_CONFIG_H
#define LAB_GENERIC_CONFIG_H

#include "lab/lab.h"

enum { LAB_GENERIC_LDAP, LAB_GENERIC_GATE, LAB_GENERIC_NODES }; /* the lab's nodes */

str lab_generic_slapd(struct arena *arena, const struct lab *lab);
str lab_generic_haproxy(struct arena *arena, const struct lab *lab);

str lab_generic_cluster(struct arena *arena, const struct lab *lab);

#endif
