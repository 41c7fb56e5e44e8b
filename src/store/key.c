/* SPDX-License-Identifier: Apache-2.0 */
#include "store/key.h"

#include "base/io.h"
#include "store/der.h"
#include "x509/auto.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <string.h>

DEFINE_AUTO(X509_SIG, X509_SIG *, X509_SIG_free(*handle))
DEFINE_AUTO(PBE2PARAM, PBE2PARAM *, PBE2PARAM_free(*handle))
DEFINE_AUTO(PBKDF2PARAM, PBKDF2PARAM *, PBKDF2PARAM_free(*handle))
DEFINE_AUTO(PBEPARAM, PBEPARAM *, PBEPARAM_free(*handle))
DEFINE_AUTO(PKCS8, PKCS8_PRIV_KEY_INFO *, PKCS8_PRIV_KEY_INFO_free(*handle))

static int give_password(char *into, int size, int writing, void *context)
{
    const str *password = context;
    (void)writing;
    if (password->ptr == NULL || password->len > (size_t)size)
        return -1;
    if (password->len > 0)
        memcpy(into, password->ptr, password->len);
    return (int)password->len;
}

/* Rounds of the derivation that an encrypted PKCS#8 asks for; -1 when it cannot be told. */
static int64_t derivation_rounds(const X509_SIG *sealed)
{
    const X509_ALGOR *algorithm = NULL;
    const ASN1_INTEGER *rounds = NULL;
    AUTO(PBE2PARAM) PBE2PARAM *pbes2 = NULL;
    AUTO(PBKDF2PARAM) PBKDF2PARAM *pbkdf2 = NULL;
    AUTO(PBEPARAM) PBEPARAM *pbes1 = NULL;
    X509_SIG_get0(sealed, &algorithm, NULL);
    if (OBJ_obj2nid(algorithm->algorithm) != NID_pbes2) {
        pbes1 = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBEPARAM), algorithm->parameter);
        rounds = pbes1 == NULL ? NULL : pbes1->iter;
    } else {
        pbes2 = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), algorithm->parameter);
        /* Anything else is scrypt, whose cost OpenSSL itself bounds by its memory. */
        if (pbes2 != NULL && OBJ_obj2nid(pbes2->keyfunc->algorithm) != NID_id_pbkdf2)
            return 0;
        if (pbes2 != NULL)
            pbkdf2 =
                ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), pbes2->keyfunc->parameter);
        rounds = pbkdf2 == NULL ? NULL : pbkdf2->iter;
    }
    int64_t count = -1;
    return rounds != NULL && ASN1_INTEGER_get_int64(&count, rounds) == 1 ? count : -1;
}

static enum key_outcome open_sealed(const X509_SIG *sealed, str password, EVP_PKEY **ret_key)
{
    int64_t rounds = derivation_rounds(sealed);
    if (rounds < 0)
        return KEY_MALFORMED;
    if (password.ptr == NULL)
        return KEY_LOCKED;
    if (rounds > KEY_ROUNDS_MAX)
        return KEY_TOO_COSTLY;
    AUTO(PKCS8)
    PKCS8_PRIV_KEY_INFO *info =
        password.len > INT_MAX ? NULL : PKCS8_decrypt(sealed, password.ptr, (int)password.len);
    EVP_PKEY *key = info == NULL ? NULL : EVP_PKCS82PKEY(info);
    if (key == NULL)
        return KEY_WRONG_PASSWORD;
    *ret_key = key;
    return KEY_OPEN;
}

static enum key_outcome of_der(str der, str password, EVP_PKEY **ret_key)
{
    const unsigned char *at = (const unsigned char *)der.ptr, *end = at + der.len;
    AUTO(X509_SIG) X509_SIG *sealed = d2i_X509_SIG(NULL, &at, (long)der.len);
    if (sealed != NULL && at == end)
        return open_sealed(sealed, password, ret_key);
    at = (const unsigned char *)der.ptr;
    AUTO(EVP_PKEY) EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &at, (long)der.len);
    if (key == NULL || at != end)
        return KEY_MALFORMED;
    *ret_key = TAKE(key);
    return KEY_OPEN;
}

enum key_outcome key_of_der(str der, str password, EVP_PKEY **ret_key)
{
    enum key_outcome outcome = of_der(der, password, ret_key);
    ERR_clear_error();
    return outcome;
}

static enum key_outcome of_traditional(const struct pem_block *block, str password,
                                       EVP_PKEY **ret_key)
{
    AUTO(BIO) BIO *bio = BIO_new_mem_buf(block->text.ptr, (int)block->text.len);
    bool encrypted = str_find(block->body, S("ENCRYPTED")) < block->body.len;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, give_password, &password);
    if (key != NULL) {
        *ret_key = key;
        return KEY_OPEN;
    }
    if (!encrypted)
        return KEY_MALFORMED;
    return password.ptr == NULL ? KEY_LOCKED : KEY_WRONG_PASSWORD;
}

enum key_outcome key_of_pem(const struct pem_block *block, str password, EVP_PKEY **ret_key)
{
    AUTO(arena) struct arena secret = { .wipe = true };
    enum key_outcome outcome = KEY_MALFORMED;
    str der;
    size_t line;
    bool has_headers = str_find(block->body, S(":")) < block->body.len;
    if (has_headers && block->text.len <= INT_MAX)
        outcome = of_traditional(block, password, ret_key);
    else if (!has_headers && pem_decode(&secret, block, &der, &line))
        outcome = of_der(der, password, ret_key);
    ERR_clear_error();
    return outcome;
}

static enum key_outcome first_key(str bytes, str password, EVP_PKEY **ret_key)
{
    struct pem_reader reader = { .rest = bytes, .line = 1 };
    struct pem_block block;
    if (der_sniff(bytes))
        return key_of_der(bytes, password, ret_key);
    while (pem_next(&reader, &block))
        if (block.broken == NULL && pem_is_key(block.label))
            return key_of_pem(&block, password, ret_key);
    return KEY_MALFORMED;
}

bool key_load(const char *path, str password, EVP_PKEY **ret_key, struct err *err)
{
    AUTO(arena) struct arena secret = { .wipe = true };
    str bytes;
    if (!io_read(&secret, path, IO_FILE_MAX, &bytes, err))
        return false;
    switch (first_key(bytes, password, ret_key)) {
    case KEY_OPEN:
        return true;
    case KEY_LOCKED:
        return err_set(err, ERR_PASSWORD, "%s: the key is encrypted and no password was given",
                       path);
    case KEY_WRONG_PASSWORD:
        return err_set(err, ERR_PASSWORD, "%s: the password does not open the key", path);
    case KEY_TOO_COSTLY:
        return err_set(err, ERR_REFUSED, "%s: the key asks for more than %d rounds of derivation",
                       path, KEY_ROUNDS_MAX);
    case KEY_MALFORMED:
        break;
    }
    return err_set(err, ERR_FORMAT, "%s: no private key that can be read", path);
}

/* EVP_PKEY_get_default_digest_nid() has no answer for these two. */
const EVP_MD *key_digest(const EVP_PKEY *key)
{
    return EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448") ? NULL : EVP_sha256();
}
