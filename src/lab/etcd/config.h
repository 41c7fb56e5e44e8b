/* SPDX-License-Identifier: Apache-2.0 */
/* config.h - the texts that the lab writes for etcd: its settings, a script, cluster.yaml. */
#ifndef LAB_ETCD_CONFIG_H
#define LAB_ETCD_CONFIG_H

#include "lab/lab.h"

/* Paths are relative to the member's folder, which it works in. */
str lab_etcd_settings(struct arena *arena, const struct lab *lab, size_t node);

/* `sh ctl WORDS`: etcdctl as a client of this member, with the certificate that it has itself. */
str lab_etcd_ctl(struct arena *arena, const struct lab *lab);

str lab_etcd_cluster(struct arena *arena, const struct lab *lab);

#endif
