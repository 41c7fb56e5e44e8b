/* SPDX-License-Identifier: Apache-2.0 */
#include "x509/cert.h"

#include "tests/pki.h"
#include "tests/test.h"
#include "x509/auto.h"

#include <openssl/err.h>

TEST(every_fact_of_a_leaf_is_read)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki root = pki_make(&arena, &(struct pki_spec){ .name = "Root", .ca = true });
    struct pki leaf = pki_make(
        &arena,
        &(struct pki_spec){
            .name = "db1",
            .organisation = "Orders, Ltd",
            .issuer = &root,
            .key_usage = "critical,digitalSignature,keyAgreement",
            .extended_key_usage = "serverAuth,1.2.3.4",
            .not_before = PKI_NOW,
            .not_after = PKI_NOW + 10 * PKI_DAY,
            .san = "DNS:db1.example,IP:127.0.0.1,IP:::1,URI:spiffe://x/y,email:a@b.example" });
    const struct cert *cert = &leaf.cert;
    check_str(cert->subject, S("CN=db1,O=Orders\\, Ltd"));
    check_str(cert->issuer, S("CN=Root"));
    check_str(cert->common_name, S("db1"));
    check_int(cert->not_before, PKI_NOW);
    check_int(cert->not_after, PKI_NOW + 10 * PKI_DAY);
    check_str(cert->key_type, S("EC"));
    check_int(cert->key_bits, 256);
    check_str(cert->signature_algorithm, S("ecdsa-with-SHA256"));
    check_int(cert->dns.count, 1);
    check_int(cert->san.count, 5);
    check_str(cert->san.items[2], S("IP:::1"));
    check_str(cert->san.items[4], S("email:a@b.example"));
    check(cert->has_key_usage && cert->key_usage == (KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT));
    check_int(cert->key_usages.count, 2);
    check_str(cert->key_usages.items[1], S("keyAgreement"));
    check_str(cert->extended_key_usage.items[0], S("serverAuth"));
    check_str(cert->extended_key_usage.items[1], S("1.2.3.4"));
    check(!cert->ca && cert->path_length == -1 && !cert->self_issued && cert->version == 3);
    check_str(cert->authority_key_id, root.cert.subject_key_id);
    check_int(cert->authority_key_id.len, 40);
}

TEST(a_root_is_a_ca_and_its_path_length_is_read)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki root = pki_make(
        &arena, &(struct pki_spec){ .name = "Root",
                                    .basic_constraints = "critical,CA:TRUE,pathlen:0",
                                    .key_usage = "digitalSignature",
                                    .name_constraints = "critical,permitted;DNS:example" });
    check(root.cert.ca && root.cert.path_length == 0 && root.cert.self_issued);
    check(root.cert.has_name_constraints && !root.cert.critical_unknown);
}

TEST(der_goes_in_and_the_same_facts_come_out_and_trailing_bytes_are_refused)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct pki root = pki_make(&arena, &(struct pki_spec){ .name = "Root" });
    struct cert again;
    check_ok(cert_parse(&arena, root.cert.der, &again, &err), &err);
    check_str(again.sha256, sha256_hex(&arena, root.cert.der));
    check_str(again.serial, root.cert.serial);
    str longer;
    struct buf buf = { 0 };
    buf_add(&arena, &buf, root.cert.der);
    buf_add(&arena, &buf, S("\0"));
    longer = buf_str(&buf);
    check_err(cert_parse(&arena, longer, &again, &err), &err, "not one DER certificate");
    longer.len -= 2;
    check(!cert_parse(&arena, longer, &again, &err));
    check(!cert_parse(&arena, S(""), &again, &err));
    check_int(ERR_peek_error(), 0);
}

TEST(a_key_and_its_certificate_have_the_same_identity)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct pki one = pki_make(&arena, &(struct pki_spec){ .name = "db1", .rsa_bits = 2048 });
    struct pki two = pki_make(&arena, &(struct pki_spec){ .name = "db1", .rsa_bits = 2048 });
    AUTO(EVP_PKEY) EVP_PKEY *key = pki_key(&one);
    str spki;
    check_ok(key_spki_sha256(&arena, key, &spki, &err), &err);
    check_str(one.cert.spki_sha256, spki);
    check(!str_eq(two.cert.spki_sha256, spki));
    check_int(one.cert.key_bits, 2048);
}

TEST(an_issuer_of_the_same_name_and_another_key_did_not_sign)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki root = pki_make(&arena, &(struct pki_spec){ .name = "Root", .ca = true });
    struct pki fake = pki_make(&arena, &(struct pki_spec){ .name = "Root", .ca = true });
    struct pki bare =
        pki_make(&arena, &(struct pki_spec){ .name = "ROOT", .ca = true, .no_key_ids = true });
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1", .issuer = &root });
    check(cert_signed_by(&leaf.cert, &root.cert) && !cert_signed_by(&leaf.cert, &fake.cert));
    check(cert_names_issuer(&leaf.cert, &root.cert));
    check(!cert_names_issuer(&leaf.cert, &fake.cert)); /* its key identifier differs */
    check(cert_names_issuer(&leaf.cert, &bare.cert));  /* no identifier, name without case */
    check(!cert_names_issuer(&leaf.cert, &leaf.cert));
}

TEST(names_match_as_libpq_matches_them)
{
    AUTO(arena) struct arena arena = { 0 };
    static const struct {
        bool want;
        const char *cn, *san, *dialled;
    } cases[] = {
        {true,   "db1",       NULL,                 "db1"      },
        { true,  "127.0.0.1", NULL,                 "127.0.0.1"},
        { true,  "x",         "DNS:db1",            "DB1"      },
        { false, "db1",       "DNS:db2",            "db1"      }, /* a dNSName silences the CN */
        { true,  "db1",       "IP:127.0.0.1",       "db1"      }, /* an iPAddress does not */
        { false, "127.0.0.1", "IP:127.0.0.2",       "127.0.0.1"},
        { true,  "x",         "IP:0:0:0:0:0:0:0:1", "::1"      },
        { true,  "x",         "DNS:127.0.0.1",      "127.0.0.1"},
        { false, "x",         "URI:db1",            "db1"      },
        { true,  "x",         "DNS:*.lan",          "db1.lan"  },
        { false, "x",         "DNS:*.lan",          "a.db1.lan"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pki leaf =
            pki_make(&arena, &(struct pki_spec){ .name = cases[i].cn, .san = cases[i].san });
        if (cert_matches_name(&leaf.cert, str_c(cases[i].dialled)) != cases[i].want)
            fail_msg("case %zu: %s %s %s", i, cases[i].cn, cases[i].san, cases[i].dialled);
    }
}

TEST(a_label_names_a_certificate_by_its_common_name_or_else_by_what_it_has)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1", .organisation = "O" });
    struct pki bare = pki_make(&arena, &(struct pki_spec){ .san = "DNS:db2" });
    str want = str_printf(&arena, "CN=db1 (sha256:%.8s, until 2027-02-22)", leaf.cert.sha256.ptr);
    check_str(cert_label(&arena, &leaf.cert), want);
    check(str_starts(cert_label(&arena, &bare.cert), S("DNS:db2 (sha256:")));
}
