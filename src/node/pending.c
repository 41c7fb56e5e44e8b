/* SPDX-License-Identifier: Apache-2.0 */
#include "node/pending.h"

#include "base/io.h"
#include "store/key.h"
#include "store/store.h"
#include "x509/auto.h"

#include <errno.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

enum { RSA_BITS_MIN = 2048, GROUP_NAME_MAX = 64, CHAIN_MAX = 1024 * 1024 };

DEFINE_AUTO(extension, X509_EXTENSION *, X509_EXTENSION_free(*handle))

static const struct io_owner ours_alone = { (uid_t)-1, (gid_t)-1, 0600 };

static bool path_of(struct arena *arena, const struct pending_place *place, const char *ending,
                    str *ret_path, struct err *err)
{
    if (!str_is_hex(place->step, 16))
        return err_set(err, ERR_FORMAT, "\"%.*s\" is not a step's id", STR_ARG(place->step));
    *ret_path = str_printf(arena, "%.*s/pending/%.*s%s", STR_ARG(place->state),
                           STR_ARG(place->step), ending);
    return true;
}

/* A file with its key may begin with that. */
static bool parse_leaf(struct arena *arena, str chain_pem, struct cert *ret_leaf, struct err *err)
{
    struct store_options options = { .now = clock_now() };
    struct store store;
    store_parse(arena, S("the new certificate"), chain_pem, &options, &store);
    for (size_t i = 0; i < store.entries.count; i++) {
        if (store.entries.items[i].kind != ENTRY_TRUSTED)
            continue;
        *ret_leaf = *store.entries.items[i].cert;
        return true;
    }
    return err_set(err, ERR_FORMAT, "no certificate in what was issued");
}

bool pending_read(struct arena *arena, const struct pending_place *place,
                  struct pending *ret_pending, struct err *err)
{
    str key, certificate;
    *ret_pending = (struct pending){ 0 };
    if (!path_of(arena, place, ".key", &key, err) ||
        !path_of(arena, place, ".crt", &certificate, err))
        return false;
    ret_pending->has_key = access(key.ptr, F_OK) == 0;
    if (access(certificate.ptr, F_OK) < 0)
        return errno == ENOENT || err_errno(err, "%s", certificate.ptr);
    ret_pending->has_certificate = true;
    return io_read(arena, certificate.ptr, CHAIN_MAX, &ret_pending->chain_pem, err) &&
           parse_leaf(arena, ret_pending->chain_pem, &ret_pending->leaf, err);
}

/* A key of the kind that the certificate has now: a client that could use the old one can use it.
 */
static EVP_PKEY *generate(const struct cert *like)
{
    AUTO(X509) X509 *x509 = cert_x509(like);
    EVP_PKEY *old = x509 == NULL ? NULL : X509_get0_pubkey(x509);
    char group[GROUP_NAME_MAX] = "P-256";
    size_t len;
    if (old != NULL && EVP_PKEY_is_a(old, "RSA")) {
        int bits = EVP_PKEY_get_bits(old);
        return EVP_RSA_gen((unsigned)(bits < RSA_BITS_MIN ? RSA_BITS_MIN : bits));
    }
    if (old != NULL && (EVP_PKEY_is_a(old, "ED25519") || EVP_PKEY_is_a(old, "ED448")))
        return EVP_PKEY_Q_keygen(NULL, NULL, EVP_PKEY_get0_type_name(old));
    if (old != NULL && EVP_PKEY_is_a(old, "EC"))
        (void)EVP_PKEY_get_group_name(old, group, sizeof(group), &len);
    return EVP_EC_gen(group);
}

static bool write_key(const struct pending_place *place, const char *path, EVP_PKEY *key,
                      struct err *err)
{
    AUTO(BIO) BIO *bio = BIO_new(BIO_s_secmem());
    const EVP_CIPHER *cipher = place->password.ptr == NULL ? NULL : EVP_aes_256_cbc();
    if (bio == NULL || PEM_write_bio_PKCS8PrivateKey(bio, key, cipher, place->password.ptr,
                                                     (int)place->password.len, NULL, NULL) != 1)
        return err_set(err, ERR_CRYPTO, "the key could not be encoded");
    char *text;
    long len = BIO_get_mem_data(bio, &text);
    return io_replace(path, (str){ text, (size_t)len }, ours_alone, err);
}

static bool new_key(struct arena *arena, const struct pending_place *place, const struct cert *like,
                    EVP_PKEY **ret_key, struct err *err)
{
    AUTO(EVP_PKEY) EVP_PKEY *key = NULL;
    str path;
    if (!path_of(arena, place, ".key", &path, err) ||
        !io_make_dirs(io_dir_of(arena, path).ptr, 0700, err))
        return false;
    if (access(path.ptr, F_OK) == 0)
        return key_load(path.ptr, place->password, ret_key, err);
    key = generate(like);
    if (key == NULL) {
        ERR_clear_error();
        return err_set(err, ERR_CRYPTO, "no key like %s could be made", like->key_type.ptr);
    }
    if (!write_key(place, path.ptr, key, err))
        return false;
    *ret_key = TAKE(key);
    return true;
}

/* OpenSSL's extension syntax has more than names in it ("@section", "email:copy"), so only plain
   names may pass. */
static bool san_is_plain(str san)
{
    static const char *const kinds[] = { "DNS:", "IP:", "email:", "URI:" };
    bool known = false;
    for (size_t i = 0; i < COUNT(kinds); i++)
        known = known || str_starts(san, str_c(kinds[i]));
    for (size_t i = 0; i < san.len; i++)
        if (san.ptr[i] <= ' ' || san.ptr[i] == ',' || san.ptr[i] == ';' || san.ptr[i] == '"')
            return false;
    return known && !str_eq(san, S("email:copy")) && !str_eq(san, S("email:move"));
}

static bool add_names(struct arena *arena, const str_list *san, X509_REQ *req)
{
    struct buf value = { 0 };
    buf_add(arena, &value, S(""));
    for (size_t i = 0; i < san->count; i++)
        if (san_is_plain(san->items[i]))
            buf_printf(arena, &value, "%s%.*s", value.bytes.count == 0 ? "" : ",",
                       STR_ARG(san->items[i]));
    if (value.bytes.count == 0)
        return true;
    AUTO(extension)
    X509_EXTENSION *extension =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, buf_str(&value).ptr);
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    bool added = extension != NULL && extensions != NULL &&
                 sk_X509_EXTENSION_push(extensions, extension) > 0 &&
                 X509_REQ_add_extensions(req, extensions) == 1;
    sk_X509_EXTENSION_free(extensions);
    return added;
}

static bool fill(struct arena *arena, X509_REQ *req, const struct cert *like, EVP_PKEY *key)
{
    AUTO(X509) X509 *x509 = cert_x509(like);
    return x509 != NULL && X509_REQ_set_version(req, X509_REQ_VERSION_1) == 1 &&
           X509_REQ_set_subject_name(req, X509_get_subject_name(x509)) == 1 &&
           X509_REQ_set_pubkey(req, key) == 1 && add_names(arena, &like->san, req) &&
           X509_REQ_sign(req, key, key_digest(key)) > 0;
}

bool pending_ask(struct arena *arena, const struct pending_place *place, const struct cert *like,
                 struct pending_request *ret_request, struct err *err)
{
    AUTO(EVP_PKEY) EVP_PKEY *key = NULL;
    AUTO(X509_REQ) X509_REQ *req = X509_REQ_new();
    bool loaded = place->new_key
                      ? new_key(arena, place, like, &key, err)
                      : key_load(str_cstr(arena, place->old_key), place->password, &key, err);
    if (!loaded)
        return false;
    AUTO(openssl_bytes) unsigned char *der = NULL;
    AUTO(openssl_bytes) unsigned char *spki = NULL;
    bool filled = req != NULL && fill(arena, req, like, key);
    int der_len = filled ? i2d_X509_REQ(req, &der) : -1;
    int spki_len = filled ? i2d_PUBKEY(key, &spki) : -1;
    if (der_len <= 0 || spki_len <= 0) {
        ERR_clear_error();
        return err_set(err, ERR_CRYPTO, "the request could not be made");
    }
    ret_request->request_der = str_copy(arena, (str){ (char *)der, (size_t)der_len });
    ret_request->spki_der = str_copy(arena, (str){ (char *)spki, (size_t)spki_len });
    return key_spki_sha256(arena, key, &ret_request->spki_sha256, err);
}

bool pending_matches(str chain_pem, str key_path, str password, struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(EVP_PKEY) EVP_PKEY *key = NULL;
    struct cert leaf;
    str spki;
    if (!parse_leaf(&arena, chain_pem, &leaf, err) ||
        !key_load(str_cstr(&arena, key_path), password, &key, err) ||
        !key_spki_sha256(&arena, key, &spki, err))
        return false;
    return str_eq(spki, leaf.spki_sha256) ||
           err_set(err, ERR_REFUSED, "%.*s does not belong to the key at %.*s",
                   STR_ARG(cert_label(&arena, &leaf)), STR_ARG(key_path));
}

bool pending_deliver(const struct pending_place *place, str chain_pem, struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    str key, certificate;
    if (!path_of(&arena, place, ".key", &key, err) ||
        !path_of(&arena, place, ".crt", &certificate, err) ||
        !io_make_dirs(io_dir_of(&arena, certificate).ptr, 0700, err))
        return false;
    return pending_matches(chain_pem, place->new_key ? key : place->old_key, place->password,
                           err) &&
           io_replace(certificate.ptr, chain_pem, ours_alone, err);
}

bool pending_key_bytes(struct arena *arena, const struct pending_place *place, str *ret_bytes,
                       struct err *err)
{
    str path;
    return path_of(arena, place, ".key", &path, err) &&
           io_read(arena, path.ptr, CHAIN_MAX, ret_bytes, err);
}

bool pending_drop_key(const struct pending_place *place, struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    str path;
    if (!path_of(&arena, place, ".key", &path, err))
        return false;
    if (unlink(path.ptr) < 0)
        return errno == ENOENT || err_errno(err, "remove %s", path.ptr);
    return io_sync_dir_of(path.ptr, err);
}
