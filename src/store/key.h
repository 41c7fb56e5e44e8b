/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key.h - private keys, opened only for as long as they are used.
 *
 * PKCS#8 plain and encrypted (RFC 5958, RFC 8018), PKCS#1 and SEC 1, and OpenSSL's traditional
 * encryption with a DEK-Info header. Nothing here ever asks on a terminal.
 */
#ifndef STORE_KEY_H
#define STORE_KEY_H

#include "store/outcome.h"
#include "store/pem.h"

#include <openssl/evp.h>

/* `password` with ptr NULL means that none was given. On KEY_OPEN the caller owns *ret_key. */
enum key_outcome key_of_pem(const struct pem_block *block, str password, EVP_PKEY **ret_key);
enum key_outcome key_of_der(str der, str password, EVP_PKEY **ret_key);

/* The first private key in the file at `path`, for signing or a handshake; the caller owns it. */
MUST_CHECK bool key_load(const char *path, str password, EVP_PKEY **ret_key, struct err *err);

/* What a signature with the key is made with; NULL where that is a part of the key's algorithm
   (Ed25519 and Ed448: RFC 8410, 6). */
const EVP_MD *key_digest(const EVP_PKEY *key);

#endif
