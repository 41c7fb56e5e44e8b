/* SPDX-License-Identifier: Apache-2.0 */
#include "node/pending.h"

#include "tests/folder.h"
#include "tests/pki.h"
#include "tests/test.h"
#include "x509/auto.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#define STEP "0123456789abcdef"

struct bench {
    struct folder folder;
    struct arena *arena;
    struct pki root, old;
    struct pending_place place;
};

/* What is in use now: a certificate from `root` for the key in `old_key`. */
static void bench_make(struct bench *bench, struct pki_spec old)
{
    *bench = (struct bench){ 0 };
    folder_open(&bench->folder);
    bench->arena = &bench->folder.arena;
    bench->root = pki_make(bench->arena, &(struct pki_spec){ .name = "Root", .ca = true });
    old.name = "db1";
    old.issuer = &bench->root;
    bench->old = pki_make(bench->arena, &old);
    bench->place = (struct pending_place){
        .state = folder_at(&bench->folder, "state"),
        .step = S(STEP),
        .old_key = folder_put(&bench->folder, "old.key", bench->old.key_pem, 0600),
        .new_key = true,
    };
}
DEFINE_AUTO(bench, struct bench, folder_close(&handle->folder))

static struct pending_request ask(struct bench *bench)
{
    AUTO(err) struct err err = { 0 };
    struct pending_request request;
    check_ok(pending_ask(bench->arena, &bench->place, &bench->old.cert, &request, &err), &err);
    return request;
}

static X509_REQ *parse(const struct pending_request *request)
{
    const unsigned char *der = (const unsigned char *)request->request_der.ptr;
    X509_REQ *req = d2i_X509_REQ(NULL, &der, (long)request->request_der.len);
    check(req != NULL);
    AUTO(EVP_PKEY) EVP_PKEY *key = X509_REQ_get_pubkey(req);
    check_int(X509_REQ_verify(req, key), 1);
    return req;
}

static str key_path(struct bench *bench)
{
    return folder_at(&bench->folder, "state/pending/" STEP ".key");
}

/* A certificate for the key that lies there. */
static struct pki certified(struct bench *bench)
{
    struct pki key = { .key_pem = folder_text(&bench->folder, key_path(bench)) };
    return pki_make(bench->arena,
                    &(struct pki_spec){ .name = "db1", .issuer = &bench->root, .key_of = &key });
}

static struct pending read_pending(struct bench *bench)
{
    AUTO(err) struct err err = { 0 };
    struct pending pending;
    check_ok(pending_read(bench->arena, &bench->place, &pending, &err), &err);
    return pending;
}

TEST(a_request_has_a_key_of_its_own_and_the_names_of_the_certificate_that_it_replaces)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench,
               (struct pki_spec){ .organisation = "Orders",
                                  .san = "DNS:db1,DNS:*.example,IP:127.0.0.1,IP:2001:db8::1,"
                                         "email:a@example,URI:spiffe://x/y" });
    struct pending_request request = ask(&bench);
    AUTO(X509_REQ) X509_REQ *req = parse(&request);
    AUTO(X509) X509 *old = cert_x509(&bench.old.cert);
    check_int(X509_NAME_cmp(X509_REQ_get_subject_name(req), X509_get_subject_name(old)), 0);
    STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(req);
    GENERAL_NAMES *names = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
    GENERAL_NAMES *wanted = X509_get_ext_d2i(old, NID_subject_alt_name, NULL, NULL);
    check_int(sk_GENERAL_NAME_num(names), 6);
    for (int i = 0; i < 6; i++)
        check_int(
            GENERAL_NAME_cmp(sk_GENERAL_NAME_value(names, i), sk_GENERAL_NAME_value(wanted, i)), 0);
    GENERAL_NAMES_free(names);
    GENERAL_NAMES_free(wanted);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    AUTO(EVP_PKEY) EVP_PKEY *key = X509_REQ_get_pubkey(req);
    AUTO(EVP_PKEY) EVP_PKEY *old_key = pki_key(&bench.old);
    check_int(EVP_PKEY_eq(key, old_key), 0);
    unsigned char *spki = NULL;
    int len = i2d_PUBKEY(key, &spki);
    check_str(request.spki_der, ((str){ (char *)spki, (size_t)len }));
    unsigned char digest[32];
    check_int(EVP_Digest(spki, (size_t)len, digest, NULL, EVP_sha256(), NULL), 1);
    check_str(request.spki_sha256, str_hex(bench.arena, digest, sizeof(digest)));
    OPENSSL_free(spki);
}

TEST(a_request_asks_for_the_usages_of_the_certificate_that_it_replaces_but_those_of_a_ca)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench, (struct pki_spec){ .key_usage = "critical,digitalSignature,keyCertSign",
                                          .extended_key_usage = "serverAuth,1.2.3.4" });
    struct pending_request request = ask(&bench);
    AUTO(X509_REQ) X509_REQ *req = parse(&request);
    int critical = -1;
    STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(req);
    check_int(sk_X509_EXTENSION_num(extensions), 2);
    ASN1_BIT_STRING *usage = X509V3_get_d2i(extensions, NID_key_usage, &critical, NULL);
    EXTENDED_KEY_USAGE *purposes = X509V3_get_d2i(extensions, NID_ext_key_usage, NULL, NULL);
    check(usage != NULL && purposes != NULL);
    check_int(critical, 1);
    for (int bit = 0; bit < 9; bit++)
        check_int(ASN1_BIT_STRING_get_bit(usage, bit), bit == 0);
    check_int(sk_ASN1_OBJECT_num(purposes), 2);
    check_int(OBJ_obj2nid(sk_ASN1_OBJECT_value(purposes, 0)), NID_server_auth);
    ASN1_BIT_STRING_free(usage);
    EXTENDED_KEY_USAGE_free(purposes);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

TEST(a_renewal_that_is_forgotten_leaves_neither_key_nor_certificate)
{
    AUTO(bench) struct bench bench;
    AUTO(err) struct err err = { 0 };
    bool had;
    bench_make(&bench, (struct pki_spec){ 0 });
    check_ok(pending_forget(&bench.place, &had, &err), &err);
    check(!had);
    str first = ask(&bench).spki_sha256;
    check_ok(pending_deliver(&bench.place, certified(&bench).pem, &err), &err);
    /* Another name for the same file shows that it was overwritten and not only removed. */
    str other = folder_at(&bench.folder, "other");
    check_int(link(key_path(&bench).ptr, other.ptr), 0);
    check_ok(pending_forget(&bench.place, &had, &err), &err);
    check(had);
    struct pending pending = read_pending(&bench);
    check(!pending.has_key && !pending.has_certificate);
    str left = folder_text(&bench.folder, other);
    for (size_t i = 0; i < left.len; i++)
        check_int(left.ptr[i], 0);
    check(!str_eq(ask(&bench).spki_sha256, first));
}

static void check_new_key(struct bench *bench, const char *type, int bits)
{
    struct pending_request request = ask(bench);
    AUTO(X509_REQ) X509_REQ *req = parse(&request);
    AUTO(EVP_PKEY) EVP_PKEY *key = X509_REQ_get_pubkey(req);
    if (!EVP_PKEY_is_a(key, type) || EVP_PKEY_get_bits(key) != bits)
        fail_msg("%s of %d bits, want %s of %d", EVP_PKEY_get0_type_name(key),
                 EVP_PKEY_get_bits(key), type, bits);
}

TEST(a_new_key_is_of_the_kind_of_the_old_and_no_weaker_than_is_accepted_today)
{
    static const struct {
        const char *type, *kind;
        int rsa_bits, bits;
    } cases[] = {
        {"RSA",      NULL,      1024, 2048},
        { "RSA",     NULL,      3072, 3072},
        { "EC",      "P-256",   0,    256 },
        { "EC",      "P-384",   0,    384 },
        { "ED25519", "ED25519", 0,    256 },
        { "ED448",   "ED448",   0,    456 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(bench) struct bench bench;
        bench_make(&bench,
                   (struct pki_spec){ .rsa_bits = cases[i].rsa_bits, .key_kind = cases[i].kind });
        check_new_key(&bench, cases[i].type, cases[i].bits);
        struct pki leaf = certified(&bench);
        AUTO(err) struct err err = { 0 };
        check_ok(pending_deliver(&bench.place, leaf.pem, &err), &err);
    }
}

TEST(asked_again_the_request_is_for_the_key_that_was_made_before)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench, (struct pki_spec){ 0 });
    struct pending_request first = ask(&bench);
    str bytes = folder_text(&bench.folder, key_path(&bench));
    struct pending_request second = ask(&bench);
    check_str(second.spki_sha256, first.spki_sha256);
    check_str(folder_text(&bench.folder, key_path(&bench)), bytes);
    bench.place.step = S("fedcba9876543210");
    check(!str_eq(ask(&bench).spki_sha256, first.spki_sha256));
}

TEST(a_key_that_is_kept_is_asked_about_where_it_lies)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench, (struct pki_spec){ 0 });
    bench.place.new_key = false;
    struct pending_request request = ask(&bench);
    AUTO(X509_REQ) X509_REQ *req = parse(&request);
    AUTO(EVP_PKEY) EVP_PKEY *key = X509_REQ_get_pubkey(req);
    AUTO(EVP_PKEY) EVP_PKEY *old = pki_key(&bench.old);
    check_int(EVP_PKEY_eq(key, old), 1);
    check(!folder_has(&bench.folder, key_path(&bench)));
    AUTO(err) struct err err = { 0 };
    struct pki next =
        pki_make(bench.arena,
                 &(struct pki_spec){ .name = "db1", .issuer = &bench.root, .key_of = &bench.old });
    check_ok(pending_deliver(&bench.place, next.pem, &err), &err);
    check(read_pending(&bench).has_certificate);
}

TEST(a_certificate_is_taken_only_for_the_key_that_was_made_for_it)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench, (struct pki_spec){ 0 });
    (void)ask(&bench);
    struct pki good = certified(&bench);
    str upside_down =
        str_printf(bench.arena, "%.*s%.*s", STR_ARG(bench.root.pem), STR_ARG(good.pem));
    const struct {
        str chain;
        enum err_kind want;
    } bad[] = {
        {bench.old.pem, ERR_REFUSED},
        { upside_down,  ERR_REFUSED},
        { S("no PEM"),  ERR_FORMAT },
        { S(""),        ERR_FORMAT },
        { good.key_pem, ERR_FORMAT },
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        AUTO(err) struct err err = { 0 };
        check(!pending_deliver(&bench.place, bad[i].chain, &err));
        check_int(err.kind, bad[i].want);
        struct pending pending = read_pending(&bench);
        check(pending.has_key && !pending.has_certificate);
    }
    AUTO(err) struct err err = { 0 };
    str chain = str_printf(bench.arena, "%.*s%.*s", STR_ARG(good.pem), STR_ARG(bench.root.pem));
    check_ok(pending_deliver(&bench.place, chain, &err), &err);
    struct pending pending = read_pending(&bench);
    check(pending.has_key && pending.has_certificate);
    check_str(pending.chain_pem, chain);
    check_str(pending.leaf.der, good.cert.der);
}

TEST(a_certificate_that_comes_before_there_is_a_key_is_refused)
{
    AUTO(bench) struct bench bench;
    AUTO(err) struct err err = { 0 };
    bench_make(&bench, (struct pki_spec){ 0 });
    check(!pending_deliver(&bench.place, bench.old.pem, &err));
    struct pending pending = read_pending(&bench);
    check(!pending.has_key && !pending.has_certificate);
}

TEST(a_new_key_is_encrypted_with_the_password_of_the_old)
{
    AUTO(bench) struct bench bench;
    AUTO(err) struct err err = { 0 };
    bench_make(&bench, (struct pki_spec){ 0 });
    char password[] = "correct horse";
    bench.place.password = str_c(password);
    struct pending_request request = ask(&bench);
    str bytes = folder_text(&bench.folder, key_path(&bench));
    check(str_starts(bytes, S("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")));
    AUTO(BIO) BIO *bio = BIO_new_mem_buf(bytes.ptr, (int)bytes.len);
    AUTO(EVP_PKEY) EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, password);
    AUTO(X509_REQ) X509_REQ *req = parse(&request);
    check(key != NULL && X509_REQ_check_private_key(req, key) == 1);
    bench.place.password = S("wrong");
    check(!pending_ask(bench.arena, &bench.place, &bench.old.cert, &request, &err));
    check_int(err.kind, ERR_PASSWORD);
}

TEST(a_dropped_key_is_gone_and_its_certificate_stays_as_the_record)
{
    AUTO(bench) struct bench bench;
    AUTO(err) struct err err = { 0 };
    bench_make(&bench, (struct pki_spec){ 0 });
    (void)ask(&bench);
    struct pki leaf = certified(&bench);
    check_ok(pending_deliver(&bench.place, leaf.pem, &err), &err);
    str bytes;
    check_ok(pending_key_bytes(bench.arena, &bench.place, &bytes, &err), &err);
    check_str(bytes, folder_text(&bench.folder, key_path(&bench)));
    check_ok(pending_drop_key(&bench.place, &err), &err);
    check(!folder_has(&bench.folder, key_path(&bench)));
    struct pending pending = read_pending(&bench);
    check(!pending.has_key && pending.has_certificate);
    check_str(pending.leaf.der, leaf.cert.der);
    check_ok(pending_drop_key(&bench.place, &err), &err);
    check(!pending_key_bytes(bench.arena, &bench.place, &bytes, &err));
}

TEST(a_pending_key_and_its_certificate_can_be_read_by_their_owner_alone)
{
    AUTO(bench) struct bench bench;
    AUTO(err) struct err err = { 0 };
    bench_make(&bench, (struct pki_spec){ 0 });
    (void)ask(&bench);
    check_ok(pending_deliver(&bench.place, certified(&bench).pem, &err), &err);
    check_int(folder_mode(&bench.folder, folder_at(&bench.folder, "state/pending")), 0700);
    check_int(folder_mode(&bench.folder, key_path(&bench)), 0600);
    str certificate = folder_at(&bench.folder, "state/pending/" STEP ".crt");
    check_int(folder_mode(&bench.folder, certificate), 0600);
}

TEST(a_pending_key_is_named_after_a_step_and_after_nothing_else)
{
    static const char *const steps[] = { "", "../../../etc/x", "0123", "0123456789abcdeg",
                                         "0123456789abcdef0" };
    AUTO(bench) struct bench bench;
    bench_make(&bench, (struct pki_spec){ 0 });
    for (size_t i = 0; i < COUNT(steps); i++) {
        AUTO(err) struct err err = { 0 };
        struct pending_request request;
        bench.place.step = str_c(steps[i]);
        check(!pending_ask(bench.arena, &bench.place, &bench.old.cert, &request, &err));
        check_int(err.kind, ERR_FORMAT);
        err_clear(&err);
        check(!pending_deliver(&bench.place, bench.old.pem, &err));
        check_int(err.kind, ERR_FORMAT);
        err_clear(&err);
        check(!pending_drop_key(&bench.place, &err));
        check_int(err.kind, ERR_FORMAT);
        err_clear(&err);
        bool had;
        check(!pending_forget(&bench.place, &had, &err));
        check_int(err.kind, ERR_FORMAT);
    }
    check(!folder_has(&bench.folder, bench.place.state));
}

TEST(a_leaf_belongs_to_its_own_key_and_to_no_other)
{
    AUTO(bench) struct bench bench;
    AUTO(err) struct err err = { 0 };
    bench_make(&bench, (struct pki_spec){ 0 });
    str other = folder_put(&bench.folder, "other.key", bench.root.key_pem, 0600);
    str none = { 0 };
    check_ok(pending_matches(bench.old.pem, bench.place.old_key, none, &err), &err);
    check(!pending_matches(bench.old.pem, other, none, &err));
    check_int(err.kind, ERR_REFUSED);
}
