/* SPDX-License-Identifier: Apache-2.0 */
/* auto.h - the OpenSSL handles we hold, each with its own release. */
#ifndef X509_AUTO_H
#define X509_AUTO_H

#include "base/auto.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

DEFINE_AUTO(X509, X509 *, X509_free(*handle))
DEFINE_AUTO(X509_CRL, X509_CRL *, X509_CRL_free(*handle))
DEFINE_AUTO(X509_EXTENSION, X509_EXTENSION *, X509_EXTENSION_free(*handle))
DEFINE_AUTO(X509_REQ, X509_REQ *, X509_REQ_free(*handle))
DEFINE_AUTO(X509_STORE, X509_STORE *, X509_STORE_free(*handle))
DEFINE_AUTO(X509_STORE_CTX, X509_STORE_CTX *, X509_STORE_CTX_free(*handle))
DEFINE_AUTO(EVP_PKEY, EVP_PKEY *, EVP_PKEY_free(*handle))
DEFINE_AUTO(EVP_PKEY_CTX, EVP_PKEY_CTX *, EVP_PKEY_CTX_free(*handle))
DEFINE_AUTO(BIO, BIO *, BIO_free_all(*handle))
DEFINE_AUTO(SSL_CTX, SSL_CTX *, SSL_CTX_free(*handle))
DEFINE_AUTO(SSL, SSL *, SSL_free(*handle))
DEFINE_AUTO(openssl_bytes, unsigned char *, OPENSSL_free(*handle))

#endif
