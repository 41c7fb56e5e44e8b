/* SPDX-License-Identifier: Apache-2.0 */
#include "store/key.h"

#include "base/io.h"
#include "store/store_test.h"
#include "tests/test.h"
#include "x509/auto.h"

#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>

TEST(keys_of_every_kind_open_with_their_password_and_only_with_it)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki ec = pki_make(&arena, &(struct pki_spec){ .name = "a" });
    struct pki rsa = pki_make(&arena, &(struct pki_spec){ .name = "b", .rsa_bits = 2048 });
    const struct pki *owners[] = { &ec, &rsa };
    for (size_t i = 0; i < 2; i++) {
        const struct pki *pki = owners[i];
        str plain[] = { pki->key_pem, pki->key_der, pki_key_pem_traditional(&arena, pki) };
        for (size_t j = 0; j < COUNT(plain); j++) {
            struct store store = parsed(&arena, plain[j], (str){ 0 });
            check_int(store.findings.count, 0);
            check_str(store.entries.items[0].key_spki_sha256, pki->cert.spki_sha256);
            check_str(store.entries.items[0].key_type, pki->cert.key_type);
            check(!store.entries.items[0].encrypted);
        }
        for (int traditional = 0; traditional < 2; traditional++) {
            str sealed = pki_key_pem_encrypted(&arena, pki, "right", traditional == 1);
            struct store locked = parsed(&arena, sealed, (str){ 0 });
            check(locked.findings.count == 0 && locked.entries.items[0].encrypted);
            check_int(locked.entries.items[0].key_spki_sha256.len, 0);
            struct store wrong = parsed(&arena, sealed, S("wrong"));
            only_finding(&wrong, FINDING_keystore_password_wrong);
            struct store empty = parsed(&arena, sealed, S(""));
            only_finding(&empty, FINDING_keystore_password_wrong);
            struct store right = parsed(&arena, sealed, S("right"));
            check_str(right.entries.items[0].key_spki_sha256, pki->cert.spki_sha256);
            check(right.entries.items[0].encrypted);
        }
    }
}

/* An encrypted PKCS#8 that asks for this many rounds; what it holds is not a key. */
static str sealed_with_rounds(struct arena *arena, int rounds)
{
    unsigned char salt[8] = { 1 }, iv[16] = { 2 }, *der = NULL;
    X509_SIG *sealed = X509_SIG_new();
    X509_ALGOR *into = NULL, *made = PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), rounds, salt,
                                                       sizeof(salt), iv, NID_hmacWithSHA256);
    ASN1_OCTET_STRING *digest = NULL;
    check(sealed != NULL && made != NULL);
    X509_SIG_getm(sealed, &into, &digest);
    check(X509_ALGOR_copy(into, made) == 1 && ASN1_OCTET_STRING_set(digest, salt, 8) == 1);
    int len = i2d_X509_SIG(sealed, &der);
    check(len > 0);
    str copy = str_copy(arena, (str){ (const char *)der, (size_t)len });
    OPENSSL_free(der);
    X509_ALGOR_free(made);
    X509_SIG_free(sealed);
    return copy;
}

TEST(a_key_that_asks_for_too_many_rounds_is_not_tried)
{
    AUTO(arena) struct arena arena = { 0 };
    // clang-format off
    static const struct {
        int rounds;
        const char *password;
        enum key_outcome outcome;
    } cases[] = {
        { 2048, "x", KEY_WRONG_PASSWORD },
        { KEY_ROUNDS_MAX + 1, "x", KEY_TOO_COSTLY },
        { INT_MAX, "x", KEY_TOO_COSTLY },
        { KEY_ROUNDS_MAX + 1, NULL, KEY_LOCKED },
    };
    // clang-format on
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(EVP_PKEY) EVP_PKEY *key = NULL;
        str password = cases[i].password == NULL ? (str){ 0 } : str_c(cases[i].password);
        str der = sealed_with_rounds(&arena, cases[i].rounds);
        check_int(key_of_der(der, password, &key), cases[i].outcome);
        check(key == NULL);
    }
    struct store store = parsed(&arena, sealed_with_rounds(&arena, INT_MAX), S("x"));
    check_str(only_finding(&store, FINDING_keystore_password_wrong)->text,
              S("the key asks for too many rounds of derivation"));
}

TEST(keys_follow_their_own_password_when_a_file_holds_several)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki one = pki_make(&arena, &(struct pki_spec){ .name = "db1" });
    struct pki two = pki_make(&arena, &(struct pki_spec){ .name = "db2" });
    str text = str_printf(&arena, "%s%s%s", one.key_pem.ptr, two.pem.ptr,
                          pki_key_pem_encrypted(&arena, &two, "right", false).ptr);
    struct store store = parsed(&arena, text, S("right"));
    const struct entry *at = store.entries.items;
    check_int(store.findings.count, 0);
    check_int(store.entries.count, 3);
    check(!at[0].encrypted && at[0].cert == NULL);
    check_str(at[0].key_spki_sha256, one.cert.spki_sha256);
    check(at[2].encrypted && at[2].cert == at[1].cert);
}

TEST(what_is_no_key_is_malformed)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1" });
    str cases[] = {
        S(""), leaf.cert.der, (str){leaf.key_der.ptr, leaf.key_der.len - 1},
        str_printf(&arena, "\x30%s", "x")
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(EVP_PKEY) EVP_PKEY *key = NULL;
        check_int(key_of_der(cases[i], S("x"), &key), KEY_MALFORMED);
        check(key == NULL);
    }
}

TEST(a_key_is_loaded_from_a_file_or_the_file_says_why_not)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1" });
    char dir[] = "/tmp/reseal-key-XXXXXX";
    check(mkdtemp(dir) != NULL);
    const char *path = str_printf(&arena, "%s/key.pem", dir).ptr;
    str sealed = pki_key_pem_encrypted(&arena, &leaf, "right", false);
    str old = pki_key_pem_encrypted(&arena, &leaf, "right", true);
    // clang-format off
    const struct {
        str content, password;
        const char *why; /* NULL: it loads */
        enum err_kind kind;
    } cases[] = {
        { leaf.key_pem, { 0 }, NULL, 0 },
        { leaf.key_der, { 0 }, NULL, 0 },
        { str_printf(&arena, "%s%s", leaf.pem.ptr, leaf.key_pem.ptr), S("unused"), NULL, 0 },
        { sealed, S("right"), NULL, 0 },
        { old, S("right"), NULL, 0 },
        { sealed, { 0 }, "the key is encrypted and no password was given", ERR_PASSWORD },
        { old, { 0 }, "the key is encrypted and no password was given", ERR_PASSWORD },
        { sealed, S("wrong"), "the password does not open the key", ERR_PASSWORD },
        { old, S("wrong"), "the password does not open the key", ERR_PASSWORD },
        { sealed_with_rounds(&arena, INT_MAX), S("x"),
          "the key asks for more than 10000000 rounds of derivation", ERR_REFUSED },
        { leaf.pem, { 0 }, "no private key that can be read", ERR_FORMAT },
        { S(""), { 0 }, "no private key that can be read", ERR_FORMAT },
    };
    // clang-format on
    struct io_owner owner = { (uid_t)-1, (gid_t)-1, 0600 };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(EVP_PKEY) EVP_PKEY *key = NULL;
        check_ok(io_replace(path, cases[i].content, owner, &err), &err);
        bool loaded = key_load(path, cases[i].password, &key, &err);
        check(loaded == (cases[i].why == NULL) && loaded == (key != NULL));
        if (loaded)
            continue;
        check_int(err.kind, cases[i].kind);
        check_str(str_c(err.msg), str_printf(&arena, "%s: %s", path, cases[i].why));
    }
    check(unlink(path) == 0 && rmdir(dir) == 0);
    EVP_PKEY *key = NULL;
    check(!key_load(path, (str){ 0 }, &key, &err));
}
