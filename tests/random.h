/* SPDX-License-Identifier: Apache-2.0 */
/*
 * random.h - small random clusters and random waves of steps, from a seed: for comparing two ways
 * to the same answer. Most of the waves break something.
 */
#ifndef TESTS_RANDOM_H
#define TESTS_RANDOM_H

#include "plan/plan.h"
#include "tests/pki.h"

enum { RANDOM_ROOTS = 3, RANDOM_LEAVES = 9 };

struct random_pki {
    struct arena arena;
    struct pki roots[RANDOM_ROOTS];
    struct pki leaves[RANDOM_LEAVES]; /* three of each root, the third has expired */
};
void random_pki_make(struct random_pki *pki);
void random_pki_free(struct random_pki *pki);

struct random_cluster {
    struct arena arena;
    struct model model;
    struct judge judge;
    uint64_t seed;
    uint32_t roots[RANDOM_ROOTS], chains[RANDOM_LEAVES];
};
void random_cluster_make(struct random_cluster *cluster, const struct random_pki *pki,
                         uint64_t seed);
void random_cluster_free(struct random_cluster *cluster);

/* Steps and waves; nothing is judged. */
void random_waves(struct random_cluster *cluster, struct plan *ret_plan);

#endif
