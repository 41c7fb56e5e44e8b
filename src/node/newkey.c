/* SPDX-License-Identifier: Apache-2.0 */
#include "node/newkey.h"

#include "base/io.h"
#include "node/file.h"
#include "store/key.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>

DEFINE_AUTO(pkey, EVP_PKEY *, EVP_PKEY_free(*handle))
DEFINE_AUTO(bio, BIO *, BIO_free(*handle))
DEFINE_AUTO(req, X509_REQ *, X509_REQ_free(*handle))
DEFINE_AUTO(extension, X509_EXTENSION *, X509_EXTENSION_free(*handle))

static bool generate(const struct newkey_request *request, EVP_PKEY **ret_key, struct err *err)
{
    if (str_eq(request->type, S("EC")))
        *ret_key = EVP_EC_gen("P-256");
    else if (!str_eq(request->type, S("RSA")))
        return err_set(err, ERR_USAGE, "no key of type \"%.*s\" can be made here: EC or RSA",
                       STR_ARG(request->type));
    else if (request->bits < 2048 || request->bits > 8192)
        return err_set(err, ERR_USAGE, "an RSA key has 2048 to 8192 bits");
    else
        *ret_key = EVP_RSA_gen((unsigned)request->bits);
    return *ret_key != NULL || err_set(err, ERR_CRYPTO, "the key could not be made");
}

static bool key_write(str state, str apply, const struct newkey_request *request, EVP_PKEY *key,
                      struct err *err)
{
    AUTO(bio) BIO *bio = BIO_new(BIO_s_secmem());
    if (bio == NULL || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
        return err_set(err, ERR_CRYPTO, "the key could not be encoded");
    char *text;
    long len = BIO_get_mem_data(bio, &text);
    struct file_change change = { .state = state,
                                  .apply = apply,
                                  .path = request->path,
                                  .expects = S("absent"),
                                  .like = request->like,
                                  .mode = 0600 };
    return file_write(&change, (str){ text, (size_t)len }, err);
}

static bool name_of(const struct newkey_request *request, X509_REQ *req)
{
    X509_NAME *name = X509_REQ_get_subject_name(req);
    if (request->subject_der.len == 0)
        return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                          (const unsigned char *)request->common_name.ptr,
                                          (int)request->common_name.len, -1, 0) == 1;
    const unsigned char *der = (const unsigned char *)request->subject_der.ptr;
    X509_NAME *subject = d2i_X509_NAME(NULL, &der, (long)request->subject_der.len);
    bool set = subject != NULL && X509_REQ_set_subject_name(req, subject) == 1;
    X509_NAME_free(subject);
    return set;
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

static bool add_names(struct arena *arena, const str_list *san, X509_REQ *req, struct err *err)
{
    struct buf value = { 0 };
    if (san->count == 0)
        return true;
    for (size_t i = 0; i < san->count; i++) {
        if (!san_is_plain(san->items[i]))
            return err_set(err, ERR_USAGE, "\"%.*s\" is no name for a certificate",
                           STR_ARG(san->items[i]));
        buf_printf(arena, &value, "%s%.*s", i == 0 ? "" : ",", STR_ARG(san->items[i]));
    }
    AUTO(extension)
    X509_EXTENSION *extension =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, buf_str(&value).ptr);
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    bool added = extension != NULL && extensions != NULL &&
                 sk_X509_EXTENSION_push(extensions, extension) > 0 &&
                 X509_REQ_add_extensions(req, extensions) == 1;
    sk_X509_EXTENSION_free(extensions);
    return added || err_set(err, ERR_CRYPTO, "the request's names could not be encoded");
}

static bool encode(struct arena *arena, const struct newkey_request *request, EVP_PKEY *key,
                   struct newkey *ret_key, struct err *err)
{
    AUTO(req) X509_REQ *req = X509_REQ_new();
    if (req == NULL || X509_REQ_set_version(req, X509_REQ_VERSION_1) != 1 ||
        !name_of(request, req) || X509_REQ_set_pubkey(req, key) != 1)
        return err_set(err, ERR_CRYPTO, "the request's subject or key could not be encoded");
    if (!add_names(arena, &request->san, req, err))
        return false;
    unsigned char *der = NULL, *spki = NULL;
    int der_len = X509_REQ_sign(req, key, EVP_sha256()) > 0 ? i2d_X509_REQ(req, &der) : -1;
    int spki_len = i2d_PUBKEY(key, &spki);
    bool encoded = der_len > 0 && spki_len > 0;
    if (encoded) {
        ret_key->request_der = str_copy(arena, (str){ (char *)der, (size_t)der_len });
        ret_key->spki_der = str_copy(arena, (str){ (char *)spki, (size_t)spki_len });
    }
    OPENSSL_free(der);
    OPENSSL_free(spki);
    if (!encoded)
        return err_set(err, ERR_CRYPTO, "the request could not be signed");
    return key_spki_sha256(arena, key, &ret_key->spki_sha256, err);
}

bool newkey_make(struct arena *arena, str state, str apply, const struct newkey_request *request,
                 struct newkey *ret_key, struct err *err)
{
    AUTO(pkey) EVP_PKEY *key = NULL;
    str there;
    if (!file_state(arena, request->path, &there, err))
        return false;
    if (!str_eq(there, S("absent"))) {
        if (!key_load(str_cstr(arena, request->path), (str){ 0 }, &key, err))
            return false;
    } else if (!generate(request, &key, err) || !key_write(state, apply, request, key, err)) {
        return false;
    }
    return encode(arena, request, key, ret_key, err);
}

bool newkey_matches(str chain_pem, str key_path, struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(pkey) EVP_PKEY *key = NULL;
    struct store_options options = { .now = clock_now() };
    struct store store;
    str spki;
    store_parse(&arena, S("the new certificate"), chain_pem, &options, &store);
    if (store.entries.count == 0 || store.entries.items[0].kind != ENTRY_TRUSTED)
        return err_set(err, ERR_FORMAT, "no certificate to install");
    if (!key_load(str_cstr(&arena, key_path), (str){ 0 }, &key, err) ||
        !key_spki_sha256(&arena, key, &spki, err))
        return false;
    return str_eq(spki, store.entries.items[0].cert->spki_sha256) ||
           err_set(err, ERR_REFUSED, "the certificate does not belong to the key at %.*s",
                   STR_ARG(key_path));
}
