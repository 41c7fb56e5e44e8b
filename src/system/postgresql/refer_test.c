/* SPDX-License-Identifier: Apache-2.0 */
#include "system/postgresql/refer.h"

#include "system/postgresql/memory.h"
#include "tests/test.h"

static const struct identity_files new_files = {
    {"/n/c.crt",  8},
    { "/n/k.key", 8}
};

static struct file_edit refer(struct arena *arena, const struct memory_file *rows,
                              const char *store)
{
    AUTO(err) struct err err = { 0 };
    struct memory_files files = { rows, 3 };
    struct pgconf_source source = memory_source(&files);
    struct node_conf node = { .name = S("db"), .data = S("/d") };
    struct file_edit edit;
    check_ok(pg_refer(arena, &source, &node, str_c(store), &new_files, &edit, &err), &err);
    return edit;
}

/* What the edited file is, byte for byte. */
TEST(both_names_of_a_pair_go_into_the_file_that_wins)
{
    static const struct {
        struct memory_file rows[3];
        const char *path, *then;
    } cases[] = {
  /* Neither is set. */
        {{ { "/d/postgresql.conf", "ssl = on" } },
         "/d/postgresql.conf",      "ssl = on\nssl_cert_file = '/n/c.crt'\nssl_key_file = '/n/k.key'\n"          },
 /* Comments, case, blanks and line ends stay; of equal names the last is in force. */
        { { { "/d/postgresql.conf", "# ssl_cert_file = 'no'\nSSL_CERT_FILE='a'\r\n"
                                    "ssl_key_file  'k' # the key\nssl_cert_file = 'b'" } },
         "/d/postgresql.conf",      "# ssl_cert_file = 'no'\nSSL_CERT_FILE='a'\r\n"
          "ssl_key_file  '/n/k.key' # the key\nssl_cert_file = '/n/c.crt'"         },
 /* postgresql.auto.conf is read last. */
        { { { "/d/postgresql.conf", "ssl_cert_file = 'a'\nssl_key_file = 'k'\n" },
            { "/d/postgresql.auto.conf", "# By ALTER SYSTEM\nssl_key_file = 'it''s'\n" } },
         "/d/postgresql.auto.conf", "# By ALTER SYSTEM\nssl_key_file = '/n/k.key'\nssl_cert_file = '/n/c.crt'\n" },
 /* One in a file that is included behind the other. */
        { { { "/d/postgresql.conf", "ssl_cert_file = 'a'\ninclude 'tls.conf'\n" },
            { "/d/tls.conf", "ssl_key_file = k\n" } },
         "/d/tls.conf",             "ssl_key_file = '/n/k.key'\nssl_cert_file = '/n/c.crt'\n"                    },
 /* Or before it. */
        { { { "/d/postgresql.conf", "include 'tls.conf'\nssl_cert_file = 'a'\n" },
            { "/d/tls.conf", "ssl_key_file = k\n" } },
         "/d/postgresql.conf",      "include 'tls.conf'\nssl_cert_file = '/n/c.crt'\nssl_key_file = '/n/k.key'\n"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(arena) struct arena arena = { 0 };
        struct file_edit edit = refer(&arena, cases[i].rows, "server");
        check_str(edit.path, str_c(cases[i].path));
        check_str(edit.then, str_c(cases[i].then));
    }
}

TEST(a_setting_that_would_lose_to_a_later_one_is_refused_with_its_place)
{
    static const struct memory_file rows[] = {
        {"/d/postgresql.conf", "ssl_key_file = 'a'\ninclude 'tls.conf'\nssl_cert_file = 'b'\n"},
        { "/d/tls.conf",       "ssl_key_file = 'c'\n"                                         },
    };
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct memory_files files = { rows, COUNT(rows) };
    struct pgconf_source source = memory_source(&files);
    struct node_conf node = { .name = S("db"), .data = S("/d") };
    struct file_edit edit;
    check(!pg_refer(&arena, &source, &node, S("server"), &new_files, &edit, &err));
    check_int(err.kind, ERR_REFUSED);
    assert_string_equal(err.where, "/d/tls.conf:1");
}

TEST(a_standbys_certificate_is_named_in_its_connection_string)
{
    static const struct memory_file rows[3] = {
        {"/d/postgresql.conf",       "ssl = on\nprimary_conninfo = 'host=old'\n"},
        { "/d/postgresql.auto.conf",
         "# By ALTER SYSTEM\nprimary_conninfo = 'user=repl password=''it\\\\''s'' "
          "sslcert=/o/c sslmode=verify-full' # kept\nssl = on\n"                },
    };
    AUTO(arena) struct arena arena = { 0 };
    struct file_edit edit = refer(&arena, rows, "upstream");
    check_str(edit.path, S("/d/postgresql.auto.conf"));
    check_str(edit.now, str_c(rows[1].text));
    check_str(edit.then,
              S("# By ALTER SYSTEM\nprimary_conninfo = 'user=repl password=''it\\\\''s'' "
                "sslmode=verify-full sslcert=/n/c.crt sslkey=/n/k.key' # kept\nssl = on\n"));
}

TEST(what_no_setting_names_has_no_reference)
{
    static const struct memory_file rows[3] = {
        {"/d/postgresql.conf", "ssl = on\n"}
    };
    AUTO(arena) struct arena arena = { 0 };
    check_int(refer(&arena, rows, "upstream").path.len, 0);
    check_int(refer(&arena, rows, "clients").path.len, 0);
}
