/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state.h - one state of the whole cluster, and what a step makes of it.
 *
 * Shared by the planner, which asks what is still missing, and by the proof, which walks the
 * waves. Arrays are indexed as the model's identities, trust stores and trusters.
 */
#ifndef PLAN_STATE_H
#define PLAN_STATE_H

#include "plan/plan.h"

struct state {
    uint32_t *chain_stored, *chain_loaded;     /* chain ids */
    uint32_t *anchors_stored;                  /* anchor set ids, by trust store */
    uint32_t *truster_stored, *truster_loaded; /* anchor set ids, by truster */
};

void state_of_model(struct arena *arena, struct model *model, struct state *ret_state);
void state_copy(struct arena *arena, const struct model *model, const struct state *from,
                struct state *ret_state);

/* Carry the step out on the state. */
void state_apply(struct model *model, struct state *state, const struct step *step);

/* One end of a link in a state: as stored or as loaded. */
struct side {
    const struct state *state;
    bool stored;
};
struct ends state_ends(const struct model *model, const struct link *link, struct side client,
                       struct side server);

#endif
