/* SPDX-License-Identifier: Apache-2.0 */
#include "system/postgresql/conninfo.h"

#include "tests/test.h"

#include <string.h>

TEST(a_connection_string_is_read_and_written_back_with_one_identity_switched)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct conninfo conninfo = { 0 }, again = { 0 };
    check_ok(conninfo_parse(&arena,
                            S("user=postgres host=db1 sslcert='/a b/c.crt' "
                              "application_name='it\\'s'"),
                            &conninfo, &err),
             &err);
    check_str(conninfo_get(&conninfo, "sslcert"), S("/a b/c.crt"));
    check_str(conninfo_get(&conninfo, "sslkey"), S(""));
    conninfo_set(&arena, &conninfo, "sslcert", S("/new.crt"));
    conninfo_set(&arena, &conninfo, "sslkey", S("/new\\.key"));
    str text = conninfo_format(&arena, &conninfo);
    check_ok(conninfo_parse(&arena, text, &again, &err), &err);
    check_str(conninfo_get(&again, "sslcert"), S("/new.crt"));
    check_str(conninfo_get(&again, "sslkey"), S("/new\\.key"));
    check_str(conninfo_get(&again, "application_name"), S("it's"));
    check_int(again.pairs.count, conninfo.pairs.count);
}

TEST(every_blank_that_libpq_ends_a_value_at_is_put_in_quotes)
{
    AUTO(arena) struct arena arena = { 0 };
    for (int byte = 1; byte < 256; byte++) {
        AUTO(err) struct err err = { 0 };
        struct conninfo conninfo = { 0 }, again = { 0 };
        str value = str_printf(&arena, "/a%cb", byte);
        conninfo_set(&arena, &conninfo, "sslcert", value);
        check_ok(conninfo_parse(&arena, conninfo_format(&arena, &conninfo), &again, &err), &err);
        check_str(conninfo_get(&again, "sslcert"), value);
    }
}

TEST(an_address_is_read_as_pairs)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct conninfo conninfo = { 0 };
    check_ok(conninfo_parse(&arena, S("postgresql://app@db1:5441/orders?sslmode=verify-full"),
                            &conninfo, &err),
             &err);
    check_str(conninfo_get(&conninfo, "host"), S("db1"));
    check_str(conninfo_get(&conninfo, "port"), S("5441"));
    check_str(conninfo_get(&conninfo, "sslmode"), S("verify-full"));
}

TEST(a_bad_connection_string_is_refused_without_repeating_its_password)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct conninfo conninfo = { 0 };
    check(!conninfo_parse(&arena, S("host=db1 password='s3cret"), &conninfo, &err));
    check(strstr(err.msg, "s3cret") == NULL);
    check_err(conninfo_parse(&arena, (str){ "a\0b", 3 }, &conninfo, &err), &err,
              "connection string: has a NUL byte");
}

static const char service_file[] = "# ours\n[db1]\nhost=db1\nsslcert=/t/c.crt\r\n\n"
                                   "[db2]\nhost=db2\n  sslcert=/t/c.crt\n#sslcert=/t/c.crt\n"
                                   "sslkey=/t/c.crt";

TEST(a_section_of_a_service_file_is_read_by_its_name)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct conninfo conninfo = { 0 };
    str_list names = { 0 };
    check_ok(service_file_section(&arena, str_c(service_file), S("db2"), &conninfo, &err), &err);
    check_str(conninfo_get(&conninfo, "host"), S("db2"));
    check_str(conninfo_get(&conninfo, "sslcert"), S("/t/c.crt"));
    check_err(service_file_section(&arena, str_c(service_file), S("db3"), &conninfo, &err), &err,
              "no section [db3]");
    service_file_sections(&arena, str_c(service_file), &names);
    check_int(names.count, 2);
    check_str(names.items[1], S("db2"));
}

TEST(an_edit_of_a_service_file_changes_the_named_value_in_every_section_and_nothing_else)
{
    AUTO(arena) struct arena arena = { 0 };
    check_str(service_file_edit(&arena, str_c(service_file), S("sslcert"), S("/t/c.crt"),
                                S("/t/new.crt")),
              S("# ours\n[db1]\nhost=db1\nsslcert=/t/new.crt\r\n\n"
                "[db2]\nhost=db2\n  sslcert=/t/new.crt\n#sslcert=/t/c.crt\nsslkey=/t/c.crt"));
}
