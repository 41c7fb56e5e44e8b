/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/random/pool.h"

#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAF_KEYS = 512, CA_KEYS = LEAF_KEYS, KEY_COUNT = CA_KEYS + CA_COUNT };

static const struct ca_row {
    const char *name;
    int key;
    enum pool_ca issuer;
    int from, until; /* days */
} ca_rows[CA_COUNT] = {
#define CA_ROW(id, name, key, issuer, from, until) { name, key, CA_##issuer, from, until },
    POOL_CAS(CA_ROW)
#undef CA_ROW
};

static const char *const usages[USAGE_COUNT] = {
    [USAGE_BOTH] = "serverAuth,clientAuth",
    [USAGE_ANY] = NULL,
    [USAGE_SERVER] = "serverAuth",
    [USAGE_CLIENT] = "clientAuth",
};

void must_fail(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: %s does not hold\n", file, line, what);
    abort();
}

static EVP_PKEY *make_key(uint32_t number)
{
    unsigned char seed[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)&number, sizeof(number), seed);
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof(seed));
    must(key != NULL);
    return key;
}

static void add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    if (value == NULL || value[0] == '\0')
        return;
    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509V3_set_ctx_nodb(&context);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    must(extension != NULL && X509_add_ext(x509, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

static X509 *begin(uint32_t serial, const char *name, EVP_PKEY *key, int64_t from, int64_t until)
{
    X509 *x509 = X509_new();
    must(x509 != NULL && X509_set_version(x509, X509_VERSION_3) == 1);
    must(ASN1_INTEGER_set(X509_get_serialNumber(x509), 1000 + (long)serial) == 1);
    must(X509_set_pubkey(x509, key) == 1);
    must(X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8,
                                    (const unsigned char *)name, -1, -1, 0) == 1);
    must(ASN1_TIME_set(X509_getm_notBefore(x509), (time_t)from) != NULL);
    must(ASN1_TIME_set(X509_getm_notAfter(x509), (time_t)until) != NULL);
    return x509;
}

static void sign(const struct pool *pool, X509 *x509, X509 *issuer, enum pool_ca ca)
{
    add_extension(x509, issuer, NID_subject_key_identifier, "hash");
    add_extension(x509, issuer, NID_authority_key_identifier, "keyid");
    must(X509_set_issuer_name(x509, X509_get_subject_name(issuer)) == 1);
    must(X509_sign(x509, pool->keys.items[CA_KEYS + ca_rows[ca].key], NULL) > 0);
}

static struct pool_cert *keep(struct pool *pool, X509 *x509)
{
    struct pool_cert *cert = arena_new(&pool->arena, struct pool_cert);
    unsigned char *der = NULL, digest[SHA256_DIGEST_LENGTH];
    int len = i2d_X509(x509, &der);
    must(len > 0);
    *cert = (struct pool_cert){ .id = (uint32_t)pool->certs.count, .x509 = x509 };
    cert->der = str_copy(&pool->arena, (str){ (const char *)der, (size_t)len });
    SHA256(der, (size_t)len, digest);
    cert->sha256 = str_hex(&pool->arena, digest, sizeof(digest));
    OPENSSL_free(der);
    list_push(&pool->arena, &pool->certs) = cert;
    map_put(&pool->sha256_ids, cert->sha256, cert->id);
    return cert;
}

static void make_ca(struct pool *pool, enum pool_ca ca)
{
    const struct ca_row *row = &ca_rows[ca];
    X509 *x509 = begin(ca, row->name, pool->keys.items[CA_KEYS + row->key],
                       POOL_NOW + row->from * POOL_DAY, POOL_NOW + row->until * POOL_DAY);
    X509 *issuer = row->issuer == ca ? x509 : pool->certs.items[row->issuer]->x509;
    add_extension(x509, issuer, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(x509, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
    sign(pool, x509, issuer, row->issuer);
    struct pool_cert *cert = keep(pool, x509);
    cert->is_ca = true;
    cert->ca = ca;
}

void pool_init(struct pool *pool)
{
    *pool = (struct pool){ 0 };
    pool->leaf_ids.arena = pool->sha256_ids.arena = &pool->arena;
    for (uint32_t number = 0; number < KEY_COUNT; number++)
        list_push(&pool->arena, &pool->keys) = make_key(number);
    for (int ca = 0; ca < CA_COUNT; ca++)
        make_ca(pool, (enum pool_ca)ca);
}

void pool_free(struct pool *pool)
{
    for (size_t i = 0; i < pool->certs.count; i++)
        X509_free(pool->certs.items[i]->x509);
    for (size_t i = 0; i < pool->keys.count; i++)
        EVP_PKEY_free(pool->keys.items[i]);
    arena_free(&pool->arena);
}

const struct pool_cert *pool_cert(const struct pool *pool, uint32_t id)
{
    must(id < pool->certs.count);
    return pool->certs.items[id];
}

uint32_t pool_leaf(struct pool *pool, const struct leaf *leaf)
{
    str spec = { (const char *)leaf, sizeof(*leaf) };
    uint32_t known = map_get(&pool->leaf_ids, spec);
    if (known != MAP_NONE)
        return known;
    X509 *issuer = pool->certs.items[leaf->issuer]->x509;
    X509 *x509 = begin((uint32_t)pool->certs.count, leaf->name,
                       pool->keys.items[leaf->key % LEAF_KEYS], leaf->not_before, leaf->not_after);
    add_extension(x509, issuer, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(x509, issuer, NID_ext_key_usage, usages[leaf->usage]);
    add_extension(x509, issuer, NID_subject_alt_name, leaf->san);
    sign(pool, x509, issuer, (enum pool_ca)leaf->issuer);
    struct pool_cert *cert = keep(pool, x509);
    cert->leaf = *leaf;
    return map_put(&pool->leaf_ids, spec, cert->id);
}

uint32_t pool_find(const struct pool *pool, str sha256)
{
    return map_get(&pool->sha256_ids, sha256);
}

int64_t pool_end(const struct pool *pool, uint32_t id)
{
    const struct pool_cert *cert = pool_cert(pool, id);
    return cert->is_ca ? POOL_NOW + ca_rows[cert->ca].until * POOL_DAY : cert->leaf.not_after;
}

bool pool_same_signer(enum pool_ca a, enum pool_ca b)
{
    return ca_rows[a].key == ca_rows[b].key && strcmp(ca_rows[a].name, ca_rows[b].name) == 0;
}

bool pool_issued_by(const struct pool *pool, uint32_t cert, enum pool_ca ca)
{
    const struct pool_cert *row = pool_cert(pool, cert);
    return pool_same_signer(row->is_ca ? ca_rows[row->ca].issuer : (enum pool_ca)row->leaf.issuer,
                            ca);
}

enum pool_ca pool_root(enum pool_ca ca)
{
    while (ca_rows[ca].issuer != ca)
        ca = ca_rows[ca].issuer;
    return ca;
}

uint32_t pool_reissue(struct pool *pool, uint32_t old, enum pool_ca issuer, bool new_key,
                      int64_t lifetime)
{
    struct leaf leaf = pool_cert(pool, old)->leaf;
    int64_t end = pool_end(pool, issuer);
    leaf.issuer = issuer;
    leaf.key = (leaf.key + (new_key ? 1 : 0)) % LEAF_KEYS;
    leaf.not_before = POOL_NOW - 300;
    leaf.not_after = POOL_NOW + lifetime < end ? POOL_NOW + lifetime : end;
    return pool_leaf(pool, &leaf);
}

str pool_words(struct arena *arena, const struct pool *pool, uint32_t id)
{
    const struct pool_cert *cert = pool_cert(pool, id);
    if (cert->is_ca)
        return str_printf(arena, "%s [%.8s]", ca_rows[cert->ca].name, cert->sha256.ptr);
    const struct leaf *leaf = &cert->leaf;
    long days = (long)((leaf->not_after - POOL_NOW) / POOL_DAY);
    return str_printf(arena, "%s (%s%s%s) by %s, key %u, %s %ld days [%.8s]", leaf->name, leaf->san,
                      usages[leaf->usage] == NULL ? "" : " ",
                      usages[leaf->usage] == NULL ? "" : usages[leaf->usage],
                      ca_rows[leaf->issuer].name, leaf->key,
                      leaf->not_before > POOL_NOW   ? "not yet valid, ends in"
                      : leaf->not_after <= POOL_NOW ? "ended,"
                                                    : "ends in",
                      days, cert->sha256.ptr);
}
