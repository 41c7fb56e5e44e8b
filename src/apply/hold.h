/* SPDX-License-Identifier: Apache-2.0 */
/* hold.h - the lease of a whole cluster: the same fencing token at every node, or none at all. */
#ifndef APPLY_HOLD_H
#define APPLY_HOLD_H

#include "reach/fleet.h"

struct hold {
    struct fleet *fleet; /* borrowed */
    str cluster;         /* its id */
    int64_t token;       /* 0: not held */
};

/* The cluster's id: its UUID, or one that is derived from its name. */
str hold_cluster_id(struct arena *arena, const struct cluster *cluster);

/* Highest token seen + 1, at every node. Someone else's lease is ERR_CONFLICT and *ret_holder names
   them, unless they are dead on that host or are `take_over`; a node that does not answer refuses
   the whole. */
MUST_CHECK bool hold_take(struct arena *arena, struct fleet *fleet, str cluster, str take_over,
                          struct hold *ret_hold, str *ret_holder, struct err *err);

void hold_release(struct hold *hold); /* safe when it is not held, or was lost */
DEFINE_AUTO(hold, struct hold, hold_release(handle))

#endif
