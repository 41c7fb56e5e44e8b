/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.h - real certificates for generated clusters: made when first asked for, then kept.
 *
 * Keys and signatures are Ed25519 and come from fixed numbers, so that a certificate has the same
 * bytes in every run. Nothing here knows reseal's own certificate code.
 */
#ifndef TESTS_RANDOM_POOL_H
#define TESTS_RANDOM_POOL_H

#include "base/map.h"

#include <openssl/x509.h>

/* 2026-11-24T00:00:00Z: the moment at which every generated cluster lives. */
#define POOL_NOW ((int64_t)1795478400)
#define POOL_DAY ((int64_t)86400)

#define NO_CERT  UINT32_MAX

/* id, common name, key, who signs, first and last day counted from now */
// clang-format off
#define POOL_CAS(X)                                       \
    X(ROOT_A,    "Root A",     0, ROOT_A,   -900, 2000)   \
    X(ROOT_B,    "Root B",     1, ROOT_B,   -900, 2000)   \
    X(ROOT_C,    "Root C",     2, ROOT_C,   -900, 2000)   \
    X(TWIN_A,    "Root A",     3, TWIN_A,    -30, 3000)   \
    X(ENDED,     "Root E",     4, ENDED,    -900,   -1)   \
    X(ENDING,    "Root S",     5, ENDING,   -900,   60)   \
    X(AGAIN_A,   "Root A",     0, AGAIN_A,   -10, 4000)   \
    X(ISSUING_A, "Issuing A",  6, ROOT_A,   -400, 1000)   \
    X(ISSUING_B, "Issuing B",  7, ROOT_B,   -400, 1000)   \
    X(CROSS_B,   "Root B",     1, ROOT_A,    -20, 1500)
// clang-format on
#define POOL_CA_ENUM(id, name, key, issuer, from, until) CA_##id,
enum pool_ca { POOL_CAS(POOL_CA_ENUM) CA_COUNT };
#undef POOL_CA_ENUM

enum pool_usage { USAGE_BOTH, USAGE_ANY, USAGE_SERVER, USAGE_CLIENT, USAGE_COUNT };

/* What a leaf says. Compared byte for byte: begin with {0}. */
struct leaf {
    char name[32]; /* CN */
    char san[64];  /* "DNS:n1.example,IP:10.0.0.1", or empty */
    uint32_t usage;
    uint32_t issuer; /* an enum pool_ca */
    uint32_t key;    /* number of its key */
    uint32_t unused;
    int64_t not_before, not_after;
};

struct pool_cert {
    uint32_t id;
    X509 *x509;
    str der;
    str sha256; /* lower-case hex */
    bool is_ca;
    enum pool_ca ca;  /* of a CA */
    struct leaf leaf; /* of a leaf */
};

struct pool {
    struct arena arena;
    LIST(struct pool_cert *) certs; /* by id; the CAs come first, in their order */
    struct map leaf_ids;            /* struct leaf -> id */
    struct map sha256_ids;
    LIST(EVP_PKEY *) keys; /* by number; those of the CAs follow CA_KEYS */
};

void pool_init(struct pool *pool);
void pool_free(struct pool *pool);

const struct pool_cert *pool_cert(const struct pool *pool, uint32_t id);
uint32_t pool_leaf(struct pool *pool, const struct leaf *leaf);
uint32_t pool_find(const struct pool *pool, str sha256); /* NO_CERT when there is none */

/* Whether two CAs sign with one name and one key, so that what one of them issued was issued by the
   other too. */
bool pool_same_signer(enum pool_ca a, enum pool_ca b);

/* Whether `ca`, or one with its name and key, signed the certificate. */
bool pool_issued_by(const struct pool *pool, uint32_t cert, enum pool_ca ca);

/* The root that vouches for what the CA issues: itself, where it is a root. */
enum pool_ca pool_root(enum pool_ca ca);

/* The first moment at which the certificate is no longer good. */
int64_t pool_end(const struct pool *pool, uint32_t id);

/* The certificate that `issuer` makes now to replace `old`, with the same key or the next one: a
   CA's answer to a renewal, `lifetime` seconds long and never longer than the CA itself. */
uint32_t pool_reissue(struct pool *pool, uint32_t old, enum pool_ca issuer, bool new_key,
                      int64_t lifetime);

/* "Root A" or "n1 by Root A, ends in 10 days, key 3". */
str pool_words(struct arena *arena, const struct pool *pool, uint32_t id);

/* What a test cannot go on without. */
#define must(cond) ((cond) ? (void)0 : must_fail(__FILE__, __LINE__, #cond))
void must_fail(const char *file, int line, const char *what) __attribute__((noreturn));

#endif
