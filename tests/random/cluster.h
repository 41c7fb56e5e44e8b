/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cluster.h - a generated cluster: plain arrays, copied by assignment, and no type of reseal's.
 *
 * Certificates are ids of the pool. `stored` is what the files hold, `loaded` what the running
 * process has in its memory.
 */
#ifndef TESTS_RANDOM_CLUSTER_H
#define TESTS_RANDOM_CLUSTER_H

#include "tests/random/pool.h"

enum {
    MAX_NODES = 12,
    MAX_SERVICES = 16,
    MAX_IDENTITIES = 2 * MAX_SERVICES,
    MAX_STORES = 2 * MAX_NODES,
    MAX_TRUSTERS = 3 * MAX_SERVICES,
    MAX_LINKS = 48,
    GROUPS = 3,
    MAX_ANCHORS = 8,
    TEXT = 32, /* bytes of a name */
    NONE = -1, /* no such part */
};

/* Where a running process has what it uses from. */
enum load { LOADS_PER_CONNECTION, LOADS_PER_SESSION, LOADS_AT_RELOAD, LOADS_AT_START };

struct gen_certs {
    uint32_t count;
    uint32_t ids[MAX_ANCHORS];
};

struct gen_identity {
    int service;
    char store[TEXT]; /* unique on the node */
    enum load load;
    bool one_file;  /* certificate and key: one rename replaces both */
    bool reference; /* one reference can be switched to files of another name */
    struct gen_certs stored, loaded;
};

struct gen_store {
    int node;
    char name[TEXT];
    struct gen_certs anchors;
};

/* What a service holds others' certificates against. */
struct gen_truster {
    int service;
    char use[TEXT];
    enum load load;
    int stores[2]; /* the second may be NONE */
    struct gen_certs loaded;
};

enum client_auth_kind { ASKS_NONE, ASKS_OPTIONAL, ASKS_REQUIRED };
enum gen_role { ROLE_NONE, ROLE_REPLICA, ROLE_PRIMARY };

struct gen_service {
    int node;
    char name[TEXT];
    enum gen_role role;
    int group;   /* services that do each other's work */
    int process; /* the first service that is loaded together with it: itself, mostly */
    int listens; /* identity, or NONE */
    int truster; /* for client certificates and for completing what is sent, or NONE */
    enum client_auth_kind asks;
    char wanted[TEXT]; /* the CN that a client must have, or empty */
};

enum verify_kind { VERIFIES_NONE, VERIFIES_CA, VERIFIES_NAME };

struct gen_link {
    int from, to;
    int identity; /* the client's, or NONE */
    int truster;  /* the client's, or NONE when it verifies nothing */
    enum verify_kind verify;
    char name[TEXT];
    char user[TEXT];
    bool user_is_cn;
};

struct gen_goal {
    enum pool_ca issuer;
    struct gen_certs sent_along;    /* after each new leaf */
    bool replace;                   /* what others issued is due, and their anchors go */
    bool keep_anchors;              /* no anchor goes */
    int64_t renew_before, lifetime; /* seconds */
    bool renew_all, keep_key;
    uint32_t max_unavailable; /* 0: no limit */
};

struct gen_cluster {
    uint64_t seed;
    struct gen_goal goal;
    int nodes, services, identities, stores, trusters, links;
    struct gen_service service[MAX_SERVICES];
    struct gen_identity identity[MAX_IDENTITIES];
    struct gen_store store[MAX_STORES];
    struct gen_truster truster[MAX_TRUSTERS];
    struct gen_link link[MAX_LINKS];
};

/* Whether the process reads something at its start alone. */
bool starts_anew(const struct gen_cluster *cluster, int process);

/* The cluster of that seed: the same one in every run. */
void generate(struct pool *pool, uint64_t seed, struct gen_cluster *ret_cluster);

/* Names as the plan has them: "n1/db", "n1/db:server", "n1/trust", "n1/db->n2/db". */
str service_key(struct arena *arena, const struct gen_cluster *cluster, int service);
str identity_key(struct arena *arena, const struct gen_cluster *cluster, int identity);
str store_key(struct arena *arena, const struct gen_cluster *cluster, int store);
str truster_key(struct arena *arena, const struct gen_cluster *cluster, int truster);
str link_key(struct arena *arena, const struct gen_cluster *cluster, int link);

/* The whole cluster for people. */
str cluster_words(struct arena *arena, const struct pool *pool, const struct gen_cluster *cluster);

#endif
