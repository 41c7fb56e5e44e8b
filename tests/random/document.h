/* SPDX-License-Identifier: Apache-2.0 */
/*
 * document.h - a plan as its reader sees it: the JSON of `reseal plan`, and nothing else.
 *
 * A certificate "new:…" that the plan will have issued is really issued here, by the pool.
 */
#ifndef TESTS_RANDOM_DOCUMENT_H
#define TESTS_RANDOM_DOCUMENT_H

#include "tests/random/cluster.h"

#include <jansson.h>

// clang-format off
#define ACTS(X) X(snapshot) X(issue) X(trust) X(distrust) X(install) X(switch) X(refresh) X(hold) X(verify)
// clang-format on
#define ACT_ENUM(id) ACT_##id,
enum act { ACTS(ACT_ENUM) ACT_COUNT };
#undef ACT_ENUM

typedef LIST(int) int_list;

struct doc_step {
    str id;
    enum act act;
    int service, identity, store; /* of the cluster, or NONE */
    uint32_t cert;                /* of the pool, or NO_CERT */
    str leaves, text;
    bool new_key, in_place;
    int_list outage;  /* links that are down meanwhile */
    int_list refused; /* of these, those of which handshakes may fail */
};

struct doc_wave {
    int_list steps;   /* of the document */
    int_list refused; /* links of which handshakes may fail, as the plan declares */
    int_list broken;  /* links that it admits to break: a plan that is not proven */
    json_t *changes;
};

struct doc {
    struct arena *arena; /* borrowed */
    struct pool *pool;
    const struct gen_cluster *cluster;
    json_t *json; /* owned */
    LIST(struct doc_step) steps;
    LIST(struct doc_wave) waves;
    int_list unrepaired; /* links that do not work after the last wave */
    bool proven;
    str problem; /* why it cannot be read */
};

/* False with `problem` when the document contradicts itself or names what is not there. */
bool doc_read(struct arena *arena, struct pool *pool, const struct gen_cluster *cluster, str text,
              struct doc *ret_doc);
void doc_free(struct doc *doc);

/* An array of "sha256:…" and "new:…"; false when one of them is unknown. */
bool doc_certs(const struct doc *doc, const json_t *array, struct gen_certs *ret_certs);

/* The steps for people, a wave a line. */
str doc_words(struct arena *arena, const struct doc *doc);

#endif
