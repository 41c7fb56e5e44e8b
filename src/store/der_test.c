/* SPDX-License-Identifier: Apache-2.0 */
#include "store/der.h"

#include "store/pem.h"
#include "store/store_test.h"
#include "tests/test.h"

static str decoded(struct arena *arena, str pem)
{
    struct pem_reader reader = { .rest = pem, .line = 1 };
    struct pem_block block;
    str der = S("");
    size_t line;
    check(pem_next(&reader, &block) && pem_decode(arena, &block, &der, &line));
    return der;
}

TEST(the_length_of_a_sequence_is_told_only_when_all_of_it_is_there)
{
    // clang-format off
    static const struct {
        str bytes;
        size_t length;
    } cases[] = {
        { { "", 0 }, 0 },
        { { "\x30", 1 }, 0 },
        { { "\x30\x00", 2 }, 2 },
        { { "\x30\x01", 2 }, 0 },
        { { "\x30\x01x", 3 }, 3 },
        { { "\x30\x01xy", 4 }, 3 },
        { { "\x31\x01x", 3 }, 0 },                     /* a SET */
        { { "\x30\x81\x01x", 4 }, 4 },                 /* one octet of length */
        { { "\x30\x82\x00\x01x", 5 }, 5 },             /* two */
        { { "\x30\x80x", 3 }, 0 },                     /* indefinite: BER, not DER */
        { { "\x30\x85\x00\x00\x00\x00\x01x", 8 }, 0 }, /* more octets than any file needs */
        { { "\x30\x84\xff\xff\xff\xff", 6 }, 0 },
        { { "\x30\x82\x01", 3 }, 0 },
    };
    // clang-format on
    for (size_t i = 0; i < COUNT(cases); i++)
        check_int(der_length(cases[i].bytes), cases[i].length);
}

TEST(a_text_that_begins_with_a_zero_is_not_taken_for_der)
{
    check(!der_sniff(S("00 hello, this is a text that is longer than its second byte says it is")));
    check(!der_sniff(S("0")));
    check(der_sniff((str){ "\x30\x01x", 3 }));
}

TEST(each_kind_of_value_is_told_by_its_content)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1" });
    str request = decoded(&arena, pki_request_pem(&arena, &leaf));
    // clang-format off
    const struct {
        str der;
        enum entry_kind kind;
    } cases[] = {
        { leaf.cert.der, ENTRY_TRUSTED },
        { request, ENTRY_REQUEST },
        { leaf.key_der, ENTRY_KEY },
        { decoded(&arena, pki_key_pem_traditional(&arena, &leaf)), ENTRY_KEY },
    };
    // clang-format on
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct store store = parsed(&arena, cases[i].der, (str){ 0 });
        assert_string_equal(store.format, "der");
        check_int(store.findings.count, 0);
        check_int(store.entries.count, 1);
        check_int(store.entries.items[0].kind, cases[i].kind);
        check_int(store.entries.items[0].line, 0);
    }
    check(der_is_request(request) && !der_is_request(leaf.cert.der) && !der_is_crl(request));
}

TEST(what_follows_the_value_or_cuts_it_short_is_reported)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1" });
    struct buf buf = { 0 };
    buf_add(&arena, &buf, leaf.cert.der);
    buf_add(&arena, &buf, S("xy"));
    struct store store = parsed(&arena, buf_str(&buf), (str){ 0 });
    check_str(only_finding(&store, FINDING_keystore_format)->text,
              str_printf(&arena, "2 bytes follow the DER value that ends at byte %zu",
                         leaf.cert.der.len));
    check_int(store.entries.count, 1);
    store = parsed(&arena, (str){ leaf.cert.der.ptr, leaf.cert.der.len - 1 }, (str){ 0 });
    check_str(only_finding(&store, FINDING_keystore_format)->text,
              S("neither PEM nor DER, from byte 0 on"));
    check_int(store.entries.count, 0);
}

TEST(an_encrypted_key_opens_with_its_password_and_stays_an_entry_without)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1" });
    str sealed = decoded(&arena, pki_key_pem_encrypted(&arena, &leaf, "right", false));
    struct store locked = parsed(&arena, sealed, (str){ 0 });
    check(locked.findings.count == 0 && locked.entries.count == 1);
    check(locked.entries.items[0].encrypted && locked.entries.items[0].key_spki_sha256.len == 0);
    struct store wrong = parsed(&arena, sealed, S("wrong"));
    only_finding(&wrong, FINDING_keystore_password_wrong);
    check(wrong.entries.count == 1 && wrong.entries.items[0].encrypted);
    struct store right = parsed(&arena, sealed, S("right"));
    check(right.findings.count == 0 && right.entries.items[0].encrypted);
    check_str(right.entries.items[0].key_spki_sha256, leaf.cert.spki_sha256);
}

TEST(der_of_another_kind_is_one_finding)
{
    AUTO(arena) struct arena arena = { 0 };
    struct store store = parsed(&arena, (str){ "\x30\x03\x02\x01\x05", 5 }, (str){ 0 });
    check_str(only_finding(&store, FINDING_keystore_format)->text,
              S("DER that is neither a certificate, a key, a request nor a CRL"));
    check_int(store.entries.count, 0);
}
