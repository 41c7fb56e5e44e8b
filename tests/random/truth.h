/* SPDX-License-Identifier: Apache-2.0 */
/*
 * truth.h - whether a connection works, asked of X509_verify_cert, X509_check_host and
 * X509_check_ip_asc with a real X509_STORE and what OpenSSL would really send.
 *
 * Chains and anchor sets are interned: an id stands for the same certificates in the same order.
 * An anchor set keeps the order in which its certificates came, as a file does. Answers are kept by
 * what was asked.
 */
#ifndef TESTS_RANDOM_TRUTH_H
#define TESTS_RANDOM_TRUTH_H

#include "tests/random/cluster.h"

#define NO_LIST UINT32_MAX

struct truth {
    struct pool *pool;
    struct arena arena;
    struct map list_ids;
    LIST(struct gen_certs) lists; /* chains and anchor sets, by id */
    LIST(X509_STORE *) stores;    /* by list id; NULL until it is asked for */
    struct map answers;       /* (what is sent, who sends, who judges, in which role) -> error */
    struct map names;         /* (leaf, name that was dialled) -> 0 | 1 */
    uint64_t asked, verified; /* questions, and calls of X509_verify_cert */
};

void truth_init(struct truth *truth, struct pool *pool);
void truth_free(struct truth *truth);

uint32_t truth_list(struct truth *truth, const struct gen_certs *certs);
const struct gen_certs *truth_certs(const struct truth *truth, uint32_t list);
uint32_t truth_with(struct truth *truth, uint32_t list, uint32_t cert);
uint32_t truth_without(struct truth *truth, uint32_t list, uint32_t cert);

/* What one end presents (a list; empty: nothing) and holds others against (NO_LIST: nothing). */
struct end {
    uint32_t chain, anchors;
};

/* Whether the link works with its ends as given. `ret_why` may be NULL. */
bool truth_works(struct truth *truth, const struct gen_cluster *cluster, int link,
                 struct end client, struct end server, const char **ret_why);

/* The CAs on the path that OpenSSL finds from what `sender` presents to the anchors, good or not.
 */
void truth_path(struct truth *truth, struct end sender, uint32_t anchors, bool ret_cas[CA_COUNT]);

#endif
