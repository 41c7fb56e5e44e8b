/* SPDX-License-Identifier: Apache-2.0 */
#include "issue/csr.h"

#include "tests/folder.h"
#include "tests/pki.h"
#include "tests/test.h"
#include "x509/auto.h"

#include <openssl/pem.h>

#define STEP "0123456789abcdef"

struct bench {
    struct folder folder;
    struct arena *arena;
    const char *directory;
    struct pki root, old, key; /* the certificate that is replaced, and who has the new key */
};

static void bench_make(struct bench *bench)
{
    *bench = (struct bench){ 0 };
    folder_open(&bench->folder);
    bench->arena = &bench->folder.arena;
    bench->directory = folder_at(&bench->folder, "requests").ptr;
    bench->root = pki_make(bench->arena, &(struct pki_spec){ .name = "Root", .ca = true });
    bench->old = pki_make(bench->arena, &(struct pki_spec){ .name = "db1",
                                                            .organisation = "Orders",
                                                            .issuer = &bench->root,
                                                            .san = "DNS:db1,IP:127.0.0.1",
                                                            .key_usage = "digitalSignature",
                                                            .extended_key_usage = "serverAuth" });
    bench->key = pki_make(bench->arena, &(struct pki_spec){ .name = "db1" });
}

static void bench_close(struct bench *bench)
{
    folder_close(&bench->folder);
}
DEFINE_AUTO(bench, struct bench, bench_close(handle))

static str der_of(struct bench *bench, const struct pki *key)
{
    str pem = pki_request_pem(bench->arena, key);
    AUTO(BIO) BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    AUTO(X509_REQ) X509_REQ *request = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    AUTO(openssl_bytes) unsigned char *der = NULL;
    int len = i2d_X509_REQ(request, &der);
    check(len > 0);
    return str_copy(bench->arena, (str){ (const char *)der, (size_t)len });
}

static struct csr asked(struct bench *bench, const struct pki *key, const char *node, str step)
{
    AUTO(err) struct err err = { 0 };
    struct csr csr;
    check_ok(csr_parse(bench->arena, der_of(bench, key), &bench->old.cert, &csr, &err), &err);
    csr.cluster = S("orders-id");
    csr.node = str_c(node);
    csr.store = S("server");
    csr.step = step;
    csr.since = PKI_NOW;
    return csr;
}

static struct csr kept(struct bench *bench, const struct pki *key, const struct csr *csr)
{
    AUTO(err) struct err err = { 0 };
    struct csr there;
    check_ok(csr_keep(bench->arena, bench->directory, csr, der_of(bench, key), S("CN=Root"), &there,
                      &err),
             &err);
    return there;
}

static csr_list read_all(struct bench *bench, str cluster)
{
    AUTO(err) struct err err = { 0 };
    csr_list list;
    check_ok(csr_read(bench->arena, bench->directory, cluster, &list, &err), &err);
    return list;
}

static str file_of(struct bench *bench, const char *name)
{
    return folder_text(&bench->folder, str_printf(bench->arena, "%s/%s", bench->directory, name));
}

TEST(a_request_is_written_with_what_it_is_for_and_read_back)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench);
    struct csr csr = asked(&bench, &bench.key, "db1", S(STEP));
    struct csr there = kept(&bench, &bench.key, &csr);
    check_str(there.name, S("db1-server-01234567"));

    str pem = file_of(&bench, "db1-server-01234567.csr");
    AUTO(BIO) BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    AUTO(X509_REQ) X509_REQ *request = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    AUTO(EVP_PKEY) EVP_PKEY *key = pki_key(&bench.key);
    check(request != NULL);
    check_int(EVP_PKEY_eq(X509_REQ_get0_pubkey(request), key), 1);

    csr_list list = read_all(&bench, S("orders-id"));
    check_int(list.count, 1);
    const struct csr *back = &list.items[0];
    check_str(back->name, there.name);
    check_str(back->node, S("db1"));
    check_str(back->store, S("server"));
    check_str(back->step, S(STEP));
    check_int(back->since, PKI_NOW);
    check_str(back->spki_sha256, bench.key.cert.spki_sha256);
    check_str(back->key, S("EC 256"));
    check_str(back->subject, S("CN=db1,O=Orders"));
    check_str(back->common_name, S("db1"));
    check_int(back->san.count, 2);
    check_str(back->san.items[0], S("DNS:db1"));
    check_str(back->san.items[1], S("IP:127.0.0.1"));
    check_int(back->key_usages.count, 1);
    check_str(back->key_usages.items[0], S("digitalSignature"));
    check_int(back->extended_key_usage.count, 1);
    check_str(back->extended_key_usage.items[0], S("serverAuth"));
    check_int(read_all(&bench, S("")).count, 1);
    check_int(read_all(&bench, S("another")).count, 0);
}

TEST(what_a_request_is_for_is_written_for_people)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench);
    struct csr csr = asked(&bench, &bench.key, "db1", S(STEP));
    csr.spki_sha256 = S("abcd");
    (void)kept(&bench, &bench.key, &csr);
    check_str(file_of(&bench, "db1-server-01234567.txt"),
              S("A certificate is asked for.\n"
                "\n"
                "for                 db1/server\n"
                "request             db1-server-01234567.csr\n"
                "subject             CN=db1,O=Orders\n"
                "names               DNS:db1, IP:127.0.0.1\n"
                "key                 EC 256\n"
                "key usage           digitalSignature\n"
                "extended key usage  serverAuth\n"
                "public key SHA-256  abcd\n"
                "signed by           CN=Root\n"
                "\n"
                "Send the request to the authority. Its key stays where it was made.\n"
                "What comes back, certificate and chain in PEM or DER, goes beside this file:\n"
                "\n"
                "    db1-server-01234567.crt\n"
                "\n"
                "or is brought there, whatever its name, by\n"
                "\n"
                "    reseal issuer deliver FILE...\n"
                "\n"
                "and when all have come, this goes on:\n"
                "\n"
                "    reseal renew\n"));
}

TEST(a_request_that_is_asked_for_again_stays_as_it_was_sent)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench);
    struct csr csr = asked(&bench, &bench.key, "db1", S(STEP));
    (void)kept(&bench, &bench.key, &csr);
    str sent = file_of(&bench, "db1-server-01234567.csr");
    csr.since += PKI_DAY; /* a signature with an EC key is another each time */
    check_int(kept(&bench, &bench.key, &csr).since, PKI_NOW);
    check_str(file_of(&bench, "db1-server-01234567.csr"), sent);

    /* One whose file was lost, and one for another key, are written anew. */
    check_int(unlink(folder_at(&bench.folder, "requests/db1-server-01234567.csr").ptr), 0);
    check_int(kept(&bench, &bench.key, &csr).since, PKI_NOW + PKI_DAY);
    struct pki other = pki_make(bench.arena, &(struct pki_spec){ .name = "db1" });
    csr = asked(&bench, &other, "db1", S(STEP));
    check_str(kept(&bench, &other, &csr).spki_sha256, other.cert.spki_sha256);
    csr_list list = read_all(&bench, S(""));
    check_int(list.count, 1);
    check_str(list.items[0].spki_sha256, other.cert.spki_sha256);
}

TEST(requests_have_plain_names_and_come_oldest_first)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench);
    struct csr late = asked(&bench, &bench.key, "a", S("ffffffffffffffff"));
    struct csr odd = asked(&bench, &bench.key, "..\n&db 1\xc3\xa9", S(STEP));
    late.since += 1;
    (void)kept(&bench, &bench.key, &late);
    (void)kept(&bench, &bench.key, &odd);
    csr_list list = read_all(&bench, S(""));
    check_int(list.count, 2);
    check_str(list.items[0].name, S("_.__db_1__-server-01234567"));
    check_str(list.items[0].node, S("..\n&db 1\xc3\xa9"));
    check_str(list.items[1].name, S("a-server-ffffffff"));
}

TEST(a_request_that_is_over_is_put_away_with_its_answer)
{
    AUTO(bench) struct bench bench;
    AUTO(err) struct err err = { 0 };
    bench_make(&bench);
    struct csr csr = asked(&bench, &bench.key, "db1", S(STEP));
    csr = kept(&bench, &bench.key, &csr);
    folder_put(&bench.folder, "requests/db1-server-01234567.crt", S("answer"), 0644);
    check_ok(csr_retire(bench.directory, &csr, &err), &err);
    check_int(read_all(&bench, S("")).count, 0);
    check_str(file_of(&bench, "old/db1-server-01234567.crt"), S("answer"));
    static const char *const endings[] = { "csr", "txt", "json", "crt" };
    for (size_t i = 0; i < COUNT(endings); i++) {
        str name = str_printf(bench.arena, "requests/db1-server-01234567.%s", endings[i]);
        str old = str_printf(bench.arena, "requests/old/db1-server-01234567.%s", endings[i]);
        check(!folder_has(&bench.folder, folder_at(&bench.folder, name.ptr)));
        check(folder_has(&bench.folder, folder_at(&bench.folder, old.ptr)));
    }
    check_ok(csr_retire(bench.directory, &csr, &err), &err);
}

TEST(where_no_request_was_written_there_is_none_and_a_file_that_is_none_is_named)
{
    AUTO(bench) struct bench bench;
    AUTO(err) struct err err = { 0 };
    csr_list list;
    bench_make(&bench);
    check_int(read_all(&bench, S("")).count, 0);
    check_ok(csr_prepare(bench.directory, &err), &err);
    check_int(read_all(&bench, S("")).count, 0);
    static const char *const bad[] = { "", "{", "[]", "{\"cluster\":\"a\"}" };
    for (size_t i = 0; i < COUNT(bad); i++) {
        str path = folder_put(&bench.folder, "requests/x.json", str_c(bad[i]), 0644);
        check(!csr_read(bench.arena, bench.directory, S(""), &list, &err));
        check_str(str_c(err.msg),
                  str_printf(bench.arena, "%s is not the record of a request", path.ptr));
        check_int(err.kind, ERR_FORMAT);
        err_clear(&err);
    }
}

TEST(a_request_that_its_own_key_has_not_signed_is_refused)
{
    AUTO(bench) struct bench bench;
    AUTO(err) struct err err = { 0 };
    struct csr csr;
    bench_make(&bench);
    str der = der_of(&bench, &bench.key);
    ((char *)(uintptr_t)der.ptr)[der.len - 1] ^= 1;
    check(!csr_parse(bench.arena, der, &bench.old.cert, &csr, &err));
    err_clear(&err);
    check(!csr_parse(bench.arena, S("no request"), &bench.old.cert, &csr, &err));
    err_clear(&err);
    check(!csr_parse(bench.arena, S(""), &bench.old.cert, &csr, &err));
}
