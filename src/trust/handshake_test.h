/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handshake_test.h - a real handshake in memory, for tests that hold a verdict against OpenSSL's.
 */
#ifndef TRUST_HANDSHAKE_TEST_H
#define TRUST_HANDSHAKE_TEST_H

#include "tests/pki.h"
#include "tests/test.h"
#include "x509/auto.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

static inline void context_identity(SSL_CTX *context, const struct pki *leaf)
{
    AUTO(X509) X509 *x509 = cert_x509(&leaf->cert);
    AUTO(EVP_PKEY) EVP_PKEY *key = pki_key(leaf);
    check(SSL_CTX_use_certificate(context, x509) == 1);
    check(SSL_CTX_use_PrivateKey(context, key) == 1);
}

static inline void context_anchor(SSL_CTX *context, const struct pki *anchor)
{
    AUTO(X509) X509 *x509 = cert_x509(&anchor->cert);
    check(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), x509) == 1);
}

/* Run both ends until neither gets further; true when both have finished. */
static inline bool handshake(SSL *client, SSL *server)
{
    BIO *server_end = NULL, *client_end = NULL;
    check(BIO_new_bio_pair(&server_end, 1 << 16, &client_end, 1 << 16) == 1);
    SSL_set_bio(server, server_end, server_end);
    SSL_set_bio(client, client_end, client_end);
    SSL_set_accept_state(server);
    SSL_set_connect_state(client);
    for (int i = 0; i < 10; i++) {
        SSL_do_handshake(client);
        SSL_do_handshake(server);
    }
    ERR_clear_error();
    return SSL_is_init_finished(client) != 0 && SSL_is_init_finished(server) != 0;
}

#endif
