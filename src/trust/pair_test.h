/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pair_test.h - two PostgreSQL nodes for tests: db2 connects to db1 with verify-full and a client
 * certificate CN=postgres. Everything is in order until a test changes a spec before pair_link().
 */
#ifndef TRUST_PAIR_TEST_H
#define TRUST_PAIR_TEST_H

#include "trust/judge.h"

#include "tests/pki.h"

struct pair {
    struct arena arena;
    struct model model;
    struct judge judge;
    struct pki root;
    struct pki_spec server, client;
    struct link link;
    struct ends ends;
    uint32_t root_id, server_id, client_id;
};

static inline void pair_free(struct pair *pair)
{
    arena_free(&pair->arena);
}
DEFINE_AUTO(pair, struct pair, pair_free(handle))

static inline void pair_init(struct pair *pair)
{
    *pair = (struct pair){ 0 };
    model_init(&pair->model, &pair->arena);
    judge_init(&pair->judge, &pair->model);
    pair->root = pki_make(&pair->arena, &(struct pki_spec){ .name = "Root", .ca = true });
    pair->server = (struct pki_spec){ .name = "db1", .san = "DNS:db1", .issuer = &pair->root };
    pair->client = (struct pki_spec){ .name = "postgres", .issuer = &pair->root };
}

static inline uint32_t pair_cert(struct pair *pair, const struct pki *pki)
{
    return model_cert(&pair->model, &pki->cert);
}

/* The certificates of the specs, each alone in its chain, and one anchor at both ends. */
static inline void pair_link(struct pair *pair)
{
    struct pki server = pki_make(&pair->arena, &pair->server);
    struct pki client = pki_make(&pair->arena, &pair->client);
    pair->root_id = pair_cert(pair, &pair->root);
    pair->server_id = pair_cert(pair, &server);
    pair->client_id = pair_cert(pair, &client);
    struct service db1 = { .key = S("db1/postgres"),
                           .client_auth = CLIENT_AUTH_REQUIRED,
                           .client_identity = S("CN=postgres"),
                           .client_truster = NO_ID };
    struct service db2 = { .key = S("db2/postgres"), .client_truster = NO_ID };
    pair->link = (struct link){ .key = S("db2/postgres->db1/postgres"),
                                .from = model_add_service(&pair->model, &db2),
                                .to = model_add_service(&pair->model, &db1),
                                .server_identity = NO_ID,
                                .client_identity = NO_ID,
                                .client_truster = NO_ID,
                                .verify = VERIFY_FULL,
                                .name = S("db1"),
                                .user = S("postgres"),
                                .user_is_cn = true };
    uint32_t anchors = model_anchors(&pair->model, &pair->root_id, 1);
    pair->ends = (struct ends){ .client_chain = model_chain(&pair->model, &pair->client_id, 1),
                                .server_chain = model_chain(&pair->model, &pair->server_id, 1),
                                .client_anchors = anchors,
                                .server_anchors = anchors };
}

static inline struct verdict pair_judge(struct pair *pair)
{
    return judge_link(&pair->judge, &pair->link, pair->ends, PKI_NOW);
}

#endif
