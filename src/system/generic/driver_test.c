/* SPDX-License-Identifier: Apache-2.0 */
/* Covers driver.c and reference.c. */
#include "system/generic/driver.h"

#include "tests/folder.h"
#include "tests/test.h"

struct bench {
    struct folder folder;
    struct cluster cluster;
    struct driver_call call;
    const struct service_conf *service;
    str path; /* of the service file */
};
DEFINE_AUTO(bench, struct bench, folder_close(&handle->folder))

static void bench_make(struct bench *bench, const char *text, const char *refresh)
{
    AUTO(err) struct err err = { 0 };
    *bench = (struct bench){ 0 };
    folder_open(&bench->folder);
    struct arena *arena = &bench->folder.arena;
    bench->path = folder_put(&bench->folder, "pg_service.conf", str_c(text), 0600);
    str node = str_printf(arena,
                          "{nodes: {app: {stores: {client: {certificate: /d.crt, key: /d.key}}, "
                          "services: {app: {identities: [{store: client}], reference: %.*s, "
                          "refresh: %s}}}}}",
                          STR_ARG(bench->path), refresh);
    check_ok(cluster_parse(arena, "/n.yaml", node, true, &bench->cluster, &err), &err);
    bench->call = (struct driver_call){ .arena = arena,
                                        .node = &bench->cluster.nodes.items[0],
                                        .timeout_ms = 30000 };
    bench->service = &bench->call.node->services.items[0];
}

static bool discover(struct bench *bench, struct cluster *ret_fragment, struct err *err)
{
    finding_list findings = { 0 };
    *ret_fragment = (struct cluster){ .arena = &bench->folder.arena };
    return driver_generic.discover(&bench->call, ret_fragment, &findings, err);
}

static const struct identity_files new_files = {
    {"/n.crt",  6},
    { "/n.key", 6}
};

TEST(a_service_file_is_right_about_which_certificate_a_client_uses)
{
    AUTO(bench) struct bench bench;
    AUTO(err) struct err err = { 0 };
    struct cluster fragment;
    bench_make(&bench,
               "[plain]\nhost=a\n[one]\nsslcert=/f.crt\nsslkey=/f.key\n[two]\nsslcert=/f.crt\n"
               "sslkey=/f.key\n",
               "[]");
    check_ok(discover(&bench, &fragment, &err), &err);
    check_int(fragment.nodes.items[0].stores.count, 1);
    check_str(fragment.nodes.items[0].stores.items[0].name, S("client"));
    check_str(fragment.nodes.items[0].stores.items[0].certificate, S("/f.crt"));
    check_str(fragment.nodes.items[0].stores.items[0].key, S("/f.key"));
}

TEST(sections_that_name_different_certificates_are_refused)
{
    AUTO(bench) struct bench bench;
    AUTO(err) struct err err = { 0 };
    struct cluster fragment;
    struct file_edit edit;
    bench_make(&bench, "[one]\nsslcert=/f.crt\n[two]\nsslcert=/g.crt\n", "[]");
    check(!discover(&bench, &fragment, &err));
    check_int(err.kind, ERR_FORMAT);
    check(str_find(str_c(err.msg), S("[two] names /g.crt")) < str_c(err.msg).len);
    err_clear(&err);
    check(!driver_generic.refer(&bench.call, bench.service, S("client"), &new_files, &edit, &err));
    check_int(err.kind, ERR_FORMAT);
}

TEST(every_section_is_switched_and_every_other_byte_stays)
{
    AUTO(bench) struct bench bench;
    AUTO(err) struct err err = { 0 };
    struct file_edit edit;
    bench_make(&bench,
               "# ours /f.crt\r\n\n[one]\nhost=a\nsslcert=/f.crt\nsslkey=/f.key\n"
               "[plain]\nhost=/f.crt\n[two]\nsslkey=/f.key\nsslcert=/f.crt",
               "[]");
    check_ok(driver_generic.refer(&bench.call, bench.service, S("client"), &new_files, &edit, &err),
             &err);
    check_str(edit.path, bench.path);
    check_str(edit.now, folder_text(&bench.folder, bench.path));
    check_str(edit.then, S("# ours /f.crt\r\n\n[one]\nhost=a\nsslcert=/n.crt\nsslkey=/n.key\n"
                           "[plain]\nhost=/f.crt\n[two]\nsslkey=/n.key\nsslcert=/n.crt"));
    check_ok(driver_generic.refer(&bench.call, bench.service, S("other"), &new_files, &edit, &err),
             &err);
    check_int(edit.path.len, 0);
}

TEST(a_configuration_file_is_right_about_every_identity_that_it_names)
{
    AUTO(bench) struct bench bench;
    AUTO(err) struct err err = { 0 };
    struct cluster fragment;
    struct file_edit edit;
    bench_make(&bench, "ssl_certificate /d.0a1b2c3d.crt;\nssl_certificate_key /d.key;\n", "[]");
    check_ok(discover(&bench, &fragment, &err), &err);
    check_int(fragment.nodes.items[0].stores.count, 1);
    check_str(fragment.nodes.items[0].stores.items[0].certificate, S("/d.0a1b2c3d.crt"));
    check_str(fragment.nodes.items[0].stores.items[0].key, S("/d.key"));
    check_ok(driver_generic.refer(&bench.call, bench.service, S("client"), &new_files, &edit, &err),
             &err);
    check_str(edit.then, S("ssl_certificate /n.crt;\nssl_certificate_key /n.key;\n"));
}

TEST(a_configuration_file_that_could_not_be_switched_is_refused)
{
    static const char *const cases[][2] = {
        {"ssl_certificate /e.crt;",                     "pg_service.conf names neither /d.crt nor /d.key"},
        { "ssl_certificate /d.crt;",                    "pg_service.conf names /d.crt and not /d.key"    },
        { "a /d.crt;\nb /d.00000000.crt;\nc /d.key;\n", "names /d.crt and also /d.00000000.crt"          },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(bench) struct bench bench;
        AUTO(err) struct err err = { 0 };
        struct cluster fragment;
        bench_make(&bench, cases[i][0], "[]");
        check(!discover(&bench, &fragment, &err));
        check_int(err.kind, ERR_FORMAT);
        check(str_find(str_c(err.msg), str_c(cases[i][1])) < str_c(err.msg).len);
    }
}

TEST(a_refresh_command_that_fails_says_what_it_said)
{
    static const struct {
        const char *refresh;
        enum err_kind want;
        const char *says;
    } cases[] = {
        {"[]",                                ERR_REFUSED, "no refresh command"},
        { "[/bin/sh, -c, 'echo no; exit 3']", ERR_SYSTEM,  "ended with 3: no"  },
        { "[/bin/true]",                      ERR_NONE,    ""                  },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(bench) struct bench bench;
        AUTO(err) struct err err = { 0 };
        str evidence;
        bench_make(&bench, "", cases[i].refresh);
        (void)!driver_generic.refresh(&bench.call, bench.service, &evidence, &err);
        check_int(err.kind, cases[i].want);
        if (err.msg != NULL)
            check(str_find(str_c(err.msg), str_c(cases[i].says)) < str_c(err.msg).len);
        else
            check_str(evidence, S("/bin/true ended with 0"));
    }
}
