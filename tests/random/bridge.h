/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bridge.h - the one way from a generated cluster to the planner: its model, its plan as a
 * document, and what its judge says of a link. bridge.c alone includes src/plan and src/trust.
 */
#ifndef TESTS_RANDOM_BRIDGE_H
#define TESTS_RANDOM_BRIDGE_H

#include "tests/random/truth.h"

struct bridge;
struct bridge *bridge_new(struct pool *pool);
void bridge_free(struct bridge *bridge);

/* The document of the plan for this cluster, as `reseal plan --json` prints it. */
void bridge_plan(struct bridge *bridge, struct arena *arena, const struct gen_cluster *cluster,
                 str *ret_document);

/* What reseal's judge says of the link with these ends; after bridge_plan() of the cluster. */
str bridge_verdict(struct bridge *bridge, struct arena *arena, const struct truth *truth, int link,
                   struct end client, struct end server);

#endif
