/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay.h - a plan document held against the cluster that it is for. Includes nothing of src/plan
 * and src/trust (tools/lint).
 *
 * Waves are replayed step by step. Each link is walked through every state that can be reached: the
 * steps of a wave in any order, each of its two services restarted at any moment. What must hold of
 * steps alone (snapshots, roles, counts, keys) is in rules.c.
 */
#ifndef TESTS_RANDOM_REPLAY_H
#define TESTS_RANDOM_REPLAY_H

#include "tests/random/world.h"

struct fault {
    const char *rule; /* what does not hold; NULL: everything does */
    str text;         /* where, for people */
    int link;         /* or NONE, and then its ends: */
    struct end client, server;
};

struct replay {
    struct arena *arena;
    struct truth *truth;
    const struct gen_cluster *cluster;
    const struct doc *doc;
    struct world *worlds; /* by wave: before it; one more for the end */
    struct fault *fault;  /* the first that is found */
    uint64_t states;      /* link states judged */
};

bool replay_fail(struct replay *replay, const char *rule, str text);

/* What a link could do at the start it is held to: as it ran, and, where it would have worked after
   restarts of its client, its server and both, with restarts at any moment. */
struct promise {
    bool running, restarting;
};
struct promise link_promise(struct truth *truth, const struct gen_cluster *cluster,
                            const struct world *start, int link);

/* The parts, each false with the replay's fault. `walk_links` is for plans that claim to be safe.
 */
bool check_steps(struct replay *replay);   /* rules.c */
bool check_changes(struct replay *replay); /* changes.c: what the document says that waves change */
bool check_end(struct replay *replay);     /* end.c */
bool check_gone(struct replay *replay);    /* gone.c */
bool walk_links(struct replay *replay);    /* walk.c */

/* All of it. A plan that is not proven is judged by orders.c instead. */
bool replay_run(struct replay *replay);

#endif
