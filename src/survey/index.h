/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index.h - what was declared and seen, by name: each link of a large cluster asks for its nodes,
 * services and stores. Made when every node has answered.
 */
#ifndef SURVEY_INDEX_H
#define SURVEY_INDEX_H

#include "cluster/index.h"
#include "survey/survey.h"

/* The services of a node that name a store as their identity. */
struct identity_users {
    str first;
    bool several;
};

struct survey_index {
    struct cluster_index cluster;
    struct map stores; /* "node/store" -> index of store_rows */
    LIST(const struct seen_store *) store_rows;
    struct map identities; /* "node/store" -> index of users */
    LIST(struct identity_users) users;
    struct map pinned; /* "node/service" of which the cluster file itself has pins */
    str *node_texts;   /* by node, as requests carry it; empty: not written yet */
    struct map files;  /* "node\npath" -> trust store id: those that are in the model */
};

/* The index, made when it is not there yet. */
struct survey_index *survey_index(struct survey *survey);

const struct seen_store *index_seen_store(const struct survey_index *index, str node, str store);

/* Whether another service of the node names the store as its identity. */
bool index_is_shared(const struct survey_index *index, str node, str service, str store);

/* The id under `fresh`'s file: `fresh` itself, unless a trust store with that file was put before.
   With NO_ID nothing is put. */
uint32_t index_file(struct survey_index *index, str node, str path, uint32_t fresh);

#endif
