/* SPDX-License-Identifier: Apache-2.0 */
/* fleet.h - a worker at every node of a cluster, asked by the node's name. */
#ifndef REACH_FLEET_H
#define REACH_FLEET_H

#include "cluster/cluster.h"
#include "reach/reach.h"

struct fleet_member {
    str node, state;    /* the state folder that its worker is given; empty: the usual one there */
    struct ssh_way way; /* when it is elsewhere */
    bool elsewhere;
    struct reach reach; /* pid 0 when it could not be started */
};

struct fleet {
    struct arena *arena; /* borrowed */
    const char *program; /* the workers' program; NULL: this one's own file */
    LIST(struct fleet_member) members;
};

/* Start a worker at each node. One that does not start is missed when it is asked. */
void fleet_open(struct arena *arena, const struct cluster *cluster, const char *program,
                struct fleet *ret_fleet);
void fleet_close(struct fleet *fleet);
DEFINE_AUTO(fleet, struct fleet, fleet_close(handle))

/* The node's worker, for its next question: another one where the last one was lost. One that never
   answered is not tried again. NULL when there is no such node. */
struct reach *fleet_reach(struct fleet *fleet, str node);

/* What a person types to run `command` at the node. */
str fleet_line(struct arena *arena, const struct fleet *fleet, str node, str command);

/* The declared node as a request carries it: the text of a cluster file with this node alone. */
str fleet_node_text(struct arena *arena, const struct node_conf *node);

/* A member of an answer that is JSON text, copied; empty when it is not there. */
str answer_text(struct arena *arena, const json_t *answer, const char *name);

#endif
