/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world.h - a replicating cluster as a model, for tests: db1 is the primary, db2 … stream from it,
 * and a client connects to each. Every node has a server and a client certificate.
 */
#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H

#include "tests/pki.h"
#include "trust/judge.h"

struct world_spec {
    size_t nodes;        /* 0: three */
    moment leaf_end;     /* 0: PKI_NOW + 10 days */
    bool in_place;       /* identities have no reference that can be switched */
    bool restart;        /* servers load what they trust only when they start; one group, "db" */
    bool one_file;       /* each identity's certificate and key are one file */
    size_t half_renewed; /* this node (1 …) has a new certificate stored that it has not loaded */
};

struct world {
    struct arena arena;
    struct model model;
    struct judge judge;
    struct pki root, second; /* what everyone trusts; another root that nobody trusts yet */
    uint32_t root_id, second_id;
};

void world_make(struct world *world, const struct world_spec *spec);
void world_free(struct world *world);

#endif
