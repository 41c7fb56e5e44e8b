/* SPDX-License-Identifier: Apache-2.0 */
/*
 * planner.h - a plan under construction: waves, steps and the turns of services. For order.c, which
 * plans a renewal, and back.c, which plans the way back.
 */
#ifndef PLAN_PLANNER_H
#define PLAN_PLANNER_H

#include "plan/plan.h"

/* One identity that changes. */
struct renewal {
    uint32_t identity;  /* in the model */
    uint32_t old_leaf;  /* cert id, or NO_ID when nothing readable is stored */
    uint32_t new_cert;  /* cert id of the leaf that will be there, planned or known */
    uint32_t new_chain; /* chain id that begins with it */
    bool new_key, in_place;
};

/* A service that takes part, in the order in which services are changed. */
struct turn {
    uint32_t service;
    bool loads_trust;    /* must reload because its trust stores change */
    bool loads_identity; /* must reload because stored and loaded differ, now or by the plan */
};

struct planner {
    struct arena *arena;
    struct judge *judge;
    struct model *model;
    const struct plan_goal *goal;
    struct plan *plan;
    LIST(struct renewal) renewals;
    LIST(uint32_t) changed_stores; /* trust stores that gain or lose an anchor */
    LIST(struct turn) turns;
};

struct wave *wave_add(struct planner *planner);
void wave_drop_if_empty(struct planner *planner); /* a wave without a step is none */

struct step step_make(enum step_kind kind, str node, str service, str store);

/* Append; the id is taken here, so expects and leaves must be known. */
struct step *step_add(struct planner *planner, struct wave *wave, struct step step);
str step_id(struct arena *arena, const struct step *step);

/* "sha256:…", "new:…", or "absent" for NO_ID. */
str planner_fingerprint(struct planner *planner, uint32_t cert);
uint32_t planner_leaf(const struct model *model, uint32_t chain); /* NO_ID when there is none */

const struct renewal *renewal_of(const struct planner *planner, uint32_t identity);

/* The turn of a service, made when there is none yet. Good until the next call. */
struct turn *turn_of(struct planner *planner, str node, str service);

/* A turn for every service whose identity changes or is stored otherwise than loaded, and all turns
   in order: replicas before the primary. */
void planner_find_turns(struct planner *planner);
void planner_sort_turns(struct planner *planner);

/* Whether `truster` runs on with what it read until it is made to load (per_session: a session
   reads at its beginning, and only then). */
bool truster_must_load(const struct truster *truster);

/* One wave of snapshots of all that changes; install, switch and load batch by batch; reload the
   trust of services batch by batch; one wave of verifications. */
void planner_snapshots(struct planner *planner);
void planner_identities(struct planner *planner);
void planner_trust_loads(struct planner *planner, const char *text);
void planner_verifications(struct planner *planner);

#endif
