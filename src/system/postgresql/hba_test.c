/* SPDX-License-Identifier: Apache-2.0 */
#include "system/postgresql/hba.h"

#include "tests/test.h"

static struct hba parsed(struct arena *arena, const char *text)
{
    AUTO(err) struct err err = { 0 };
    struct hba hba = { 0 };
    check_ok(hba_parse(arena, S("pg_hba.conf"), str_c(text), &hba, &err), &err);
    return hba;
}

TEST(a_line_is_read_with_its_lists_mask_method_and_options)
{
    AUTO(arena) struct arena arena = { 0 };
    struct hba hba = parsed(&arena, "# comment\n\nlocal all all peer\n"
                                    "host a,\"b c\" +ops, bob 10.0.0.1 255.0.0.0 md5 # why\n"
                                    "hostssl all all \\\n ::1/128 scram-sha-256 "
                                    "clientcert=verify-ca map=m\n");
    check_int(hba.lines.count, 3);
    const struct hba_line *host = &hba.lines.items[1], *ssl = &hba.lines.items[2];
    check_str(host->databases.items[1], S("b c"));
    check_str(host->users.items[1], S("bob"));
    check_str(host->address, S("10.0.0.1/255.0.0.0"));
    check_str(host->method, S("md5"));
    check_int(host->line, 4);
    check_str(ssl->address, S("::1/128"));
    check_str(ssl->clientcert, S("verify-ca"));
    check_str(ssl->map, S("m"));
}

TEST(a_line_that_the_server_would_refuse_is_named_by_its_number)
{
    static const char *const cases[] = { "\nhosts all all all trust\n", "\nlocal all\n",
                                         "\nhost all all all\n", "\nlocal \"all all peer\n" };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(arena) struct arena arena = { 0 };
        AUTO(err) struct err err = { 0 };
        struct hba hba = { 0 };
        check_err(hba_parse(&arena, S("pg_hba.conf"), str_c(cases[i]), &hba, &err), &err,
                  "not a client authentication line");
        assert_string_equal(err.where, "pg_hba.conf:2");
    }
}

TEST(what_is_demanded_of_tls_clients_follows_from_every_line_that_lets_them_in)
{
    // clang-format off
    static const struct { const char *text; struct hba_demand want; } cases[] = {
        { "local all all peer\n",                                     { false, false, false, false } },
        { "hostssl all all all cert\n",                               { true,  true,  false, true } },
        { "hostssl all all all cert map=m\n",                         { true,  true,  false, true } },
        { "hostssl all all all cert\nhost all all all md5\n",         { true,  false, true,  true } },
        { "hostssl all all all cert\nhost all all all reject\n",      { true,  true,  false, true } },
        { "hostssl all all all cert\nhostnossl all all all md5\n",    { true,  true,  false, true } },
        { "hostssl all all all md5 clientcert=verify-ca\n",           { true,  true,  false, false } },
        { "host all all all scram-sha-256\n",                         { true,  false, false, false } },
    };
    // clang-format on
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(arena) struct arena arena = { 0 };
        struct hba hba = parsed(&arena, cases[i].text);
        struct hba_demand got = hba_demand(&arena, &hba), want = cases[i].want;
        check(got.any == want.any && got.required == want.required &&
              got.optional == want.optional && got.user_is_cn == want.user_is_cn);
    }
}

TEST(users_whose_line_has_a_map_may_have_a_certificate_of_another_name)
{
    AUTO(arena) struct arena arena = { 0 };
    struct hba hba = parsed(&arena, "hostssl replication repl,other all cert map=standbys\n"
                                    "hostssl all app all cert\n"
                                    "hostssl all web all md5 clientcert=verify-ca map=m\n");
    struct hba_demand demand = hba_demand(&arena, &hba);
    check_int(demand.mapped.count, 2);
    check_str(demand.mapped.items[0], S("repl"));
    check_str(demand.mapped.items[1], S("other"));
}

TEST(replication_is_matched_by_its_own_keyword_and_not_by_all)
{
    AUTO(arena) struct arena arena = { 0 };
    struct hba hba = parsed(&arena, "hostssl all all all md5\n"
                                    "hostssl replication postgres all cert\n");
    check_int(hba_match(&hba, S("replication"), S("postgres"))->line, 2);
    check_int(hba_match(&hba, S("orders"), S("app"))->line, 1);
    check(hba_match(&hba, S("replication"), S("app")) == NULL);
}
