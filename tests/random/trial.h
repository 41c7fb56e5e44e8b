/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trial.h - one generated cluster: planned, and the plan held against it.
 */
#ifndef TESTS_RANDOM_TRIAL_H
#define TESTS_RANDOM_TRIAL_H

#include "tests/random/bridge.h"
#include "tests/random/replay.h"

struct trial_tally {
    uint64_t clusters, services, links, steps, states; /* link states judged */
    uint64_t outages;   /* plans that have an outage or break a link, and no order is without */
    uint64_t undecided; /* of these, clusters with too many orders to try them all */
    uint64_t faults;
};

struct trial {
    struct pool *pool;
    struct truth *truth;
    struct bridge *bridge;
    struct trial_tally tally;
};

/* True when nothing is wrong. What is in `ret_fault` lives in `arena`. */
bool trial_run(struct trial *trial, struct arena *arena, const struct gen_cluster *cluster,
               struct fault *ret_fault);

/* The smallest cluster that can be made of this one and still has a fault of the same rule. */
void shrink(struct trial *trial, const char *rule, struct gen_cluster *cluster);

/* The fault, the cluster, its plan and what either side says of the link. */
str trial_words(struct trial *trial, struct arena *arena, const struct gen_cluster *cluster,
                const struct fault *fault);

#endif
