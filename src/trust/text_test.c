/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"
#include "trust/pair_test.h"

static str text(struct pair *pair)
{
    return verdict_text(&pair->arena, &pair->model, &pair->link, pair_judge(pair), PKI_NOW);
}

static void check_has(str whole, str part)
{
    if (str_find(whole, part) == whole.len)
        fail_msg("\"%.*s\" is not in \"%.*s\"", STR_ARG(part), STR_ARG(whole));
}

TEST(a_good_verdict_says_until_when)
{
    AUTO(pair) struct pair pair;
    pair_init(&pair);
    pair_link(&pair);
    check_str(text(&pair), S("db2/postgres and db1/postgres accept each other at least until "
                             "2027-02-22T00:00:00Z"));
}

TEST(a_refusal_names_who_refuses_whom_the_certificate_the_rule_and_since_when)
{
    AUTO(pair) struct pair pair;
    pair_init(&pair);
    pair.client.not_after = PKI_NOW - 2 * PKI_DAY;
    pair.client.not_before = PKI_NOW - 9 * PKI_DAY;
    pair_link(&pair);
    str said = text(&pair);
    check(str_starts(said, S("db1/postgres refuses db2/postgres: client certificate expired: "
                             "CN=postgres (sha256:")));
    check_has(said, S("since 2026-11-22T00:00:00Z, 2 days ago"));
    check_has(said, S("(RFC 5280, 6.1.3 (a) (2))"));
}

TEST(a_refusal_says_what_was_demanded)
{
    AUTO(pair) struct pair pair;
    pair_init(&pair);
    pair_link(&pair);
    pair.link.name = S("db9");
    check(str_starts(text(&pair), S("db2/postgres refuses db1/postgres: name does not match")));
    check_has(text(&pair), S("is not for \"db9\""));
    pair.link.name = S("db1");
    pair.link.user = S("app");
    check_has(text(&pair), S("is not for user \"app\""));
    pair.link.user_is_cn = false;
    pair.model.services.items[pair.link.to].client_identity = S("CN=app");
    check_has(text(&pair), S("is not \"CN=app\""));
}

TEST(a_signer_is_refused_by_who_verifies_what_it_signed)
{
    AUTO(pair) struct pair pair;
    pair_init(&pair);
    pair.server.not_after = PKI_NOW - PKI_DAY;
    pair.server.not_before = PKI_NOW - 2 * PKI_DAY;
    pair_link(&pair);
    pair.link.kind = LINK_SIGNER;
    str said = text(&pair);
    check(str_starts(said, S("db1/postgres refuses db2/postgres: signing certificate expired: "
                             "CN=db1 (sha256:")));
    check_has(said, S("since 2026-11-23T00:00:00Z, 1 day ago"));
    check_has(said, S("(RFC 5280, 6.1.3 (a) (2))"));
}

TEST(nothing_presented_is_said_without_a_certificate)
{
    AUTO(pair) struct pair pair;
    pair_init(&pair);
    pair_link(&pair);
    pair.ends.client_chain = NO_ID;
    check_str(text(&pair), S("db1/postgres refuses db2/postgres: client certificate missing "
                             "(RFC 8446, 4.4.2)"));
}
