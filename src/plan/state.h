/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state.h - one state of the whole cluster, and what steps make of it.
 *
 * Shared by the planner, which asks what is still missing, and by those who walk a plan's waves.
 * Arrays are indexed as the model's identities, trust stores and trusters.
 *
 * A walk holds two states and the list of what differs between them: a step costs what it
 * touches, whatever the size of the cluster.
 */
#ifndef PLAN_STATE_H
#define PLAN_STATE_H

#include "base/groups.h"
#include "plan/plan.h"

enum state_part {
    STATE_CHAIN_STORED,
    STATE_CHAIN_LOADED,
    STATE_ANCHORS_STORED,
    STATE_TRUSTER_STORED,
    STATE_TRUSTER_LOADED,
    STATE_PARTS
};

struct state {
    union {
        struct {
            uint32_t *chain_stored, *chain_loaded;     /* chain ids, by identity */
            uint32_t *anchors_stored;                  /* anchor set ids, by trust store */
            uint32_t *truster_stored, *truster_loaded; /* anchor set ids, by truster */
        };
        uint32_t *part[STATE_PARTS];
    };
};

void state_of_model(struct arena *arena, struct model *model, struct state *ret_state);

/* Everything runs with what is stored, after chain_stored or anchors_stored was written to. */
void state_load_all(struct model *model, struct state *state);

/* One value that a step changed: the index of an identity, trust store or truster. */
struct state_change {
    enum state_part part;
    uint32_t id;
};

/* The cluster before and after the steps that were carried out since the last walk_on(). */
struct walk {
    struct arena *arena;
    struct model *model;
    struct state before, after;
    LIST(struct state_change) changes; /* what may differ; an item can be there more than once */
    struct groups trusters_of_store, identities_of_process, trusters_of_process;
    struct groups identities_of_store; /* by the first of them */
    bool moved;                        /* a step has been carried out */
};

void walk_start(struct arena *arena, struct model *model, struct walk *ret_walk);

/* Carry the step out on `after`. */
void walk_step(struct walk *walk, const struct step *step);

/* `before` becomes `after`, and nothing differs. */
void walk_on(struct walk *walk);

/* The changes in the order of parts and ids, each once, without those that were taken back. */
void walk_sort(struct walk *walk);

/* What a verdict on a link rests on: the ids of identities and trusters, NO_ID where there is
   none. */
struct link_parts {
    uint32_t client_identity, client_truster, server_identity, server_truster;
};
struct link_parts link_parts(const struct model *model, const struct link *link);

/* One end of a link in a state: as stored or as loaded. */
struct side {
    const struct state *state;
    bool stored;
};
struct ends state_ends(struct model *model, const struct link *link, struct side client,
                       struct side server);

#endif
