/* SPDX-License-Identifier: Apache-2.0 */
#include "store/pem.h"

#include "store/store_test.h"
#include "tests/test.h"
#include "x509/auto.h"

#include <openssl/pem.h>

static str text_of(struct arena *arena, BIO *bio)
{
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);
    return str_copy(arena, (str){ text, (size_t)len });
}

/* With trust settings, as `openssl x509 -addtrust serverAuth` writes it. */
static str trusted_pem(struct arena *arena, const struct pki *pki)
{
    AUTO(X509) X509 *x509 = cert_x509(&pki->cert);
    AUTO(BIO) BIO *bio = BIO_new(BIO_s_mem());
    check(X509_add1_trust_object(x509, OBJ_nid2obj(NID_server_auth)) == 1);
    check(PEM_write_bio_X509_AUX(bio, x509) == 1);
    return text_of(arena, bio);
}

static str crl_pem(struct arena *arena, const struct pki *ca)
{
    AUTO(X509) X509 *x509 = cert_x509(&ca->cert);
    AUTO(EVP_PKEY) EVP_PKEY *key = pki_key(ca);
    AUTO(X509_CRL) X509_CRL *crl = X509_CRL_new();
    AUTO(BIO) BIO *bio = BIO_new(BIO_s_mem());
    check(X509_CRL_set_issuer_name(crl, X509_get_subject_name(x509)) == 1);
    check(X509_CRL_set1_lastUpdate(crl, X509_get0_notBefore(x509)) == 1);
    check(X509_CRL_sign(crl, key, EVP_sha256()) > 0);
    check(PEM_write_bio_X509_CRL(bio, crl) == 1);
    return text_of(arena, bio);
}

/* `text` with every `from` made `to`. */
static str replaced(struct arena *arena, str text, str from, str to)
{
    struct buf buf = { 0 };
    while (text.len > 0) {
        size_t at = str_find(text, from);
        buf_add(arena, &buf, (str){ text.ptr, at });
        if (at == text.len)
            break;
        buf_add(arena, &buf, to);
        text = (str){ text.ptr + at + from.len, text.len - at - from.len };
    }
    return buf_str(&buf);
}

TEST(a_block_of_each_label_becomes_its_kind_of_entry)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki ca = pki_make(&arena, &(struct pki_spec){ .name = "CA", .ca = true });
    str request = pki_request_pem(&arena, &ca);
    str body = replaced(&arena, ca.pem, S("CERTIFICATE"), S("X509 CERTIFICATE"));
    // clang-format off
    const struct {
        str text;
        enum entry_kind kind;
    } cases[] = {
        { ca.pem, ENTRY_TRUSTED },
        { body, ENTRY_TRUSTED },
        { trusted_pem(&arena, &ca), ENTRY_TRUSTED },
        { crl_pem(&arena, &ca), ENTRY_CRL },
        { request, ENTRY_REQUEST },
        { replaced(&arena, request, S("CERT"), S("NEW CERT")), ENTRY_REQUEST },
        { ca.key_pem, ENTRY_KEY },
    };
    // clang-format on
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct store store = parsed(&arena, cases[i].text, (str){ 0 });
        check_int(store.findings.count, 0);
        check_int(store.entries.count, 1);
        const struct entry *entry = &store.entries.items[0];
        check_int(entry->kind, cases[i].kind);
        check_int(entry->line, 1);
        if (entry->kind == ENTRY_TRUSTED)
            check_str(entry->cert->sha256, ca.cert.sha256);
        check((entry->der.len > 0) == (entry->kind == ENTRY_CRL || entry->kind == ENTRY_REQUEST));
    }
}

TEST(a_bundle_is_read_with_any_text_around_its_blocks)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki root = pki_make(&arena, &(struct pki_spec){ .name = "Root", .ca = true });
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1", .issuer = &root });
    str text =
        str_printf(&arena, "Bag Attributes\n%s\nnote: x\n%s%s%s-----END of it\n", leaf.key_pem.ptr,
                   leaf.pem.ptr, root.pem.ptr, pki_request_pem(&arena, &leaf).ptr);
    struct store store = parsed(&arena, text, (str){ 0 });
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

TEST(what_is_neither_certificate_nor_key_is_passed_over_or_named)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1" });
    str quiet = str_printf(&arena,
                           "-----BEGIN EC PARAMETERS-----\nAAAA\n-----END EC "
                           "PARAMETERS-----\n%s",
                           leaf.pem.ptr);
    struct store store = parsed(&arena, quiet, (str){ 0 });
    check_int(store.findings.count, 0);
    check_int(store.entries.count, 1);
    store = parsed(&arena, S("-----BEGIN PGP MESSAGE-----\nAAAA\n-----END PGP MESSAGE-----\n"),
                   (str){ 0 });
    const struct finding *finding = only_finding(&store, FINDING_keystore_format);
    check_int(finding->severity, SEVERITY_INFO);
    check_str(finding->text, S("the PGP MESSAGE block at line 1 (byte 0) is of a kind that is "
                               "not read here"));
}

TEST(line_ends_blanks_and_byte_order_marks_do_not_hide_a_block_but_are_reported)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1" });
    // clang-format off
    const struct {
        str text;
        size_t findings;
        enum severity severity;
    } cases[] = {
        { replaced(&arena, leaf.pem, S("\n"), S("\r\n")), 1, SEVERITY_INFO },
        { replaced(&arena, leaf.pem, S("\n"), S(" \t\n")), 0, SEVERITY_INFO },
        { (str){ leaf.pem.ptr, leaf.pem.len - 1 }, 0, SEVERITY_INFO }, /* no last line end */
        { str_printf(&arena, "\xEF\xBB\xBF%s", leaf.pem.ptr), 1, SEVERITY_WARNING },
        { str_printf(&arena, "\xEF\xBB\xBF# a\n%s", leaf.pem.ptr), 1, SEVERITY_INFO },
    };
    // clang-format on
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct store store = parsed(&arena, cases[i].text, (str){ 0 });
        check_int(store.entries.count, 1);
        check_str(store.entries.items[0].cert->sha256, leaf.cert.sha256);
        check_int(store.findings.count, cases[i].findings);
        if (cases[i].findings > 0)
            check_int(only_finding(&store, FINDING_text_encoding)->severity, cases[i].severity);
    }
}

TEST(a_block_that_is_corrupt_is_named_by_line_and_byte_and_the_rest_is_read)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1" });
    // clang-format off
    static const struct {
        const char *bad, *text;
    } cases[] = {
        { "-----BEGIN CERTIFICATE-----\nAAAA\n*\n-----END CERTIFICATE-----\n",
          "the CERTIFICATE block at line 2 (byte 2) is not base64 at line 4" },
        { "-----BEGIN CERTIFICATE-----\nAA==\nAAAA\n-----END CERTIFICATE-----\n",
          "the CERTIFICATE block at line 2 (byte 2) is not base64 at line 4" },
        { "-----BEGIN CERTIFICATE-----\nAAAAA\n-----END CERTIFICATE-----\n",
          "the CERTIFICATE block at line 2 (byte 2) is not base64 at line 2" },
        { "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
          "the CERTIFICATE block at line 2 (byte 2) is not base64 at line 2" },
        { "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
          "the CERTIFICATE block at line 2 (byte 2) does not decode" },
        { "-----BEGIN TRUSTED CERTIFICATE-----\nAAAA\n-----END TRUSTED CERTIFICATE-----\n",
          "the TRUSTED CERTIFICATE block at line 2 (byte 2) does not decode" },
        { "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
          "the CERTIFICATE REQUEST block at line 2 (byte 2) does not decode" },
        { "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
          "the X509 CRL block at line 2 (byte 2) does not decode" },
        { "-----BEGIN CERTIFICATE-----\nAAAA\n",
          "the CERTIFICATE block at line 2 (byte 2) has no END line" },
        { "-----BEGIN X509 CRL-----\nAAAA\n-----END CERTIFICATE-----\n",
          "the X509 CRL block at line 2 (byte 2) ends with another label than it begins with" },
        { "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
          "the PRIVATE KEY block at line 2 (byte 2) does not decode" },
        { "-----BEGIN PRIVATE KEY-----\n*\n-----END PRIVATE KEY-----\n",
          "the PRIVATE KEY block at line 2 (byte 2) does not decode" },
    };
    // clang-format on
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct store store =
            parsed(&arena, str_printf(&arena, "#\n%s%s", cases[i].bad, leaf.pem.ptr), (str){ 0 });
        check_str(only_finding(&store, FINDING_keystore_format)->text, str_c(cases[i].text));
        check_int(store.entries.count, 1);
    }
}

TEST(a_file_cut_anywhere_inside_its_last_block_keeps_the_blocks_before)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1" });
    struct pki other = pki_make(&arena, &(struct pki_spec){ .name = "db2" });
    str text = str_printf(&arena, "%s%s", leaf.pem.ptr, other.pem.ptr);
    size_t armour = S("-----BEGIN CERTIFICATE-----").len, lines = 0;
    for (size_t i = 0; i < leaf.pem.len; i++)
        lines += leaf.pem.ptr[i] == '\n';
    for (size_t cut = leaf.pem.len + armour; cut + 1 < text.len; cut += 7) {
        struct store store = parsed(&arena, (str){ text.ptr, cut }, (str){ 0 });
        check_int(store.entries.count, 1);
        check_str(store.entries.items[0].cert->sha256, leaf.cert.sha256);
        check_str(only_finding(&store, FINDING_keystore_format)->text,
                  str_printf(&arena, "the CERTIFICATE block at line %zu (byte %zu) has no END line",
                             lines + 1, leaf.pem.len));
    }
}

TEST(a_text_of_endless_blocks_is_not_read_to_its_end)
{
    AUTO(arena) struct arena arena = { 0 };
    struct buf buf = { 0 };
    for (int i = 0; i < STORE_ENTRIES_MAX + 5; i++)
        buf_add(&arena, &buf, S("-----BEGIN X-----\n"));
    struct store store = parsed(&arena, buf_str(&buf), (str){ 0 });
    check_int(store.findings.count, STORE_ENTRIES_MAX + 1);
    check_str(store.findings.items[STORE_ENTRIES_MAX].text,
              str_printf(&arena,
                         "the X block at line %d (byte %d) and all after it are not read: "
                         "too many",
                         STORE_ENTRIES_MAX + 1, STORE_ENTRIES_MAX * 18));
}
