/* SPDX-License-Identifier: Apache-2.0 */
#include "issue/local.h"

#include "base/io.h"
#include "issue/ledger.h"
#include "store/key.h"
#include "store/store.h"
#include "x509/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <sys/stat.h>

/* Rounds of the derivation of a new key's encryption: a fifth of a second for each guess. */
enum { CREATE_ROUNDS = 200 * 1000 };

/* Below 112 bits of security nothing is signed (NIST SP 800-57): RSA 2048 is the smallest. */
enum { SECURITY_BITS_MIN = 112 };

DEFINE_AUTO(X509_EXTENSION, X509_EXTENSION *, X509_EXTENSION_free(*handle))
DEFINE_AUTO(X509_SIG, X509_SIG *, X509_SIG_free(*handle))
DEFINE_AUTO(PKCS8, PKCS8_PRIV_KEY_INFO *, PKCS8_PRIV_KEY_INFO_free(*handle))
DEFINE_AUTO(BIGNUM, BIGNUM *, BN_free(*handle))
DEFINE_AUTO(BIT_STRING, ASN1_BIT_STRING *, ASN1_BIT_STRING_free(*handle))

static bool crypto_err(struct err *err, const char *what)
{
    ERR_clear_error();
    return err_set(err, ERR_CRYPTO, "%s failed", what);
}

void local_close(struct local_ca *ca)
{
    EVP_PKEY_free(ca->key);
    ca->key = NULL;
}

bool local_read(struct arena *arena, const char *certificate_path, const char *key_path,
                struct local_ca *ret_ca, struct err *err)
{
    struct store store;
    struct local_ca ca = {
        .certificate_path = str_copy(arena, str_c(certificate_path)),
        .key_path = str_copy(arena, str_c(key_path)),
        .ledger_path = ledger_path(arena, certificate_path),
    };
    if (!store_read(arena, certificate_path, &(struct store_options){ 0 }, &store, err)) {
        err_wrap(err, "issuer");
        return err_next(err, "reseal issuer create --certificate %s --key %s", certificate_path,
                        key_path);
    }
    for (size_t i = 0; i < store.entries.count; i++)
        if (store.entries.items[i].kind == ENTRY_TRUSTED)
            list_push(arena, &ca.chain) = *store.entries.items[i].cert;
    if (ca.chain.count == 0)
        return err_set(err, ERR_FORMAT, "issuer %s: no certificate in it", certificate_path);
    const struct cert *issuer = &ca.chain.items[0];
    if (!issuer->ca || (issuer->has_key_usage && (issuer->key_usage & KU_KEY_CERT_SIGN) == 0))
        return err_set(err, ERR_REFUSED, "issuer %s: %s is not a CA certificate", certificate_path,
                       cert_label(arena, issuer).ptr);
    *ret_ca = ca;
    return true;
}

bool local_open(struct arena *arena, const char *certificate_path, const char *key_path,
                str passphrase, moment now, struct local_ca *ret_ca, struct err *err)
{
    AUTO(local_ca) struct local_ca ca = { 0 };
    str spki;
    if (!local_read(arena, certificate_path, key_path, &ca, err))
        return false;
    const struct cert *issuer = &ca.chain.items[0];
    if (issuer->not_after < now) {
        err_set(err, ERR_REFUSED, "issuer %s has expired: %s", certificate_path,
                cert_label(arena, issuer).ptr);
        return err_next(err, "reseal issuer create --certificate NEW.pem --key NEW.key");
    }
    if (!key_load(key_path, passphrase, &ca.key, err)) {
        err_wrap(err, "issuer's key");
        return err_next(err, "openssl pkey -in %s -noout", key_path);
    }
    if (!key_spki_sha256(arena, ca.key, &spki, err))
        return false;
    if (!str_eq(spki, issuer->spki_sha256)) {
        err_set(err, ERR_REFUSED, "issuer's key %s does not belong to %s (%s)", key_path,
                certificate_path, cert_label(arena, issuer).ptr);
        return err_next(err, "reseal inspect %s %s", certificate_path, key_path);
    }
    *ret_ca = ca;
    ca.key = NULL;
    return true;
}

static bool set_serial(X509 *x509)
{
    AUTO(BIGNUM) BIGNUM *number = BN_new();
    return BN_rand(number, 128, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
           BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) != NULL;
}

static bool set_dates(X509 *x509, moment not_before, moment not_after)
{
    return ASN1_TIME_set(X509_getm_notBefore(x509), not_before) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(x509), not_after) != NULL;
}

static bool add_conf(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509V3_set_ctx_nodb(&context);
    AUTO(X509_EXTENSION) X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    return ext != NULL && X509_add_ext(x509, ext, -1) == 1;
}

static bool sign(X509 *x509, EVP_PKEY *key)
{
    return X509_sign(x509, key, key_digest(key)) > 0;
}

/* A keyUsage that would let a leaf sign certificates is made anew without those bits. */
static bool add_key_usage(X509 *x509, X509_EXTENSION *old, uint32_t kept)
{
    AUTO(BIT_STRING) ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
    if (kept == 0)
        return true;
    /* KU_ constants count the bits of each octet from its top (RFC 5280, 4.2.1.3). */
    for (int bit = 0; bit < 9; bit++) {
        uint32_t mask = bit < 8 ? 0x80u >> bit : 0x8000u;
        if ((kept & mask) != 0 && ASN1_BIT_STRING_set_bit(bits, bit, 1) != 1)
            return false;
    }
    return X509_add1_ext_i2d(x509, NID_key_usage, bits, X509_EXTENSION_get_critical(old),
                             X509V3_ADD_APPEND) == 1;
}

static bool copy_extensions(X509 *x509, X509 *replaced, const struct cert *facts)
{
    for (const int *nid = profile_copied; *nid != 0; nid++) {
        int at = X509_get_ext_by_NID(replaced, *nid, -1);
        X509_EXTENSION *ext = at < 0 ? NULL : X509_get_ext(replaced, at);
        if (ext == NULL)
            continue;
        bool ok = *nid == NID_key_usage ? add_key_usage(x509, ext, profile_key_usage(facts))
                                        : X509_add_ext(x509, ext, -1) == 1;
        if (!ok)
            return false;
    }
    return true;
}

/* The public key that was sent, and proof that the sender holds the private one where it is a
   request (RFC 2986, 3). */
static bool read_public_key(str der, EVP_PKEY **ret_key, struct err *err)
{
    const unsigned char *at = (const unsigned char *)der.ptr, *end = at + der.len;
    AUTO(X509_REQ) X509_REQ *request = d2i_X509_REQ(NULL, &at, (long)der.len);
    AUTO(EVP_PKEY) EVP_PKEY *key = NULL;
    if (request != NULL && at == end) {
        key = X509_REQ_get_pubkey(request);
        if (key == NULL || X509_REQ_verify(request, key) != 1) {
            ERR_clear_error();
            return err_set(err, ERR_REFUSED, "the request is not signed by its own key");
        }
    } else {
        at = (const unsigned char *)der.ptr;
        key = d2i_PUBKEY(NULL, &at, (long)der.len);
    }
    ERR_clear_error();
    if (key == NULL || at != end)
        return err_set(err, ERR_FORMAT, "neither a certificate request nor a public key");
    int bits = EVP_PKEY_get_security_bits(key);
    if (bits < SECURITY_BITS_MIN)
        return err_set(err, ERR_REFUSED, "the new key is too weak: %s %d",
                       EVP_PKEY_get0_type_name(key), EVP_PKEY_get_bits(key));
    *ret_key = TAKE(key);
    return true;
}

static bool fill(X509 *x509, const struct issue_request *request, const struct cert *issuer_facts,
                 EVP_PKEY *key)
{
    AUTO(X509) X509 *issuer = cert_x509(issuer_facts);
    AUTO(X509) X509 *replaced = cert_x509(request->replaced);
    bool has_id = issuer_facts->subject_key_id.len > 0;
    return issuer != NULL && replaced != NULL && X509_set_version(x509, X509_VERSION_3) == 1 &&
           set_serial(x509) && X509_set_pubkey(x509, key) == 1 &&
           X509_set_subject_name(x509, X509_get_subject_name(replaced)) == 1 &&
           X509_set_issuer_name(x509, X509_get_subject_name(issuer)) == 1 &&
           add_conf(x509, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
           copy_extensions(x509, replaced, request->replaced) &&
           add_conf(x509, issuer, NID_subject_key_identifier, "hash") &&
           (!has_id || add_conf(x509, issuer, NID_authority_key_identifier, "keyid:always"));
}

static bool make(struct arena *arena, const struct local_ca *ca,
                 const struct issue_request *request, EVP_PKEY *key, struct cert *ret_cert,
                 struct err *err)
{
    const struct cert *issuer = &ca->chain.items[0];
    struct profile profile = { request->replaced, issuer, request->now, request->lifetime,
                               request->renew_before };
    moment not_before, not_after;
    AUTO(X509) X509 *x509 = X509_new();
    if (!profile_dates(&profile, &not_before, &not_after, err))
        return err_where(err, "%s", ca->certificate_path.ptr);
    if (!fill(x509, request, issuer, key) || !set_dates(x509, not_before, not_after) ||
        !sign(x509, ca->key))
        return crypto_err(err, "making the certificate");
    return cert_of_x509(arena, x509, ret_cert, err);
}

static str chain_pem(struct arena *arena, const struct local_ca *ca, const struct cert *leaf)
{
    struct buf pem = { 0 };
    buf_add(arena, &pem, cert_pem(arena, leaf));
    for (size_t i = 0; i < ca->chain.count; i++)
        if (!ca->chain.items[i].self_issued)
            buf_add(arena, &pem, cert_pem(arena, &ca->chain.items[i]));
    return buf_str(&pem);
}

/* What was issued for this key and step before, if this CA still stands by it. */
static bool issued_before(struct arena *arena, const struct local_ca *ca,
                          const struct ledger *ledger, str spki,
                          const struct issue_request *request, struct cert *ret_cert)
{
    AUTO(err) struct err err = { 0 };
    const struct ledger_entry *entry = ledger_find(ledger, spki, request->step, request->now);
    struct cert cert;
    if (entry == NULL || !cert_parse(arena, entry->certificate, &cert, &err) ||
        !str_eq(cert.spki_sha256, spki) || !cert_signed_by(&cert, &ca->chain.items[0]))
        return false;
    *ret_cert = cert;
    return true;
}

static bool record(int fd, const struct issue_request *request, const struct cert *cert,
                   struct err *err)
{
    struct ledger_entry entry = { .time = request->now,
                                  .step = request->step,
                                  .serial = cert->serial,
                                  .subject = cert->subject,
                                  .san = cert->san,
                                  .sha256 = cert->sha256,
                                  .spki_sha256 = cert->spki_sha256,
                                  .not_before = cert->not_before,
                                  .not_after = cert->not_after,
                                  .certificate = cert->der };
    return ledger_append(fd, &entry, err);
}

bool local_issue(struct arena *arena, const struct local_ca *ca,
                 const struct issue_request *request, struct issued *ret_issued, struct err *err)
{
    AUTO(EVP_PKEY) EVP_PKEY *key = NULL;
    AUTO(fd) int fd = -1;
    struct ledger ledger;
    struct issued issued = { 0 };
    str spki;
    if (!read_public_key(request->public_key, &key, err) ||
        !key_spki_sha256(arena, key, &spki, err) || !ledger_lock(ca->ledger_path.ptr, &fd, err) ||
        !ledger_read(arena, ca->ledger_path.ptr, &ledger, err))
        return false;
    issued.damaged_line = ledger.damaged_line;
    issued.again = issued_before(arena, ca, &ledger, spki, request, &issued.cert);
    if (!issued.again && (!make(arena, ca, request, key, &issued.cert, err) ||
                          !record(fd, request, &issued.cert, err)))
        return false;
    issued.pem = chain_pem(arena, ca, &issued.cert);
    *ret_issued = issued;
    return true;
}

static bool make_cross(struct arena *arena, const struct local_ca *ca, const struct cert *root,
                       moment now, struct cert *ret_cert, struct err *err)
{
    const struct cert *signer = &ca->chain.items[0];
    AUTO(X509) X509 *issuer = cert_x509(signer);
    AUTO(X509) X509 *subject = cert_x509(root);
    AUTO(X509) X509 *x509 = X509_new();
    moment end = root->not_after < signer->not_after ? root->not_after : signer->not_after;
    bool ok = issuer != NULL && subject != NULL && X509_set_version(x509, X509_VERSION_3) == 1 &&
              set_serial(x509) && X509_set_pubkey(x509, X509_get0_pubkey(subject)) == 1 &&
              X509_set_subject_name(x509, X509_get_subject_name(subject)) == 1 &&
              X509_set_issuer_name(x509, X509_get_subject_name(issuer)) == 1 &&
              set_dates(x509, now - PROFILE_BACKDATE, end) &&
              add_conf(x509, issuer, NID_basic_constraints, "critical,CA:TRUE") &&
              add_conf(x509, issuer, NID_key_usage, "critical,keyCertSign,cRLSign") &&
              add_conf(x509, issuer, NID_subject_key_identifier, "hash") &&
              (signer->subject_key_id.len == 0 ||
               add_conf(x509, issuer, NID_authority_key_identifier, "keyid:always")) &&
              sign(x509, ca->key);
    return ok ? cert_of_x509(arena, x509, ret_cert, err)
              : crypto_err(err, "making the cross certificate");
}

bool local_cross_sign(struct arena *arena, const struct local_ca *ca, const struct cert *root,
                      moment now, struct cert *ret_cert, struct err *err)
{
    AUTO(fd) int fd = -1;
    struct issue_request request = { .step = S("cross-sign"), .now = now };
    if (!root->ca || !root->self_issued || !cert_signed_by(root, root))
        return err_set(err, ERR_REFUSED, "%s is not a root", cert_label(arena, root).ptr);
    if (str_eq(root->spki_sha256, ca->chain.items[0].spki_sha256))
        return err_set(err, ERR_REFUSED, "%s has the key that would sign it",
                       cert_label(arena, root).ptr);
    return ledger_lock(ca->ledger_path.ptr, &fd, err) &&
           make_cross(arena, ca, root, now, ret_cert, err) && record(fd, &request, ret_cert, err);
}

static bool set_name(X509 *x509, const struct local_spec *spec)
{
    X509_NAME *name = X509_get_subject_name(x509);
    const struct {
        const char *field;
        str value;
    } parts[] = {
        {"O",   spec->organisation},
        { "CN", spec->name        }
    };
    for (size_t i = 0; i < COUNT(parts); i++)
        if (parts[i].value.len > 0 &&
            X509_NAME_add_entry_by_txt(name, parts[i].field, MBSTRING_UTF8,
                                       (const unsigned char *)parts[i].value.ptr,
                                       (int)parts[i].value.len, -1, 0) != 1)
            return false;
    return X509_set_issuer_name(x509, name) == 1;
}

static bool make_root(struct arena *arena, const struct local_spec *spec, EVP_PKEY *key,
                      struct cert *ret_cert, struct err *err)
{
    AUTO(X509) X509 *x509 = X509_new();
    bool ok = X509_set_version(x509, X509_VERSION_3) == 1 && set_serial(x509) &&
              X509_set_pubkey(x509, key) == 1 && set_name(x509, spec) &&
              set_dates(x509, spec->now - PROFILE_BACKDATE, spec->now + spec->lifetime) &&
              add_conf(x509, x509, NID_basic_constraints, "critical,CA:TRUE") &&
              add_conf(x509, x509, NID_key_usage, "critical,keyCertSign,cRLSign") &&
              add_conf(x509, x509, NID_subject_key_identifier, "hash") && sign(x509, key);
    return ok ? cert_of_x509(arena, x509, ret_cert, err) : crypto_err(err, "making the root");
}

static bool seal_key(struct arena *arena, EVP_PKEY *key, str passphrase, str *ret_pem,
                     struct err *err)
{
    AUTO(PKCS8) PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    X509_ALGOR *method =
        PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), CREATE_ROUNDS, NULL, 0, NULL, NID_hmacWithSHA256);
    AUTO(X509_SIG)
    X509_SIG *sealed = info == NULL || method == NULL
                           ? NULL
                           : PKCS8_set0_pbe(passphrase.ptr, (int)passphrase.len, info, method);
    AUTO(BIO) BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    if (sealed == NULL || PEM_write_bio_PKCS8(bio, sealed) != 1)
        return crypto_err(err, "encrypting the key");
    long len = BIO_get_mem_data(bio, &text);
    *ret_pem = str_copy(arena, (str){ text, (size_t)len });
    return true;
}

/* Take the name, so that two that create at once do not both write. */
static bool claim(const char *path, mode_t mode, struct err *err)
{
    AUTO(fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0 && errno == EEXIST)
        return err_set(err, ERR_REFUSED, "%s is there already and is not written over", path);
    return fd >= 0 || err_errno(err, "create %s", path);
}

static bool write_pair(struct arena *arena, const struct local_spec *spec, EVP_PKEY *key,
                       const struct cert *cert, struct err *err)
{
    struct io_owner secret = { (uid_t)-1, (gid_t)-1, 0600 };
    struct io_owner open_to_all = { (uid_t)-1, (gid_t)-1, 0644 };
    str pem;
    if (!seal_key(arena, key, spec->passphrase, &pem, err) ||
        !io_make_dirs(io_dir_of(arena, str_c(spec->certificate_path)).ptr, 0755, err) ||
        !io_make_dirs(io_dir_of(arena, str_c(spec->key_path)).ptr, 0755, err) ||
        !claim(spec->certificate_path, 0644, err))
        return false;
    bool claimed = claim(spec->key_path, 0600, err);
    if (claimed && io_replace(spec->key_path, pem, secret, err) &&
        io_replace(spec->certificate_path, cert_pem(arena, cert), open_to_all, err))
        return true;
    unlink(spec->certificate_path);
    if (claimed)
        unlink(spec->key_path);
    return false;
}

bool local_create(struct arena *arena, const struct local_spec *spec, struct cert *ret_cert,
                  struct err *err)
{
    if (spec->passphrase.len == 0 || spec->name.len == 0)
        return err_set(err, ERR_USAGE, "a CA needs a name and a passphrase");
    AUTO(EVP_PKEY)
    EVP_PKEY *key = spec->key == LOCAL_KEY_EC_P256
                        ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")
                        : EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)3072);
    if (key == NULL)
        return crypto_err(err, "making a key");
    struct cert cert;
    if (!make_root(arena, spec, key, &cert, err) || !write_pair(arena, spec, key, &cert, err))
        return false;
    *ret_cert = cert;
    return true;
}
