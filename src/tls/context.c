/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/context.h"

#include "store/key.h"
#include "x509/auto.h"
#include "x509/name.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>

static bool crypto_error(struct err *err, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    err_set(err, ERR_CRYPTO, "%s: %s", what, reason == NULL ? "unknown reason" : reason);
    ERR_clear_error();
    return false;
}

static int no_password(char *space, int size, int writing, void *data)
{
    (void)space, (void)size, (void)writing, (void)data;
    return -1;
}

static BIO *pem_bio(str pem)
{
    return pem.len > INT_MAX ? NULL : BIO_new_mem_buf(pem.len == 0 ? "" : pem.ptr, (int)pem.len);
}

/* Whether the PEM reader stopped because nothing was left, and not at a broken block. */
static bool at_end(void)
{
    unsigned long code = ERR_peek_last_error();
    bool end = ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
    if (end)
        ERR_clear_error();
    return end;
}

static bool load_anchors(struct arena *arena, str pem, SSL_CTX *context, context_anchors *anchors,
                         struct err *err)
{
    AUTO(BIO) BIO *bio = pem_bio(pem);
    if (bio == NULL)
        return crypto_error(err, "trust anchors");
    for (;;) {
        AUTO(X509) X509 *x509 = PEM_read_bio_X509_AUX(bio, NULL, no_password, NULL);
        if (x509 == NULL)
            return at_end() || crypto_error(err, "trust anchors");
        struct cert cert;
        if (!cert_of_x509(arena, x509, &cert, err))
            return err_wrap(err, "trust anchors");
        if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), x509) != 1)
            return crypto_error(err, "trust anchors");
        list_push(arena, anchors) = cert;
    }
}

static bool load_chain(str pem, SSL_CTX *context, struct err *err)
{
    AUTO(BIO) BIO *bio = pem_bio(pem);
    if (bio == NULL)
        return crypto_error(err, "client certificate");
    for (size_t count = 0;; count++) {
        AUTO(X509) X509 *x509 = PEM_read_bio_X509(bio, NULL, no_password, NULL);
        if (x509 == NULL && at_end())
            return count > 0 ||
                   err_set(err, ERR_FORMAT, "client certificate: there is none in the text given");
        if (x509 == NULL || (count == 0 ? SSL_CTX_use_certificate(context, x509)
                                        : (int)SSL_CTX_add1_chain_cert(context, x509)) != 1)
            return crypto_error(err, "client certificate");
    }
}

static bool load_identity(struct arena *arena, const struct probe_request *request,
                          SSL_CTX *context, struct err *err)
{
    AUTO(EVP_PKEY) EVP_PKEY *key = NULL;
    if (!load_chain(request->certificate_pem, context, err))
        return false;
    if (!key_load(str_cstr(arena, request->key_path), request->key_password, &key, err))
        return err_wrap(err, "client key");
    ERR_clear_error();
    if (SSL_CTX_use_PrivateKey(context, key) != 1)
        return crypto_error(err, "client key");
    return true;
}

bool context_make(struct arena *arena, const struct probe_request *request, SSL_CTX **ret_context,
                  context_anchors *ret_anchors, struct err *err)
{
    ERR_clear_error();
    *ret_anchors = (context_anchors){ 0 };
    AUTO(SSL_CTX) SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL)
        return crypto_error(err, "TLS");
    /* Without it OpenSSL would complete our chain from the anchors and hide a missing link. */
    SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    if ((request->min_version != 0 &&
         SSL_CTX_set_min_proto_version(context, request->min_version) != 1) ||
        (request->max_version != 0 &&
         SSL_CTX_set_max_proto_version(context, request->max_version) != 1))
        return err_set(err, ERR_USAGE, "not a TLS version that OpenSSL has");
    if (!load_anchors(arena, request->trust_pem, context, ret_anchors, err))
        return false;
    if (request->certificate_pem.len > 0 && !load_identity(arena, request, context, err))
        return false;
    *ret_context = TAKE(context);
    return true;
}

bool context_set_name(struct arena *arena, const struct probe_request *request, SSL *ssl,
                      struct err *err)
{
    str name = request->name.len > 0 ? request->name : request->host;
    const char *text = str_cstr(arena, name);
    char space[NAME_IP_MAX];
    bool ip = name_ip(space, name).len > 0;
    bool full = request->verify == PROBE_VERIFY_FULL;
    /* An address is not sent as SNI (RFC 6066, 3). */
    if (!ip && SSL_set_tlsext_host_name(ssl, text) != 1)
        return err_set(err, ERR_USAGE, "\"%s\" is not a name", text);
    if (!full)
        return true;
    if ((ip ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), text)
            : SSL_set1_host(ssl, text)) != 1)
        return err_set(err, ERR_USAGE, "\"%s\" is not a name", text);
    return true;
}
