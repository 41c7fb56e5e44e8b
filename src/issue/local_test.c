/* SPDX-License-Identifier: Apache-2.0 */
#include "issue/local.h"

#include "base/io.h"
#include "issue/ledger.h"
#include "tests/pki.h"
#include "tests/test.h"
#include "x509/auto.h"

#include <openssl/pem.h>
#include <stdlib.h>
#include <sys/stat.h>

/* A folder with a CA in it, as files. */
struct folder {
    struct arena *arena;
    const char *dir, *certificate, *key;
};

static struct folder folder_make(struct arena *arena, const struct pki *root)
{
    AUTO(err) struct err err = { 0 };
    struct io_owner owner = { (uid_t)-1, (gid_t)-1, 0600 };
    char *dir = (char *)(uintptr_t)str_copy(arena, S("/tmp/reseal-local-XXXXXX")).ptr;
    check(mkdtemp(dir) != NULL);
    struct folder folder = { arena, dir, str_printf(arena, "%s/ca.pem", dir).ptr,
                             str_printf(arena, "%s/ca.key", dir).ptr };
    if (root == NULL)
        return folder;
    check_ok(io_replace(folder.certificate, root->pem, owner, &err), &err);
    check_ok(
        io_replace(folder.key, pki_key_pem_encrypted(arena, root, "sesame", false), owner, &err),
        &err);
    return folder;
}

static void folder_remove(const struct folder *folder)
{
    unlink(folder->certificate);
    unlink(folder->key);
    unlink(ledger_path(folder->arena, folder->certificate).ptr);
    check(rmdir(folder->dir) == 0);
}

static str spki_of(struct arena *arena, const struct pki *pki)
{
    AUTO(EVP_PKEY) EVP_PKEY *key = pki_key(pki);
    AUTO(openssl_bytes) unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    check(len > 0);
    return str_copy(arena, (str){ (const char *)der, (size_t)len });
}

static str request_of(struct arena *arena, const struct pki *pki)
{
    str pem = pki_request_pem(arena, pki);
    AUTO(BIO) BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    AUTO(X509_REQ) X509_REQ *request = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    AUTO(openssl_bytes) unsigned char *der = NULL;
    int len = i2d_X509_REQ(request, &der);
    check(len > 0);
    return str_copy(arena, (str){ (const char *)der, (size_t)len });
}

static struct issue_request ask(const struct cert *replaced, str public_key)
{
    return (struct issue_request){ .public_key = public_key,
                                   .replaced = replaced,
                                   .step = S("0011223344556677"),
                                   .now = PKI_NOW,
                                   .lifetime = 90 * PKI_DAY,
                                   .renew_before = 30 * PKI_DAY };
}

/* OpenSSL's own word, with nothing of ours in between. */
static bool openssl_verifies(const struct cert *leaf, const struct cert *root, int purpose)
{
    AUTO(X509_STORE) X509_STORE *store = X509_STORE_new();
    AUTO(X509_STORE_CTX) X509_STORE_CTX *context = X509_STORE_CTX_new();
    AUTO(X509) X509 *anchor = cert_x509(root);
    AUTO(X509) X509 *x509 = cert_x509(leaf);
    check(X509_STORE_add_cert(store, anchor) == 1);
    check(X509_STORE_CTX_init(context, store, x509, NULL) == 1);
    X509_STORE_CTX_set_purpose(context, purpose);
    X509_STORE_CTX_set_time(context, 0, PKI_NOW);
    X509_STORE_CTX_set_flags(context, X509_V_FLAG_X509_STRICT);
    if (X509_verify_cert(context) == 1)
        return true;
    print_message("%s\n", X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
    return false;
}

static void add_ext(X509 *x509, int nid, const char *value)
{
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    check(ext != NULL && X509_add_ext(x509, ext, -1) == 1);
    X509_EXTENSION_free(ext);
}

/* `pki` with extensions of its old issuer and one that nobody knows. */
static struct cert burdened(struct arena *arena, const struct pki *pki, const struct pki *issuer)
{
    AUTO(err) struct err err = { 0 };
    AUTO(X509) X509 *x509 = cert_x509(&pki->cert);
    AUTO(EVP_PKEY) EVP_PKEY *key = pki_key(issuer);
    struct cert cert;
    int unknown = OBJ_create("1.2.3.4.5.6", "resealTest", "reseal test");
    ASN1_OCTET_STRING *bytes = ASN1_OCTET_STRING_new();
    check(ASN1_OCTET_STRING_set(bytes, (const unsigned char *)"\x05\x00", 2) == 1);
    X509_EXTENSION *ext = X509_EXTENSION_create_by_NID(NULL, unknown, 1, bytes);
    check(ext != NULL && X509_add_ext(x509, ext, -1) == 1);
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(bytes);
    add_ext(x509, NID_info_access, "OCSP;URI:http://old.example/");
    add_ext(x509, NID_crl_distribution_points, "URI:http://old.example/crl");
    check(X509_sign(x509, key, EVP_sha256()) > 0);
    check_ok(cert_of_x509(arena, x509, &cert, &err), &err);
    return cert;
}

TEST(only_whitelisted_extensions_survive_and_openssl_accepts_the_certificate)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    AUTO(local_ca) struct local_ca ca = { 0 };
    struct pki old_root = pki_make(&arena, &(struct pki_spec){ .name = "Old", .ca = true });
    struct pki root = pki_make(&arena, &(struct pki_spec){ .name = "New", .ca = true });
    struct pki leaf = pki_make(
        &arena,
        &(struct pki_spec){ .name = "db1",
                            .organisation = "Orders",
                            .issuer = &old_root,
                            .san = "DNS:db1,IP:127.0.0.1",
                            .basic_constraints = "CA:TRUE",
                            .key_usage = "critical,digitalSignature,keyAgreement,keyCertSign",
                            .extended_key_usage = "serverAuth,clientAuth" });
    struct pki fresh = pki_make(&arena, &(struct pki_spec){ .name = "other", .rsa_bits = 2048 });
    struct cert replaced = burdened(&arena, &leaf, &old_root);
    check_int(replaced.critical_unknown, true);
    struct folder folder = folder_make(&arena, &root);
    check_ok(local_open(&arena, folder.certificate, folder.key, S("sesame"), PKI_NOW, &ca, &err),
             &err);
    struct issue_request request = ask(&replaced, request_of(&arena, &fresh));
    struct issued issued;
    check_ok(local_issue(&arena, &ca, &request, &issued, &err), &err);
    const struct cert *cert = &issued.cert;
    check_str(cert->subject, S("CN=db1,O=Orders"));
    check_str(cert->issuer, S("CN=New"));
    check_str(cert->spki_sha256, fresh.cert.spki_sha256);
    check_int(cert->san.count, 2);
    check_int(cert->key_usage, KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT);
    check_int(cert->extended_key_usage.count, 2);
    check_int(cert->ca, false);
    check_int(cert->critical_unknown, false);
    check_str(cert->authority_key_id, root.cert.subject_key_id);
    check(cert->subject_key_id.len == 40 && !str_eq(cert->subject_key_id, replaced.subject_key_id));
    check_int(cert->serial.len, 32);
    check_int(cert->not_before, PKI_NOW - PROFILE_BACKDATE);
    check_int(cert->not_after, PKI_NOW + 90 * PKI_DAY);
    check_str(cert->signature_algorithm, S("ecdsa-with-SHA256"));
    AUTO(X509) X509 *x509 = cert_x509(cert);
    check_int(X509_get_ext_count(x509), 6); /* BC, SAN, KU, EKU, SKI, AKI */
    check(openssl_verifies(cert, &root.cert, X509_PURPOSE_SSL_SERVER));
    check(openssl_verifies(cert, &root.cert, X509_PURPOSE_SSL_CLIENT));
    check_str(issued.pem, cert_pem(&arena, cert));
    folder_remove(&folder);
}

TEST(the_issuer_caps_the_life_and_a_life_too_short_is_refused)
{
    AUTO(arena) struct arena arena = { 0 };
    const struct {
        int64_t issuer_days;
        bool ok;
    } cases[] = {
        {60,  true },
        { 29, false}
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(err) struct err err = { 0 };
        AUTO(local_ca) struct local_ca ca = { 0 };
        moment end = PKI_NOW + cases[i].issuer_days * PKI_DAY;
        struct pki root =
            pki_make(&arena, &(struct pki_spec){ .name = "Root", .ca = true, .not_after = end });
        struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1", .issuer = &root });
        struct folder folder = folder_make(&arena, &root);
        struct issue_request request = ask(&leaf.cert, spki_of(&arena, &leaf));
        struct ledger ledger;
        struct issued issued = { 0 };
        check_ok(
            local_open(&arena, folder.certificate, folder.key, S("sesame"), PKI_NOW, &ca, &err),
            &err);
        check_int(local_issue(&arena, &ca, &request, &issued, &err), cases[i].ok);
        check_int(err.kind, cases[i].ok ? ERR_NONE : ERR_REFUSED);
        check_int(issued.cert.not_after, cases[i].ok ? end : 0);
        check_ok(ledger_read(&arena, ca.ledger_path.ptr, &ledger, &err), &err);
        check_int(ledger.entries.count, cases[i].ok ? 1 : 0);
        folder_remove(&folder);
    }
}

TEST(an_issue_killed_after_its_ledger_line_gives_the_same_certificate_again)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    AUTO(local_ca) struct local_ca ca = { 0 };
    struct pki root = pki_make(&arena, &(struct pki_spec){ .name = "Root", .ca = true });
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1", .issuer = &root });
    struct pki fresh = pki_make(&arena, &(struct pki_spec){ .name = "db1" });
    struct folder folder = folder_make(&arena, &root);
    struct issue_request request = ask(&leaf.cert, request_of(&arena, &fresh));
    struct issued lost, again, other;
    struct ledger ledger;
    check_ok(local_open(&arena, folder.certificate, folder.key, S("sesame"), PKI_NOW, &ca, &err),
             &err);
    /* What came back is thrown away, as it would be with the process: only the ledger remains. */
    check_ok(local_issue(&arena, &ca, &request, &lost, &err), &err);
    request.public_key = spki_of(&arena, &fresh);
    request.now += 600;
    check_ok(local_issue(&arena, &ca, &request, &again, &err), &err);
    check(!lost.again && again.again);
    check_str(again.cert.sha256, lost.cert.sha256);
    check_str(again.pem, lost.pem);
    check_ok(ledger_read(&arena, ca.ledger_path.ptr, &ledger, &err), &err);
    check_int(ledger.entries.count, 1);
    /* Another step, another key, or one that has ended meanwhile: signed anew. */
    request.step = S("other step");
    check_ok(local_issue(&arena, &ca, &request, &other, &err), &err);
    check(!other.again && !str_eq(other.cert.serial, lost.cert.serial));
    request.step = S("0011223344556677");
    request.now += 91 * PKI_DAY;
    check_ok(local_issue(&arena, &ca, &request, &other, &err), &err);
    check(!other.again);
    request = ask(&leaf.cert, spki_of(&arena, &leaf));
    check_ok(local_issue(&arena, &ca, &request, &other, &err), &err);
    check(!other.again);
    folder_remove(&folder);
}

TEST(a_bad_request_is_refused_and_leaves_no_ledger_line)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(local_ca) struct local_ca ca = { 0 };
    AUTO(err) struct err fine = { 0 };
    struct pki root = pki_make(&arena, &(struct pki_spec){ .name = "Root", .ca = true });
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1", .issuer = &root });
    struct pki weak = pki_make(&arena, &(struct pki_spec){ .name = "db1", .rsa_bits = 1024 });
    struct folder folder = folder_make(&arena, &root);
    str forged = request_of(&arena, &leaf);
    /* The last byte of the signature. */
    ((char *)(uintptr_t)forged.ptr)[forged.len - 1] ^= 1;
    const struct {
        str public_key;
        const char *want;
    } cases[] = {
        {forged,          "the request is not signed by its own key"},
        { spki_of(&arena, &weak),                                     "the new key is too weak: RSA 1024" },
        { S("nonsense"),              "neither a certificate request nor a public key"                                          },
        { S(""),              "neither a certificate request nor a public key"         },
    };
    check_ok(local_open(&arena, folder.certificate, folder.key, S("sesame"), PKI_NOW, &ca, &fine),
             &fine);
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(err) struct err err = { 0 };
        struct issue_request request = ask(&leaf.cert, cases[i].public_key);
        struct issued issued;
        check(!local_issue(&arena, &ca, &request, &issued, &err));
        check_str(str_c(err.msg), str_c(cases[i].want));
    }
    check(access(ca.ledger_path.ptr, F_OK) < 0);
    folder_remove(&folder);
}

TEST(an_issuer_that_cannot_sign_says_why_and_what_to_type)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki root = pki_make(&arena, &(struct pki_spec){ .name = "Root", .ca = true });
    struct pki same_key = pki_make(
        &arena, &(struct pki_spec){
                    .name = "Root", .ca = true, .key_of = &root, .not_after = PKI_NOW - 1 });
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "Root", .key_of = &root });
    struct pki other = pki_make(&arena, &(struct pki_spec){ .name = "Root", .ca = true });
    const struct {
        const struct pki *certificate;
        const char *password, *says;
        enum err_kind kind;
        bool next;
    } cases[] = {
        {&root,      "sesame", NULL,                                             ERR_NONE,     false},
        { &root,     "wrong",  "the password does not open the key",             ERR_PASSWORD, true },
        { &root,     NULL,     "the key is encrypted and no password was given", ERR_PASSWORD, true },
        { &same_key, "sesame", "has expired",                                    ERR_REFUSED,  true },
        { &other,    "sesame", "does not belong to",                             ERR_REFUSED,  true },
        { &leaf,     "sesame", "is not a CA certificate",                        ERR_REFUSED,  false},
    };
    struct io_owner owner = { (uid_t)-1, (gid_t)-1, 0600 };
    struct folder folder = folder_make(&arena, &root);
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(err) struct err err = { 0 };
        AUTO(local_ca) struct local_ca ca = { 0 };
        check_ok(io_replace(folder.certificate, cases[i].certificate->pem, owner, &err), &err);
        str password = cases[i].password == NULL ? (str){ 0 } : str_c(cases[i].password);
        bool ok = local_open(&arena, folder.certificate, folder.key, password, PKI_NOW, &ca, &err);
        check_int(ok, cases[i].says == NULL);
        check_int(err.kind, cases[i].kind);
        check_int(err.next != NULL, cases[i].next);
        str said = str_c(err.msg);
        if (!ok && (str_find(said, str_c(cases[i].says)) == said.len ||
                    str_find(said, str_c(folder.dir)) == said.len))
            fail_msg("%s", err.msg);
    }
    folder_remove(&folder);
}

TEST(a_root_is_created_once_with_an_encrypted_key_and_signs)
{
    AUTO(arena) struct arena arena = { 0 };
    const enum local_key kinds[] = { LOCAL_KEY_EC_P256, LOCAL_KEY_RSA_3072 };
    for (size_t i = 0; i < COUNT(kinds); i++) {
        AUTO(err) struct err err = { 0 };
        AUTO(local_ca) struct local_ca ca = { 0 };
        struct folder folder = folder_make(&arena, NULL);
        struct local_spec spec = { folder.certificate, folder.key, S("Orders Root"), S("Orders"),
                                   S("open sesame"),   kinds[i],   3650 * PKI_DAY,   PKI_NOW };
        struct cert root;
        struct issued issued;
        struct stat st;
        str key;
        check_ok(local_create(&arena, &spec, &root, &err), &err);
        check(!local_create(&arena, &spec, &root, &err));
        check_int(err.kind, ERR_REFUSED);
        check(stat(folder.key, &st) == 0);
        check_int(st.st_mode & 0777, 0600);
        check(stat(folder.certificate, &st) == 0);
        check_int(st.st_mode & 0777, 0644);
        check_ok(io_read(&arena, folder.key, 65536, &key, &err), &err);
        check(str_starts(key, S("-----BEGIN ENCRYPTED PRIVATE KEY-----")));
        check_str(root.subject, S("CN=Orders Root,O=Orders"));
        check(root.ca && root.key_usage == (KU_KEY_CERT_SIGN | KU_CRL_SIGN));
        check_int(root.key_bits, kinds[i] == LOCAL_KEY_EC_P256 ? 256 : 3072);
        check_ok(local_open(&arena, folder.certificate, folder.key, S("open sesame"), PKI_NOW, &ca,
                            &err),
                 &err);
        struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1" });
        struct issue_request request = ask(&leaf.cert, spki_of(&arena, &leaf));
        check_ok(local_issue(&arena, &ca, &request, &issued, &err), &err);
        check(openssl_verifies(&issued.cert, &root, X509_PURPOSE_SSL_SERVER));
        folder_remove(&folder);
    }
}

TEST(an_issuer_of_any_kind_of_key_signs_for_any_kind_of_key)
{
    static const char *const kinds[] = { "P-384", "ED25519", "ED448" };
    AUTO(arena) struct arena arena = { 0 };
    for (size_t i = 0; i < COUNT(kinds); i++) {
        AUTO(err) struct err err = { 0 };
        AUTO(local_ca) struct local_ca ca = { 0 };
        struct pki root = pki_make(
            &arena, &(struct pki_spec){ .name = "Root", .ca = true, .key_kind = kinds[i] });
        struct pki leaf =
            pki_make(&arena, &(struct pki_spec){ .name = "db1", .key_kind = kinds[i] });
        struct folder folder = folder_make(&arena, &root);
        struct issued issued;
        check_ok(
            local_open(&arena, folder.certificate, folder.key, S("sesame"), PKI_NOW, &ca, &err),
            &err);
        struct issue_request request = ask(&leaf.cert, spki_of(&arena, &leaf));
        check_ok(local_issue(&arena, &ca, &request, &issued, &err), &err);
        check(openssl_verifies(&issued.cert, &root.cert, X509_PURPOSE_SSL_SERVER));
        folder_remove(&folder);
    }
}

TEST(a_root_vouches_for_another_and_openssl_accepts_what_that_one_issued)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    AUTO(local_ca) struct local_ca ca = { 0 };
    struct pki old = pki_make(&arena, &(struct pki_spec){ .name = "Old", .ca = true });
    struct pki new = pki_make(&arena, &(struct pki_spec){ .name = "New", .ca = true });
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1", .issuer = &new });
    struct folder folder = folder_make(&arena, &old);
    struct cert cross;
    check_ok(local_open(&arena, folder.certificate, folder.key, S("sesame"), PKI_NOW, &ca, &err),
             &err);
    check_ok(local_cross_sign(&arena, &ca, &new.cert, PKI_NOW, &cross, &err), &err);
    check_str(cross.subject, new.cert.subject);
    check_str(cross.spki_sha256, new.cert.spki_sha256);
    check_str(cross.issuer, old.cert.subject);
    AUTO(X509) X509 *leaf509 = cert_x509(&leaf.cert);
    AUTO(X509) X509 *cross509 = cert_x509(&cross);
    AUTO(X509) X509 *old509 = cert_x509(&old.cert);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    STACK_OF(X509) *sent = sk_X509_new_null();
    sk_X509_push(sent, cross509);
    X509_STORE_add_cert(store, old509);
    X509_STORE_CTX_init(context, store, leaf509, sent);
    X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context), PKI_NOW);
    check_int(X509_verify_cert(context), 1);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    sk_X509_free(sent);
    check(!local_cross_sign(&arena, &ca, &leaf.cert, PKI_NOW, &cross, &err));
    check_int(err.kind, ERR_REFUSED);
    err_clear(&err);
    check(!local_cross_sign(&arena, &ca, &old.cert, PKI_NOW, &cross, &err));
    check_int(err.kind, ERR_REFUSED);
    folder_remove(&folder);
}
