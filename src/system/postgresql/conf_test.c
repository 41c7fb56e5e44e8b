/* SPDX-License-Identifier: Apache-2.0 */
#include "system/postgresql/conf.h"

#include "system/postgresql/memory.h"
#include "tests/test.h"

static bool read_conf(struct arena *arena, const struct memory_file *rows, size_t count,
                      struct pgconf *conf, struct err *err)
{
    struct memory_files files = { rows, count };
    struct pgconf_source source = memory_source(&files);
    return pgconf_read(arena, &source, S("/etc/postgresql.conf"), conf, err);
}

static str value_of(const struct pgconf *conf, const char *name)
{
    const struct pgconf_setting *setting = pgconf_find(conf, name);
    return setting == NULL ? S("(unset)") : setting->value;
}

TEST(a_setting_is_found_whatever_its_quotes_case_comment_and_equals_sign)
{
    // clang-format off
    static const struct { const char *line, *name, *want; } cases[] = {
        { "ssl = on",                                "ssl",           "on" },
        { "ssl on",                                  "ssl",           "on" },
        { "  SSL=on#comment",                        "ssl",           "on" },
        { "ssl_key_file = '/a b/k#1.key' # comment", "ssl_key_file",  "/a b/k#1.key" },
        { "x = 'it''s'",                             "x",             "it's" },
        { "x = 'it\\'s'",                            "x",             "it's" },
        { "x = 'a\\tb\\101\\q'",                     "x",             "a\tbAq" },
        { "x = ''",                                  "x",             "" },
        { "my.custom = 1",                           "my.custom",     "1" },
        { "ssl = on\r",                              "ssl",           "on" },
    };
    // clang-format on
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(arena) struct arena arena = { 0 };
        AUTO(err) struct err err = { 0 };
        const struct memory_file rows[] = {
            {"/etc/postgresql.conf", cases[i].line}
        };
        struct pgconf conf = { 0 };
        check_ok(read_conf(&arena, rows, 1, &conf, &err), &err);
        check_str(value_of(&conf, cases[i].name), str_c(cases[i].want));
    }
}

TEST(includes_are_read_where_they_stand_and_the_last_setting_wins)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    const struct memory_file rows[] = {
        {"/etc/postgresql.conf", "a = 1\ninclude 'b.conf'\ninclude_if_exists = 'none.conf'\n"
                                  "include_dir = 'conf.d'\nb = 9\n"},
        { "/etc/b.conf",         "a = 2\nb = 2\n"                                                  },
        { "/etc/conf.d/10.conf", "c = 1\n"                                                         },
        { "/etc/conf.d/20.conf", "c = 2\n"                                                         },
    };
    struct pgconf conf = { 0 };
    check_ok(read_conf(&arena, rows, COUNT(rows), &conf, &err), &err);
    check_str(value_of(&conf, "a"), S("2"));
    check_str(value_of(&conf, "b"), S("9"));
    check_str(value_of(&conf, "c"), S("2"));
    check_str(pgconf_find(&conf, "c")->file, S("/etc/conf.d/20.conf"));
    check_int(pgconf_find(&conf, "b")->line, 5);
    check_int(conf.files.count, 4);
    check(pgconf_find(&conf, "d") == NULL);
}

TEST(a_line_that_is_no_setting_a_missing_include_and_a_circle_are_named)
{
    // clang-format off
    static const struct { const char *text, *want, *where; } cases[] = {
        { "ssl = on\nssl_key_file = 'open\n", "not a setting: ssl_key_file = 'open", "/etc/postgresql.conf:2" },
        { "ssl =\n",                          "not a setting: ssl =", "/etc/postgresql.conf:1" },
        { "a = b c\n",                        "not a setting: a = b c", "/etc/postgresql.conf:1" },
        { "\ninclude 'x'\n",                  "/etc/x: No such file or directory", "/etc/postgresql.conf:2" },
        { "include 'postgresql.conf'\n",      "/etc/postgresql.conf: included more than 10 deep", "/etc/postgresql.conf:1" },
    };
    // clang-format on
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(arena) struct arena arena = { 0 };
        AUTO(err) struct err err = { 0 };
        const struct memory_file rows[] = {
            {"/etc/postgresql.conf", cases[i].text}
        };
        struct pgconf conf = { 0 };
        check_err(read_conf(&arena, rows, 1, &conf, &err), &err, cases[i].want);
        assert_string_equal(err.where, cases[i].where);
    }
}

TEST(an_edit_changes_the_last_line_of_a_name_and_leaves_every_other_byte)
{
    AUTO(arena) struct arena arena = { 0 };
    static const struct pgconf_change changes[] = {
        {{ "ssl_cert_file", 13 }, { "/n/it's.crt", 11 }},
        { { "ssl_key_file", 12 }, { "/n/k.key", 8 }    },
    };
    check_str(pgconf_edit(&arena,
                          S("# head\nssl_cert_file = 'a' # old\n\tSSL_CERT_FILE 'b'   # why\r\n"
                            "#ssl_key_file = 'c'\nport = 1"),
                          changes, 2),
              S("# head\nssl_cert_file = 'a' # old\n\tSSL_CERT_FILE '/n/it''s.crt'   # why\r\n"
                "#ssl_key_file = 'c'\nport = 1\nssl_key_file = '/n/k.key'\n"));
}

TEST(what_was_edited_reads_back_as_it_was_meant)
{
    static const char *const values[] = { "plain", "it's", "back\\slash", "a b", "", "#", "\\'" };
    for (size_t i = 0; i < COUNT(values); i++) {
        AUTO(arena) struct arena arena = { 0 };
        AUTO(err) struct err err = { 0 };
        struct pgconf_change change = { S("x"), str_c(values[i]) };
        str text = pgconf_edit(&arena, S("x = 1 # one\n"), &change, 1);
        const struct memory_file rows[] = {
            {"/etc/postgresql.conf", str_cstr(&arena, text)}
        };
        struct pgconf conf = { 0 };
        check_ok(read_conf(&arena, rows, 1, &conf, &err), &err);
        check_str(value_of(&conf, "x"), str_c(values[i]));
        check_int(conf.settings.count, 1);
    }
}
