/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/pki.h"

#include "tests/test.h"
#include "x509/auto.h"

#include <openssl/pem.h>

static str bio_text(struct arena *arena, BIO *bio)
{
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);
    return str_copy(arena, (str){ text, (size_t)len });
}

static EVP_PKEY *key_of(str pem)
{
    AUTO(BIO) BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    check(key != NULL);
    return key;
}

EVP_PKEY *pki_key(const struct pki *pki)
{
    return key_of(pki->key_pem);
}

static void add_ext(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    if (value == NULL)
        return;
    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509V3_set_ctx_nodb(&context);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    check(ext != NULL && X509_add_ext(x509, ext, -1) == 1);
    X509_EXTENSION_free(ext);
}

static void set_names(X509 *x509, X509 *issuer, const struct pki_spec *spec)
{
    X509_NAME *name = X509_get_subject_name(x509);
    if (spec->organisation != NULL)
        check(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8,
                                         (const unsigned char *)spec->organisation, -1, -1, 0));
    if (spec->name != NULL)
        check(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                         (const unsigned char *)spec->name, -1, -1, 0));
    check(X509_set_issuer_name(x509, X509_get_subject_name(issuer)));
}

static void set_extensions(X509 *x509, X509 *issuer, const struct pki_spec *spec)
{
    const char *basic = spec->basic_constraints;
    const char *usage = spec->key_usage;
    if (basic == NULL)
        basic = spec->ca ? "critical,CA:TRUE" : "critical,CA:FALSE";
    if (usage == NULL && spec->ca)
        usage = "critical,keyCertSign,cRLSign";
    add_ext(x509, issuer, NID_basic_constraints, basic);
    add_ext(x509, issuer, NID_key_usage, usage);
    add_ext(x509, issuer, NID_ext_key_usage, spec->extended_key_usage);
    add_ext(x509, issuer, NID_subject_alt_name, spec->san);
    add_ext(x509, issuer, NID_name_constraints, spec->name_constraints);
    if (spec->no_key_ids)
        return;
    add_ext(x509, issuer, NID_subject_key_identifier, "hash");
    add_ext(x509, issuer, NID_authority_key_identifier, "keyid");
}

static EVP_PKEY *make_key(const struct pki_spec *spec)
{
    if (spec->key_of != NULL)
        return pki_key(spec->key_of);
    const char *kind = spec->key_kind == NULL ? "P-256" : spec->key_kind;
    EVP_PKEY *key = spec->rsa_bits != 0
                        ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)spec->rsa_bits)
                    : kind[0] == 'P' ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind)
                                     : EVP_PKEY_Q_keygen(NULL, NULL, kind);
    check(key != NULL);
    return key;
}

static void set_validity(X509 *x509, const struct pki_spec *spec)
{
    moment from = spec->not_before != 0 ? spec->not_before : PKI_NOW - PKI_DAY;
    moment until =
        spec->not_after != 0 ? spec->not_after : PKI_NOW + PKI_DAY * (spec->ca ? 3650 : 90);
    check(ASN1_TIME_set(X509_getm_notBefore(x509), from) != NULL);
    check(ASN1_TIME_set(X509_getm_notAfter(x509), until) != NULL);
}

struct pki pki_make(struct arena *arena, const struct pki_spec *spec)
{
    static long serial = 4096;
    AUTO(err) struct err err = { 0 };
    AUTO(EVP_PKEY) EVP_PKEY *key = make_key(spec);
    AUTO(EVP_PKEY) EVP_PKEY *signer = spec->issuer == NULL ? NULL : pki_key(spec->issuer);
    AUTO(X509) X509 *issuer = spec->issuer == NULL ? NULL : cert_x509(&spec->issuer->cert);
    AUTO(X509) X509 *x509 = X509_new();
    struct pki pki = { 0 };
    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++);
    X509_set_pubkey(x509, key);
    set_validity(x509, spec);
    set_names(x509, issuer == NULL ? x509 : issuer, spec);
    set_extensions(x509, issuer == NULL ? x509 : issuer, spec);
    const EVP_PKEY *by = signer == NULL ? key : signer;
    const char *digest = spec->digest != NULL ? spec->digest : "SHA256";
    if (EVP_PKEY_is_a(by, "ED25519") || EVP_PKEY_is_a(by, "ED448"))
        digest = "none"; /* a part of the algorithm (RFC 8410, 6) */
    check(X509_sign(x509, signer == NULL ? key : signer, EVP_get_digestbyname(digest)) > 0);
    check_ok(cert_of_x509(arena, x509, &pki.cert, &err), &err);
    pki.pem = cert_pem(arena, &pki.cert);
    AUTO(BIO) BIO *pem = BIO_new(BIO_s_mem());
    AUTO(BIO) BIO *der = BIO_new(BIO_s_mem());
    check(PEM_write_bio_PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL) == 1);
    check(i2d_PKCS8PrivateKey_bio(der, key, NULL, NULL, 0, NULL, NULL) == 1);
    pki.key_pem = bio_text(arena, pem);
    pki.key_der = bio_text(arena, der);
    return pki;
}

str pki_key_pem_encrypted(struct arena *arena, const struct pki *pki, const char *password,
                          bool traditional)
{
    AUTO(EVP_PKEY) EVP_PKEY *key = pki_key(pki);
    AUTO(BIO) BIO *bio = BIO_new(BIO_s_mem());
    const unsigned char *pass = (const unsigned char *)password;
    int len = (int)str_c(password).len;
    int done = traditional ? PEM_write_bio_PrivateKey_traditional(bio, key, EVP_aes_128_cbc(), pass,
                                                                  len, NULL, NULL)
                           : PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_256_cbc(), password,
                                                           len, NULL, NULL);
    check(done == 1);
    return bio_text(arena, bio);
}

str pki_key_pem_traditional(struct arena *arena, const struct pki *pki)
{
    AUTO(EVP_PKEY) EVP_PKEY *key = pki_key(pki);
    AUTO(BIO) BIO *bio = BIO_new(BIO_s_mem());
    check(PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
    return bio_text(arena, bio);
}

str pki_request_pem(struct arena *arena, const struct pki *pki)
{
    AUTO(EVP_PKEY) EVP_PKEY *key = pki_key(pki);
    AUTO(X509_REQ) X509_REQ *request = X509_REQ_new();
    AUTO(BIO) BIO *bio = BIO_new(BIO_s_mem());
    X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "CN", MBSTRING_UTF8,
                               (const unsigned char *)pki->cert.common_name.ptr, -1, -1, 0);
    check(X509_REQ_set_pubkey(request, key) && X509_REQ_sign(request, key, EVP_sha256()) > 0);
    check(PEM_write_bio_X509_REQ(bio, request) == 1);
    return bio_text(arena, bio);
}
