/* SPDX-License-Identifier: Apache-2.0 */
#include "node/loaded.h"

#include "tests/folder.h"
#include "tests/pki.h"
#include "tests/test.h"

struct bench {
    struct folder folder;
    struct pki one, two;
    struct cluster cluster;
    struct driver_call call;
    struct node_conf *node;
};
DEFINE_AUTO(bench, struct bench, folder_close(&handle->folder))

static void bench_make(struct bench *bench)
{
    AUTO(err) struct err err = { 0 };
    *bench = (struct bench){ 0 };
    folder_open(&bench->folder);
    struct arena *arena = &bench->folder.arena;
    bench->one = pki_make(arena, &(struct pki_spec){ .name = "One", .ca = true });
    bench->two = pki_make(arena, &(struct pki_spec){ .name = "Two", .ca = true });
    str trust = folder_put(&bench->folder, "trust.pem", bench->one.pem, 0644);
    str pair = folder_put(
        &bench->folder, "pair.pem",
        str_printf(arena, "%.*s%.*s", STR_ARG(bench->one.pem), STR_ARG(bench->one.key_pem)), 0600);
    str text = str_printf(
        arena,
        "{nodes: {n: {stores: {trust: {certificates: %.*s}, pair: {certificate: %.*s, key: %.*s}, "
        "gone: {certificates: /nowhere.pem}}, services: {web: {}, app: {}}}}}",
        STR_ARG(trust), STR_ARG(pair), STR_ARG(pair));
    check_ok(cluster_parse(arena, "/n.yaml", text, true, &bench->cluster, &err), &err);
    bench->node = &bench->cluster.nodes.items[0];
    bench->call = (struct driver_call){ .arena = arena,
                                        .node = bench->node,
                                        .state = folder_at(&bench->folder, "state") };
}

static bool knows(struct bench *bench, const char *service, const char *store, cert_list *ret_certs)
{
    AUTO(err) struct err err = { 0 };
    bool known;
    check_ok(loaded_read(&bench->call, node_service(bench->node, str_c(service)),
                         node_store(bench->node, str_c(store)), ret_certs, &known, &err),
             &err);
    return known;
}

static bool differs(struct bench *bench, const char *service, str *ret_store)
{
    AUTO(err) struct err err = { 0 };
    bool differs;
    check_ok(loaded_differs(&bench->call, node_service(bench->node, str_c(service)), &differs,
                            ret_store, &err),
             &err);
    return differs;
}

TEST(what_is_about_to_change_is_what_every_service_has_loaded_until_it_loads_again)
{
    AUTO(bench) struct bench bench;
    AUTO(err) struct err err = { 0 };
    cert_list certs;
    str store;
    bench_make(&bench);
    struct store_conf *trust = node_store(bench.node, S("trust"));
    check(!knows(&bench, "web", "trust", &certs));
    check(!differs(&bench, "web", &store));
    check_ok(loaded_keep(&bench.call, trust, &err), &err);
    check(!differs(&bench, "web", &store));

    folder_put(&bench.folder, "trust.pem", bench.two.pem, 0644);
    /* A resumed step finds what the first one left: that is not what was loaded. */
    check_ok(loaded_keep(&bench.call, trust, &err), &err);
    check(knows(&bench, "web", "trust", &certs) && knows(&bench, "app", "trust", &certs));
    check_int(certs.count, 1);
    check_str(certs.items[0].sha256, bench.one.cert.sha256);
    check(differs(&bench, "web", &store) && differs(&bench, "app", &store));
    check_str(store, S("trust"));

    check_ok(loaded_note(&bench.call, node_service(bench.node, S("web")), &err), &err);
    check(!differs(&bench, "web", &store) && differs(&bench, "app", &store));
    check(knows(&bench, "web", "trust", &certs));
    check_str(certs.items[0].sha256, bench.two.cert.sha256);
}

TEST(the_record_has_certificates_and_no_key)
{
    AUTO(bench) struct bench bench;
    AUTO(err) struct err err = { 0 };
    bench_make(&bench);
    check_ok(loaded_keep(&bench.call, node_store(bench.node, S("pair")), &err), &err);
    str path = folder_at(&bench.folder, "state/loaded/web:pair.pem");
    check_str(folder_text(&bench.folder, path), bench.one.pem);
    check_int(folder_mode(&bench.folder, path), 0600);
    check_int(folder_mode(&bench.folder, folder_at(&bench.folder, "state/loaded")), 0700);
}

TEST(a_store_without_its_file_is_on_no_record)
{
    AUTO(bench) struct bench bench;
    AUTO(err) struct err err = { 0 };
    cert_list certs;
    bench_make(&bench);
    check_ok(loaded_keep(&bench.call, node_store(bench.node, S("gone")), &err), &err);
    check_ok(loaded_note(&bench.call, node_service(bench.node, S("web")), &err), &err);
    check(!knows(&bench, "web", "gone", &certs));
}
