/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index.h - nodes, services and stores of a cluster by name, for who asks for many of them.
 *
 * Made from a cluster as it is: nodes, stores and services that come or go later are not in it.
 * Of two of the same name the first counts.
 */
#ifndef CLUSTER_INDEX_H
#define CLUSTER_INDEX_H

#include "base/map.h"
#include "cluster/cluster.h"

struct cluster_index {
    struct cluster *cluster; /* borrowed */
    struct map nodes, services, stores;
    LIST(struct service_conf *) service_rows;
    LIST(struct store_conf *) store_rows;
};

void cluster_index(struct arena *arena, struct cluster *cluster, struct cluster_index *ret_index);

/* NULL when there is none. */
struct node_conf *index_node(const struct cluster_index *index, str node);
struct service_conf *index_service(const struct cluster_index *index, str node, str service);
struct store_conf *index_store(const struct cluster_index *index, str node, str store);

#endif
