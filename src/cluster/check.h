/* SPDX-License-Identifier: Apache-2.0 */
/* check.h - that the names in a cluster file lead somewhere and its values make sense together. */
#ifndef CLUSTER_CHECK_H
#define CLUSTER_CHECK_H

#include "cluster/cluster.h"

/* A fragment's links and stores may lie outside it; so may those of a node that a driver reads. */
MUST_CHECK bool cluster_check(struct cluster *cluster, bool fragment, struct err *err);

#endif
