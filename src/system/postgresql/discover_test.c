/* SPDX-License-Identifier: Apache-2.0 */
#include "system/postgresql/discover.h"

#include "system/postgresql/memory.h"
#include "tests/test.h"

static struct cluster discovered(struct arena *arena, const struct memory_files *files,
                                 struct node_conf node)
{
    AUTO(err) struct err err = { 0 };
    struct pgconf_source source = memory_source(files);
    struct cluster fragment = { 0 };
    check_ok(pg_discover(arena, &source, &node, &fragment, &err), &err);
    check_int(fragment.nodes.count, 1);
    return fragment;
}

static const struct store_conf *store_of(const struct cluster *fragment, str name)
{
    const struct node_conf *node = &fragment->nodes.items[0];
    for (size_t i = 0; i < node->stores.count; i++)
        if (str_eq(node->stores.items[i].name, name))
            return &node->stores.items[i];
    fail_msg("no store %.*s", STR_ARG(name));
    return NULL;
}

TEST(a_standby_is_found_with_its_stores_its_demands_and_its_upstream)
{
    static const struct memory_file rows[] = {
        {"/d/postgresql.conf",       "ssl = ON\nlisten_addresses = '127.0.0.1'\nport = 5441\n"
                                "ssl_cert_file = '/t/server.crt'\nssl_key_file = 'k/server.key'\n"
                                "ssl_ca_file = 'root.crt'\n"},
        { "/d/postgresql.auto.conf",
         "primary_conninfo = 'user=postgres host=db1.example hostaddr=127.0.0.1 port=5440 "
          "sslmode=verify-full sslcert=/t/c.crt sslkey=/t/c.key sslrootcert=/t/ca.crt'\n"
          "ssl_cert_file = '/t/newer.crt'\n"                                              },
        { "/d/pg_hba.conf",          "local all all peer\nhostssl all all all cert\n"     },
        { "/d/standby.signal",       ""                                                   },
    };
    AUTO(arena) struct arena arena = { 0 };
    struct memory_files files = { rows, COUNT(rows) };
    struct cluster fragment =
        discovered(&arena, &files, (struct node_conf){ .name = S("db2"), .data = S("/d") });
    const struct service_conf *service = &fragment.nodes.items[0].services.items[0];
    check_str(service->listen, S("127.0.0.1:5441"));
    check_str(service->role, S("replica"));
    check_str(service->client_auth, S("required"));
    check_str(store_of(&fragment, S("server"))->certificate, S("/t/newer.crt"));
    check_str(store_of(&fragment, S("server"))->key, S("/d/k/server.key"));
    check_str(store_of(&fragment, S("clients"))->certificates, S("/d/root.crt"));
    check_str(store_of(&fragment, S("upstream"))->key, S("/t/c.key"));
    check_str(store_of(&fragment, S("primary"))->certificates, S("/t/ca.crt"));
    check_int(fragment.links.count, 1);
    const struct link_conf *link = &fragment.links.items[0];
    check_str(link->from, S("db2/postgres"));
    check_str(link->to, S("127.0.0.1:5440"));
    check_str(link->name, S("db1.example"));
    check_str(link->verify, S("full"));
    check_str(link->user, S("postgres"));
}

TEST(a_debian_cluster_is_found_by_its_configuration_outside_the_data_folder)
{
    static const struct memory_file rows[] = {
        {"/etc/postgresql/15/main/postgresql.conf",
         "data_directory = '/var/lib/postgresql/15/main'\t# use data in another directory\n"
          "hba_file = '/etc/postgresql/15/main/pg_hba.conf'\nport = 5433\nssl = on\n"
          "ssl_cert_file = '/etc/ssl/certs/ssl-cert-snakeoil.pem'\n"
          "ssl_key_file = '/etc/ssl/private/ssl-cert-snakeoil.key'\ninclude_dir = 'conf.d'\n"},
        { "/etc/postgresql/15/main/conf.d/tls.conf", "ssl_ca_file = '/etc/ssl/ca.pem'\n"     },
        { "/etc/postgresql/15/main/pg_hba.conf",
         "host all all all scram-sha-256\nhostssl repl all all cert map=m\n"                 },
    };
    AUTO(arena) struct arena arena = { 0 };
    struct memory_files files = { rows, COUNT(rows) };
    struct cluster fragment =
        discovered(&arena, &files,
                   (struct node_conf){ .name = S("main"),
                                       .config = S("/etc/postgresql/15/main/postgresql.conf") });
    const struct service_conf *service = &fragment.nodes.items[0].services.items[0];
    check_str(fragment.nodes.items[0].data, S("/var/lib/postgresql/15/main"));
    check_str(service->listen, S("localhost:5433"));
    check_str(service->role, S("primary"));
    check_str(service->client_auth, S("optional"));
    check_str(store_of(&fragment, S("clients"))->certificates, S("/etc/ssl/ca.pem"));
    check_int(fragment.links.count, 0);
}

TEST(a_server_without_tls_has_a_service_and_no_store)
{
    static const struct memory_file rows[] = {
        {"/d/postgresql.conf", "ssl = off\n"},
        { "/d/pg_hba.conf",    ""           }
    };
    AUTO(arena) struct arena arena = { 0 };
    struct memory_files files = { rows, COUNT(rows) };
    struct cluster fragment =
        discovered(&arena, &files, (struct node_conf){ .name = S("db"), .data = S("/d") });
    check_int(fragment.nodes.items[0].stores.count, 0);
    check_int(fragment.nodes.items[0].services.items[0].identities.count, 0);
}

TEST(what_cannot_be_read_is_named_with_its_node_file_and_line)
{
    static const struct {
        struct memory_file rows[3];
        const char *want, *where;
    } cases[] = {
        {{ { "/x", "" } },                                   "node db: /d/postgresql.conf: No such file or directory", NULL                  },
        { { { "/d/postgresql.conf", "ssl" }, { "/x", "" } },
         "node db: not a setting: ssl",                                                                                "/d/postgresql.conf:1"},
        { { { "/d/postgresql.conf", "" }, { "/x", "" } },
         "/d/pg_hba.conf: No such file or directory",                                                                  NULL                  },
        { { { "/d/postgresql.conf", "primary_conninfo = 'host'" },
            { "/d/standby.signal", "" },
            { "/d/pg_hba.conf", "" } },
         "primary_conninfo: not a connection string",                                                                  "/d/postgresql.conf:1"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(arena) struct arena arena = { 0 };
        AUTO(err) struct err err = { 0 };
        struct memory_files files = { cases[i].rows, COUNT(cases[i].rows) };
        struct pgconf_source source = memory_source(&files);
        struct node_conf node = { .name = S("db"), .data = S("/d") };
        struct cluster fragment;
        check_err(pg_discover(&arena, &source, &node, &fragment, &err), &err, cases[i].want);
        if (cases[i].where != NULL)
            assert_string_equal(err.where, cases[i].where);
    }
}

TEST(an_identity_that_nobody_named_is_found_in_the_users_home)
{
    static const struct memory_file rows[] = {
        {"/d/postgresql.conf",                   "ssl = on\nprimary_conninfo = 'host=db1 sslmode=require'\n"},
        { "/d/pg_hba.conf",                      "local all all peer\n"                                     },
        { "/d/standby.signal",                   ""                                                         },
        { "/home/pg/.postgresql/postgresql.crt", "x"                                                        },
        { "/home/pg/.postgresql/postgresql.key", "x"                                                        },
        { "/home/pg/.postgresql/root.crt",       "x"                                                        },
    };
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct memory_files files = { rows, COUNT(rows) };
    struct pgconf_source source = memory_source(&files);
    struct node_conf node = { .name = S("db2"), .data = S("/d") };
    struct cluster fragment = { 0 };
    source.home = S("/home/pg");
    check_ok(pg_discover(&arena, &source, &node, &fragment, &err), &err);
    check_str(store_of(&fragment, S("upstream"))->certificate,
              S("/home/pg/.postgresql/postgresql.crt"));
    check_str(store_of(&fragment, S("upstream"))->key, S("/home/pg/.postgresql/postgresql.key"));
    check_str(fragment.links.items[0].trust, S("primary"));
    check_str(fragment.links.items[0].verify, S("ca")); /* require, with a root file */
}

TEST(a_server_that_listens_at_several_addresses_is_found_at_one_that_stands_for_them)
{
    // clang-format off
    static const struct { const char *addresses, *listen; } cases[] = {
        { "*", "0.0.0.0:5432" }, { "0.0.0.0", "0.0.0.0:5432" }, { "::", "[::]:5432" },
        { "localhost", "localhost:5432" }, { "localhost, ::1", "localhost:5432" },
        { "localhost,192.0.2.1", "0.0.0.0:5432" }, { "192.0.2.1, 127.0.0.1", "0.0.0.0:5432" },
        { "192.0.2.1,192.0.2.2", "192.0.2.1:5432" }, { "2001:db8::1", "[2001:db8::1]:5432" },
        { "", "" },
    };
    // clang-format on
    AUTO(arena) struct arena arena = { 0 };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(err) struct err err = { 0 };
        struct node_conf node = { .name = S("db1"), .data = S("/d") };
        struct cluster fragment;
        const struct memory_file rows[] = {
            {"/d/postgresql.conf",
             str_printf(&arena,           "listen_addresses = '%s'\n", cases[i].addresses).ptr },
            { "/d/pg_hba.conf", ""}
        };
        const struct memory_files files = { rows, COUNT(rows) };
        struct pgconf_source source = memory_source(&files);
        check_ok(pg_discover(&arena, &source, &node, &fragment, &err), &err);
        check_str(fragment.nodes.items[0].services.items[0].listen, str_c(cases[i].listen));
    }
}
