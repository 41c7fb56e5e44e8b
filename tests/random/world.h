/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world.h - everything that is stored and loaded in a cluster at one moment, and what a step of a
 * plan makes of it. Nothing of this is taken from the plan: what a service does with its files
 * follows from how it loads them.
 */
#ifndef TESTS_RANDOM_WORLD_H
#define TESTS_RANDOM_WORLD_H

#include "tests/random/document.h"
#include "tests/random/truth.h"

/* Lists of the truth's, by identity, store and truster. */
struct world {
    uint32_t stored[MAX_IDENTITIES], loaded[MAX_IDENTITIES];
    uint32_t anchors[MAX_STORES];
    uint32_t trusted[MAX_TRUSTERS]; /* loaded */
};

void world_start(struct truth *truth, const struct gen_cluster *cluster, struct world *ret_world);

/* Carry the step out. */
void world_step(struct truth *truth, const struct gen_cluster *cluster, struct world *world,
                const struct doc_step *step);
void world_load(struct truth *truth, const struct gen_cluster *cluster, struct world *world,
                int service); /* and all that is loaded together with it */

/* The link's ends, as loaded or as stored: what a new connection would meet if the service went on
   running, or had just been started. */
struct end world_client(struct truth *truth, const struct gen_cluster *cluster,
                        const struct world *world, int link, bool stored);
struct end world_server(struct truth *truth, const struct gen_cluster *cluster,
                        const struct world *world, int link, bool stored);

/* What a new connection uses of an end that runs with `loaded` and has `stored`: some of it is read
   from the files at each connection. */
struct end client_end(const struct gen_cluster *cluster, int link, struct end loaded,
                      struct end stored);
struct end server_end(const struct gen_cluster *cluster, int link, struct end loaded,
                      struct end stored);

/* An identity that the goal wants renewed. */
bool is_due(const struct pool *pool, const struct gen_cluster *cluster, int identity);

/* What a new certificate is presented as. */
uint32_t renewed_chain(struct truth *truth, const struct gen_cluster *cluster, uint32_t cert);

#endif
