/* SPDX-License-Identifier: Apache-2.0 */
#include "issue/delivered.h"

#include "tests/folder.h"
#include "tests/pki.h"
#include "tests/test.h"

/* An authority with an intermediate, and one request that waits for it. */
struct bench {
    struct arena arena;
    struct pki root, sub, key;
    struct csr csr;
    csr_list waiting;
    struct delivery_terms terms;
};

static void bench_make(struct bench *bench)
{
    *bench = (struct bench){ 0 };
    struct arena *arena = &bench->arena;
    bench->root = pki_make(arena, &(struct pki_spec){ .name = "Root", .ca = true });
    bench->sub =
        pki_make(arena, &(struct pki_spec){ .name = "Sub", .ca = true, .issuer = &bench->root });
    bench->key = pki_make(arena, &(struct pki_spec){ .name = "db1" });
    bench->csr = (struct csr){ .name = S("db1-server-01234567"),
                               .node = S("db1"),
                               .store = S("server"),
                               .spki_sha256 = bench->key.cert.spki_sha256,
                               .subject = S("CN=db1"),
                               .common_name = S("db1") };
    list_push(arena, &bench->csr.san) = S("DNS:db1");
    list_push(arena, &bench->csr.san) = S("IP:127.0.0.1");
    list_push(arena, &bench->csr.key_usages) = S("digitalSignature");
    list_push(arena, &bench->csr.extended_key_usage) = S("serverAuth");
    list_push(arena, &bench->waiting) = bench->csr;
    bench->terms = (struct delivery_terms){ .now = PKI_NOW, .renew_before = 30 * PKI_DAY };
    list_push(arena, &bench->terms.authority) = bench->root.cert;
}

static void bench_close(struct bench *bench)
{
    arena_free(&bench->arena);
}
DEFINE_AUTO(bench, struct bench, bench_close(handle))

/* What was asked for, but for what `spec` says. */
static struct pki made(struct bench *bench, struct pki_spec spec)
{
    spec.name = spec.name == NULL ? "db1" : spec.name;
    spec.issuer = spec.issuer == NULL ? &bench->root : spec.issuer;
    spec.key_of = spec.key_of == NULL ? &bench->key : spec.key_of;
    spec.san = spec.san == NULL ? "DNS:db1,IP:127.0.0.1" : spec.san;
    spec.key_usage = spec.key_usage == NULL ? "critical,digitalSignature" : spec.key_usage;
    spec.extended_key_usage =
        spec.extended_key_usage == NULL ? "serverAuth" : spec.extended_key_usage;
    return pki_make(&bench->arena, &spec);
}

static bool match(struct bench *bench, const struct pki *const *certs, size_t count,
                  struct delivered *ret_delivered, struct err *err)
{
    cert_list list = { 0 };
    for (size_t i = 0; i < count; i++)
        list_push(&bench->arena, &list) = certs[i]->cert;
    return delivered_match(&bench->arena, &bench->csr, &bench->waiting, &list, &bench->terms,
                           ret_delivered, err);
}

/* One certificate, refused with this text behind its label. */
static void refused(struct bench *bench, struct pki_spec spec, const char *why)
{
    AUTO(err) struct err err = { 0 };
    struct delivered delivered;
    struct pki came = made(bench, spec);
    check(!match(bench, (const struct pki *[]){ &came }, 1, &delivered, &err));
    check_int(err.kind, ERR_REFUSED);
    check_str(str_c(err.msg),
              str_printf(&bench->arena, "%s %s", cert_label(&bench->arena, &came.cert).ptr, why));
}

TEST(what_was_asked_for_is_taken_whatever_it_has_beside)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench);
    const struct pki_spec specs[] = {
        { 0 },
        { .san = "DNS:db1.example,IP:127.0.0.1,DNS:db1" },
        { .extended_key_usage = "clientAuth,serverAuth" },
        { .key_usage = "digitalSignature,keyEncipherment" },
        { .organisation = "Orders" },
        { .not_after = PKI_NOW + 30 * PKI_DAY },
    };
    for (size_t i = 0; i < COUNT(specs); i++) {
        AUTO(err) struct err err = { 0 };
        struct delivered delivered;
        struct pki came = made(&bench, specs[i]);
        check_ok(match(&bench, (const struct pki *[]){ &came }, 1, &delivered, &err), &err);
        check_int(delivered.chain.count, 1);
        check_str(delivered.pem, came.pem);
    }
}

TEST(what_was_not_asked_for_is_refused_with_the_reason)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench);
    refused(&bench, (struct pki_spec){ .san = "DNS:db1" },
            "lacks names that were asked for: IP:127.0.0.1");
    refused(&bench, (struct pki_spec){ .san = "DNS:other" },
            "lacks names that were asked for: DNS:db1, IP:127.0.0.1");
    refused(&bench, (struct pki_spec){ .name = "db2" },
            "has the subject CN=db2, and CN=db1 was asked for");
    refused(&bench, (struct pki_spec){ .extended_key_usage = "clientAuth" },
            "lacks an extended key usage that was asked for: serverAuth");
    refused(&bench, (struct pki_spec){ .key_usage = "keyEncipherment" },
            "lacks a key usage that was asked for: digitalSignature");
    refused(&bench, (struct pki_spec){ .ca = true }, "is a CA's certificate");
    refused(&bench,
            (struct pki_spec){ .not_before = PKI_NOW - 9 * PKI_DAY, .not_after = PKI_NOW - 1 },
            "has expired: 2026-11-23T23:59:59Z");
    refused(&bench, (struct pki_spec){ .not_before = PKI_NOW + 1 },
            "is not valid before 2026-11-24T00:00:01Z");
    refused(&bench, (struct pki_spec){ .not_after = PKI_NOW + 30 * PKI_DAY - 1 },
            "ends in 29 days, and certificates are renewed 30 days before they end: it would be "
            "due at once");
}

TEST(a_certificate_for_another_key_is_refused_and_whose_it_is_is_said)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench);
    struct pki other = pki_make(&bench.arena, &(struct pki_spec){ .name = "db2" });
    refused(&bench, (struct pki_spec){ .key_of = &other },
            "is for another key: db1/server waits for one that is made from "
            "db1-server-01234567.csr");
    struct csr waits = { .name = S("db2-server-fedcba98"),
                         .node = S("db2"),
                         .store = S("server"),
                         .spki_sha256 = other.cert.spki_sha256 };
    list_push(&bench.arena, &bench.waiting) = waits;
    refused(&bench, (struct pki_spec){ .key_of = &other },
            "is for the key of db2/server, whose request is db2-server-fedcba98");
}

TEST(a_chain_is_put_in_order_and_ends_below_the_root)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench);
    struct pki leaf = made(&bench, (struct pki_spec){ .issuer = &bench.sub });
    const struct pki *const orders[][3] = {
        {&leaf,        &bench.sub, &bench.root},
        { &bench.root, &bench.sub, &leaf      },
        { &bench.sub,  &leaf,      &bench.sub },
    };
    for (size_t i = 0; i < COUNT(orders); i++) {
        AUTO(err) struct err err = { 0 };
        struct delivered delivered;
        check_ok(match(&bench, orders[i], 3, &delivered, &err), &err);
        check_int(delivered.chain.count, 2);
        check_str(delivered.pem,
                  str_printf(&bench.arena, "%.*s%.*s", STR_ARG(leaf.pem), STR_ARG(bench.sub.pem)));
    }
}

TEST(an_intermediate_that_the_issuers_file_has_need_not_come_with_the_leaf)
{
    AUTO(bench) struct bench bench;
    AUTO(err) struct err err = { 0 };
    struct delivered delivered;
    bench_make(&bench);
    bench.terms.authority.count = 0;
    list_push(&bench.arena, &bench.terms.authority) = bench.sub.cert;
    list_push(&bench.arena, &bench.terms.authority) = bench.root.cert;
    struct pki leaf = made(&bench, (struct pki_spec){ .issuer = &bench.sub });
    check_ok(match(&bench, (const struct pki *[]){ &leaf }, 1, &delivered, &err), &err);
    check_str(delivered.pem,
              str_printf(&bench.arena, "%.*s%.*s", STR_ARG(leaf.pem), STR_ARG(bench.sub.pem)));
}

TEST(a_certificate_of_another_authority_is_refused)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench);
    struct pki other = pki_make(&bench.arena, &(struct pki_spec){ .name = "Other", .ca = true });
    struct pki twin = pki_make(&bench.arena, &(struct pki_spec){ .name = "Root", .ca = true });
    refused(&bench, (struct pki_spec){ .issuer = &other },
            "is signed by CN=Other, which is not CN=Root: put that certificate into the file too "
            "if it belongs to the chain");
    refused(&bench, (struct pki_spec){ .issuer = &bench.sub },
            "is signed by CN=Sub, which is not CN=Root: put that certificate into the file too "
            "if it belongs to the chain");
    refused(&bench, (struct pki_spec){ .issuer = &twin },
            str_printf(&bench.arena,
                       "is from a CA that is also called CN=Root and has another key than %s",
                       cert_label(&bench.arena, &bench.root.cert).ptr)
                .ptr);

    AUTO(err) struct err err = { 0 };
    struct delivered delivered;
    struct pki leaf = made(&bench, (struct pki_spec){ .issuer = &other });
    check(!match(&bench, (const struct pki *[]){ &leaf, &other }, 2, &delivered, &err));
    check_str(str_c(err.msg),
              str_printf(&bench.arena, "%s is not from CN=Root: its chain ends in %s",
                         cert_label(&bench.arena, &leaf.cert).ptr,
                         cert_label(&bench.arena, &other.cert).ptr));
}

/* What the root signed is not what its intermediate signs. */
TEST(the_authority_is_the_first_certificate_of_its_file_and_no_other)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench);
    bench.terms.authority.count = 0;
    list_push(&bench.arena, &bench.terms.authority) = bench.sub.cert;
    list_push(&bench.arena, &bench.terms.authority) = bench.root.cert;
    refused(&bench, (struct pki_spec){ 0 },
            str_printf(&bench.arena, "is not from CN=Sub: its chain ends in %s",
                       cert_label(&bench.arena, &bench.root.cert).ptr)
                .ptr);
}

TEST(a_file_that_is_no_certificate_says_what_it_is)
{
    AUTO(folder) struct folder folder;
    AUTO(bench) struct bench bench;
    folder_open(&folder);
    bench_make(&bench);
    const struct {
        str bytes;
        const char *want;
    } cases[] = {
        {S("hello"),                    "%s is not a certificate"          },
        { S(""),                        "%s is not a certificate"          },
        { bench.key.key_pem,            "%s holds a key and no certificate"},
        { pki_request_pem(&bench.arena, &bench.key),                         "%s is a request, not a certificate" },
        { (str){ bench.root.pem.ptr, 300 },                            "%s is not a certificate"                              },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(err) struct err err = { 0 };
        cert_list certs;
        str path = folder_put(&folder, "x.crt", cases[i].bytes, 0644);
        check(!delivered_read(&bench.arena, path.ptr, &certs, &err));
        struct buf want = { 0 };
        str text = str_c(cases[i].want);
        buf_printf(&bench.arena, &want, "%.*s%.*s", STR_ARG(path), (int)text.len - 2, text.ptr + 2);
        check_str(str_c(err.msg), buf_str(&want));
    }
    AUTO(err) struct err err = { 0 };
    cert_list certs;
    str path = folder_put(&folder, "x.crt", bench.root.cert.der, 0644);
    check_ok(delivered_read(&bench.arena, path.ptr, &certs, &err), &err);
    check_int(certs.count, 1);
    check_str(certs.items[0].sha256, bench.root.cert.sha256);
    check(!delivered_read(&bench.arena, "/nonexistent/x.crt", &certs, &err));
}
