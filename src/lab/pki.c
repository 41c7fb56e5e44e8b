/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/pki.h"

#include "x509/cert.h"

#include <openssl/pem.h>
#include <openssl/rand.h>

enum { DAY = 86400, SERIAL_BYTES = 16, PASS_BYTES = 24 };

void lab_ca_free(struct lab_ca *ca)
{
    X509_free(ca->cert);
    EVP_PKEY_free(ca->key);
    *ca = (struct lab_ca){ 0 };
}

static bool add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509V3_set_ctx_nodb(&context);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool done = ext != NULL && X509_add_ext(x509, ext, -1) == 1;
    X509_EXTENSION_free(ext);
    return done;
}

static bool set_serial(X509 *x509)
{
    unsigned char bytes[SERIAL_BYTES];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return false;
    bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40); /* positive, never short */
    BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    bool done = BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) != NULL;
    BN_free(number);
    return done;
}

/* A certificate with everything but its extensions and signature; `issuer` NULL: self-issued. */
static X509 *begin(str common_name, EVP_PKEY *key, X509 *issuer, moment from, moment until)
{
    AUTO(X509) X509 *x509 = X509_new();
    if (x509 == NULL || X509_set_version(x509, X509_VERSION_3) != 1 || !set_serial(x509))
        return NULL;
    X509_NAME *name = X509_get_subject_name(x509);
    bool done = X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                           (const unsigned char *)common_name.ptr,
                                           (int)common_name.len, -1, 0) == 1 &&
                X509_set_issuer_name(x509, issuer == NULL ? name : X509_get_subject_name(issuer)) &&
                X509_set_pubkey(x509, key) == 1 &&
                ASN1_TIME_set(X509_getm_notBefore(x509), from) != NULL &&
                ASN1_TIME_set(X509_getm_notAfter(x509), until) != NULL;
    return done ? TAKE(x509) : NULL;
}

bool lab_ca_make(struct lab_ca *ret_ca, struct err *err)
{
    moment now = clock_now();
    AUTO(lab_ca) struct lab_ca ca = { .key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256") };
    if (ca.key != NULL)
        ca.cert = begin(S("Reseal Lab Root"), ca.key, NULL, now - (moment)365 * DAY,
                        now + (moment)3285 * DAY);
    if (ca.cert == NULL ||
        !add_extension(ca.cert, ca.cert, NID_basic_constraints, "critical,CA:TRUE") ||
        !add_extension(ca.cert, ca.cert, NID_key_usage, "critical,keyCertSign,cRLSign") ||
        !add_extension(ca.cert, ca.cert, NID_subject_key_identifier, "hash") ||
        X509_sign(ca.cert, ca.key, EVP_sha256()) == 0)
        return err_set(err, ERR_CRYPTO, "the lab's root could not be made");
    *ret_ca = (struct lab_ca){ TAKE(ca.cert), TAKE(ca.key) };
    return true;
}

static str bio_text(struct arena *arena, BIO *bio)
{
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);
    return str_copy(arena, (str){ text, (size_t)len });
}

bool lab_ca_export(struct arena *arena, const struct lab_ca *ca, struct lab_ca_files *ret_files,
                   struct err *err)
{
    unsigned char random[PASS_BYTES];
    AUTO(BIO) BIO *cert = BIO_new(BIO_s_mem());
    AUTO(BIO) BIO *key = BIO_new(BIO_s_secmem());
    if (RAND_bytes(random, sizeof(random)) != 1)
        return err_set(err, ERR_CRYPTO, "no random bytes for the lab's passphrase");
    str pass = str_hex(arena, random, sizeof(random));
    OPENSSL_cleanse(random, sizeof(random));
    if (PEM_write_bio_X509(cert, ca->cert) != 1 ||
        PEM_write_bio_PKCS8PrivateKey(key, ca->key, EVP_aes_256_cbc(), pass.ptr, (int)pass.len,
                                      NULL, NULL) != 1)
        return err_set(err, ERR_CRYPTO, "the lab's root could not be written");
    ret_files->certificate = bio_text(arena, cert);
    ret_files->key = bio_text(arena, key);
    ret_files->passphrase = str_printf(arena, "%.*s\n", STR_ARG(pass));
    return true;
}

/* RFC 5280, 4.2: what an end entity of this kind carries. */
static bool add_leaf_extensions(struct arena *arena, X509 *x509, X509 *issuer,
                                const struct lab_leaf *leaf)
{
    bool server = leaf->dns.len > 0;
    const char *usage = !server      ? "clientAuth"
                        : leaf->both ? "serverAuth,clientAuth"
                                     : "serverAuth";
    str names = str_printf(arena, "DNS:%.*s%s%.*s", STR_ARG(leaf->dns),
                           leaf->address.len > 0 ? ",IP:" : "", STR_ARG(leaf->address));
    if (server && !add_extension(x509, issuer, NID_subject_alt_name, names.ptr))
        return false;
    return add_extension(x509, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(x509, issuer, NID_key_usage, "critical,digitalSignature") &&
           add_extension(x509, issuer, NID_ext_key_usage, usage) &&
           add_extension(x509, issuer, NID_subject_key_identifier, "hash") &&
           add_extension(x509, issuer, NID_authority_key_identifier, "keyid");
}

bool lab_ca_issue(struct arena *arena, const struct lab_ca *ca, const struct lab_leaf *leaf,
                  str *ret_cert, str *ret_key, struct err *err)
{
    AUTO(EVP_PKEY) EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    AUTO(X509)
    X509 *x509 = key == NULL
                     ? NULL
                     : begin(leaf->common_name, key, ca->cert, leaf->not_before, leaf->not_after);
    AUTO(BIO) BIO *cert_pem = BIO_new(BIO_s_mem());
    AUTO(BIO) BIO *key_pem = BIO_new(BIO_s_secmem());
    if (x509 == NULL || !add_leaf_extensions(arena, x509, ca->cert, leaf) ||
        X509_sign(x509, ca->key, EVP_sha256()) == 0 || PEM_write_bio_X509(cert_pem, x509) != 1 ||
        PEM_write_bio_PKCS8PrivateKey(key_pem, key, NULL, NULL, 0, NULL, NULL) != 1)
        return err_set(err, ERR_CRYPTO, "no certificate could be made for %.*s",
                       STR_ARG(leaf->common_name));
    *ret_cert = bio_text(arena, cert_pem);
    *ret_key = bio_text(arena, key_pem);
    return true;
}
