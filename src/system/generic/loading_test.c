/* SPDX-License-Identifier: Apache-2.0 */
/* What is seen on the wire is tried with real servers, in tests/system/web.sh. */
#include "system/generic/loading.h"

#include "node/loaded.h"
#include "tests/folder.h"
#include "tests/pki.h"
#include "tests/test.h"

struct bench {
    struct folder folder;
    struct pki one, two;
    struct cluster cluster;
    struct driver_call call;
    const struct service_conf *service;
};
DEFINE_AUTO(bench, struct bench, folder_close(&handle->folder))

static void bench_make(struct bench *bench, const char *keys)
{
    AUTO(err) struct err err = { 0 };
    *bench = (struct bench){ 0 };
    folder_open(&bench->folder);
    struct arena *arena = &bench->folder.arena;
    bench->one = pki_make(arena, &(struct pki_spec){ .name = "One", .ca = true });
    bench->two = pki_make(arena, &(struct pki_spec){ .name = "Two", .ca = true });
    str trust = folder_put(&bench->folder, "trust.pem", bench->one.pem, 0644);
    str text = str_printf(
        arena, "{nodes: {n: {stores: {trust: {certificates: %.*s}}, services: {app: {%s}}}}}",
        STR_ARG(trust), keys);
    check_ok(cluster_parse(arena, "/n.yaml", text, true, &bench->cluster, &err), &err);
    bench->call = (struct driver_call){ .arena = arena,
                                        .node = &bench->cluster.nodes.items[0],
                                        .state = folder_at(&bench->folder, "state"),
                                        .timeout_ms = 10000 };
    bench->service = &bench->call.node->services.items[0];
}

static enum observed loaded(struct bench *bench, str *ret_evidence)
{
    AUTO(err) struct err err = { 0 };
    enum observed observed;
    check_ok(loading_loaded(&bench->call, bench->service, &observed, ret_evidence, &err), &err);
    return observed;
}

TEST(a_daemon_that_nothing_can_ask_has_loaded_what_is_on_record)
{
    AUTO(bench) struct bench bench;
    AUTO(err) struct err err = { 0 };
    cert_list certs;
    str evidence;
    bool known;
    bench_make(&bench, "trust: [trust], refresh: [/bin/true]");
    const struct store_conf *trust = &bench.call.node->stores.items[0];
    check_int(loaded(&bench, &evidence), OBSERVED_AFTER);
    check_ok(loading_memory(&bench.call, bench.service, trust, &certs, &known, &err), &err);
    check(!known);

    check_ok(loaded_keep(&bench.call, trust, &err), &err);
    folder_put(&bench.folder, "trust.pem", bench.two.pem, 0644);
    check_int(loaded(&bench, &evidence), OBSERVED_BEFORE);
    check_str(evidence, S("it has not loaded trust since that changed"));
    check_ok(loading_memory(&bench.call, bench.service, trust, &certs, &known, &err), &err);
    check(known);
    check_int(certs.count, 1);
    check_str(certs.items[0].sha256, bench.one.cert.sha256);
}

TEST(a_service_is_well_when_its_health_command_says_so)
{
    static const struct {
        const char *keys;
        bool healthy;
        const char *text;
    } cases[] = {
        {"",                                                  true,  ""                                         },
        { "health: [/bin/true]",                              true,  "its health command /bin/true ended with 0"},
        { "health: [/bin/sh, -c, 'echo no; echo x; exit 3']", false,
         "its health command /bin/sh ended with 3: no"                                                          },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(bench) struct bench bench;
        AUTO(err) struct err err = { 0 };
        bool healthy;
        str text;
        bench_make(&bench, cases[i].keys);
        check_ok(loading_health(&bench.call, bench.service, &healthy, &text, &err), &err);
        check_int(healthy, cases[i].healthy);
        check_str(text, str_c(cases[i].text));
    }
}

/* A health command in whose answer the third question is the first that is answered well. */
#define THIRD \
    "health: [/bin/sh, -c, 'cd \"$0\" && echo >>asked && [ $(wc -l <asked) -ge 3 ]', PLACE]"

TEST(a_refresh_is_over_when_the_health_command_of_every_service_of_the_process_says_so)
{
    static const struct {
        const char *keys;
        size_t service; /* whose health it is */
    } cases[] = {
        {"refresh: [/bin/true], " THIRD,                                     0},
        { "refresh: [/bin/true]}, other: {refresh: [/bin/true], " THIRD,     1},
        { "refresh: [/bin/true], " THIRD "}, other: {refresh: [/bin/false]", 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(bench) struct bench bench;
        AUTO(err) struct err err = { 0 };
        str evidence;
        bench_make(&bench, cases[i].keys);
        struct node_conf *node = &bench.cluster.nodes.items[0];
        node->services.items[cases[i].service].health.items[3] = bench.folder.path;
        check_ok(loading_refresh(&bench.call, bench.service, &evidence, &err), &err);
        check_str(folder_text(&bench.folder, folder_at(&bench.folder, "asked")), S("\n\n\n"));
    }
}
