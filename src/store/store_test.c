/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include "base/io.h"
#include "store/key.h"
#include "tests/pki.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct store parse(struct arena *arena, str bytes, str password)
{
    struct store store;
    struct store_options options = { .password = password,
                                     .now = PKI_NOW,
                                     .renew_before = 30 * PKI_DAY };
    store_parse(arena, S("file"), bytes, &options, &store);
    return store;
}

static const struct finding *only(const struct store *store, enum finding_code code)
{
    if (store->findings.count != 1 || store->findings.items[0].code != code)
        fail_msg("%zu findings, the first: %s", store->findings.count,
                 store->findings.count > 0 ? store->findings.items[0].text.ptr : "");
    return &store->findings.items[0];
}

TEST(a_bundle_is_read_with_any_text_around_its_blocks)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki root = pki_make(&arena, &(struct pki_spec){ .name = "Root", .ca = true });
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1", .issuer = &root });
    str text = str_printf(&arena, "Bag Attributes\n%s\nnote: x\n%s%s%s", leaf.key_pem.ptr,
                          leaf.pem.ptr, root.pem.ptr, pki_request_pem(&arena, &leaf).ptr);
    struct store store = parse(&arena, text, (str){ 0 });
    assert_string_equal(store.format, "pem");
    check_int(store.findings.count, 0);
    check_int(store.entries.count, 4);
    const struct entry *at = store.entries.items;
    check(at[0].kind == ENTRY_KEY && !at[0].encrypted && at[0].line == 2);
    check_str(at[0].cert->sha256, leaf.cert.sha256);
    check_str(at[1].cert->subject, S("CN=db1"));
    check(at[2].kind == ENTRY_TRUSTED && at[3].kind == ENTRY_REQUEST && at[3].der.len > 0);
    check_str(at[3].alias, S("4"));
}

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
            struct store store = parse(&arena, plain[j], (str){ 0 });
            check_int(store.findings.count, 0);
            check_str(store.entries.items[0].key_spki_sha256, pki->cert.spki_sha256);
            check_str(store.entries.items[0].key_type, pki->cert.key_type);
        }
        for (int traditional = 0; traditional < 2; traditional++) {
            str sealed = pki_key_pem_encrypted(&arena, pki, "right", traditional == 1);
            struct store locked = parse(&arena, sealed, (str){ 0 });
            check(locked.findings.count == 0 && locked.entries.items[0].encrypted);
            check_int(locked.entries.items[0].key_spki_sha256.len, 0);
            struct store wrong = parse(&arena, sealed, S("wrong"));
            only(&wrong, FINDING_keystore_password_wrong);
            struct store right = parse(&arena, sealed, S("right"));
            check_str(right.entries.items[0].key_spki_sha256, pki->cert.spki_sha256);
            check(right.entries.items[0].encrypted);
        }
    }
}

TEST(a_block_that_is_corrupt_is_named_by_line_and_byte_and_the_rest_is_read)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1" });
    static const struct {
        const char *bad, *text;
    } cases[] = {
        {"-----BEGIN CERTIFICATE-----\nAAAA\n*\n-----END CERTIFICATE-----\n",
         "the CERTIFICATE block at line 2 (byte 2) is not base64 at line 4"                 },
        { "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
         "the CERTIFICATE block at line 2 (byte 2) does not decode"                         },
        { "-----BEGIN CERTIFICATE-----\nAAAA\n",
         "the CERTIFICATE block at line 2 (byte 2) has no END line"                         },
        { "-----BEGIN X509 CRL-----\nAAAA\n-----END CERTIFICATE-----\n",
         "the X509 CRL block at line 2 (byte 2) ends with another label than it begins with"},
        { "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
         "the PRIVATE KEY block at line 2 (byte 2) does not decode"                         },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct store store =
            parse(&arena, str_printf(&arena, "#\n%s%s", cases[i].bad, leaf.pem.ptr), (str){ 0 });
        check_str(only(&store, FINDING_keystore_format)->text, str_c(cases[i].text));
        check_int(store.entries.count, 1);
    }
    struct store empty = parse(&arena, S(""), (str){ 0 });
    check_str(only(&empty, FINDING_keystore_format)->text, S("the file is empty"));
}

TEST(der_holds_one_value_and_what_follows_it_is_reported)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1" });
    struct store store = parse(&arena, leaf.cert.der, (str){ 0 });
    assert_string_equal(store.format, "der");
    check(store.findings.count == 0 && store.entries.count == 1);
    struct buf buf = { 0 };
    buf_add(&arena, &buf, leaf.cert.der);
    buf_add(&arena, &buf, S("xy"));
    store = parse(&arena, buf_str(&buf), (str){ 0 });
    only(&store, FINDING_keystore_format);
    check_int(store.entries.count, 1);
}

TEST(what_is_wrong_with_a_content_is_found)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki root = pki_make(&arena, &(struct pki_spec){ .name = "Root", .ca = true });
    struct pki brief = pki_make(
        &arena,
        &(struct pki_spec){ .name = "Brief", .ca = true, .not_after = PKI_NOW + 60 * PKI_DAY });
    struct pki mid =
        pki_make(&arena, &(struct pki_spec){ .name = "Mid", .ca = true, .issuer = &root });
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1", .issuer = &mid });
    struct pki old = pki_make(
        &arena, &(struct pki_spec){ .name = "o", .not_before = 1, .not_after = PKI_NOW - 1 });
    struct pki soon =
        pki_make(&arena, &(struct pki_spec){ .name = "s", .not_after = PKI_NOW + PKI_DAY });
    struct pki weak = pki_make(&arena, &(struct pki_spec){ .name = "w", .rsa_bits = 1024 });
    struct pki sha1 =
        pki_make(&arena, &(struct pki_spec){ .name = "h", .issuer = &root, .digest = "SHA1" });
    struct pki long_one = pki_make(&arena, &(struct pki_spec){ .name = "l", .issuer = &brief });
    const struct {
        enum finding_code code;
        const char *first, *second, *third;
    } cases[] = {
        {FINDING_expired,                old.pem.ptr,      "",            ""         },
        { FINDING_expiring,              soon.pem.ptr,     "",            ""         },
        { FINDING_weak_key,              weak.pem.ptr,     "",            ""         },
        { FINDING_weak_key,              sha1.pem.ptr,     "",            ""         },
        { FINDING_duplicate_certificate, leaf.pem.ptr,     leaf.pem.ptr,  ""         },
        { FINDING_key_mismatch,          leaf.key_pem.ptr, root.pem.ptr,  ""         },
        { FINDING_chain_out_of_order,    leaf.pem.ptr,     root.pem.ptr,  mid.pem.ptr},
        { FINDING_chain_out_of_order,    mid.pem.ptr,      leaf.pem.ptr,  ""         },
        { FINDING_leaf_outlives_issuer,  long_one.pem.ptr, brief.pem.ptr, ""         },
        { FINDING_text_encoding,         "\xEF\xBB\xBF",   leaf.pem.ptr,  ""         },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        str text = str_printf(&arena, "%s%s%s", cases[i].first, cases[i].second, cases[i].third);
        struct store store = parse(&arena, text, (str){ 0 });
        only(&store, cases[i].code);
    }
    str good = str_printf(&arena, "%s%s%s", leaf.pem.ptr, mid.pem.ptr, root.pem.ptr);
    check_int(parse(&arena, good, (str){ 0 }).findings.count, 0);
}

TEST(a_key_file_that_others_can_read_is_reported_and_a_key_is_loaded_from_it)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1" });
    char dir[] = "/tmp/reseal-store-XXXXXX";
    check(mkdtemp(dir) != NULL);
    const char *path = str_printf(&arena, "%s/key.pem", dir).ptr;
    struct io_owner owner = { (uid_t)-1, (gid_t)-1, 0604 };
    struct store_options options = { .now = PKI_NOW };
    struct store store;
    check_ok(io_replace(path, leaf.key_pem, owner, &err), &err);
    check_ok(store_read(&arena, path, &options, &store, &err), &err);
    check_str(only(&store, FINDING_loose_permissions)->text, S("the private key has mode 0604"));
    check(chmod(path, 0600) == 0);
    check_ok(store_read(&arena, path, &options, &store, &err), &err);
    check_int(store.findings.count, 0);
    EVP_PKEY *key = NULL;
    check_ok(key_load(path, (str){ 0 }, &key, &err), &err);
    EVP_PKEY_free(key);
    str sealed = pki_key_pem_encrypted(&arena, &leaf, "right", false);
    check_ok(io_replace(path, sealed, owner, &err), &err);
    check(!key_load(path, (str){ 0 }, &key, &err) && err.kind == ERR_PASSWORD);
    check(!key_load(path, S("wrong"), &key, &err) && err.kind == ERR_PASSWORD);
    check(unlink(path) == 0 && rmdir(dir) == 0);
}
