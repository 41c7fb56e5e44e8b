/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/postgresql.h"

#include "tls/dialogue_test.h"

#include <string.h>

static struct probe_result talk_to(struct arena *arena, str words, bool confirm, char sent[128])
{
    struct probe_request request = { .user = S("app"), .database = S("orders") };
    return dialogue_hears(arena, confirm ? postgresql_confirm : postgresql_prelude, &request, words,
                          sent);
}

TEST(a_start_up_packet_names_user_and_database_and_an_error_is_quoted)
{
    AUTO(arena) struct arena arena = { 0 };
    char sent[128];
    struct probe_result got = talk_to(&arena, S("E\0\0\0\x0bMnope\0\0"), true, sent);
    check(memcmp(sent, "\0\0\0\x22\0\3\0\0user\0app\0database\0orders\0", 34) == 0);
    check_int(got.outcome, PROBE_REFUSED_BY_PEER);
    check_str(got.text, S("PostgreSQL: \"nope\""));
}

TEST(a_message_longer_than_any_answer_is_refused_unread)
{
    AUTO(arena) struct arena arena = { 0 };
    char sent[128];
    check_int(talk_to(&arena, S("E\x7f\xff\xff\xff"), true, sent).outcome, PROBE_FAILED);
    check_int(talk_to(&arena, S("E\0\0\0\3"), true, sent).outcome, PROBE_FAILED);
}

TEST(the_answer_to_an_ssl_request_is_one_byte)
{
    AUTO(arena) struct arena arena = { 0 };
    char sent[128];
    check_int(talk_to(&arena, S("N"), false, sent).cause, CAUSE_tls_on_plaintext_port);
    check(memcmp(sent, "\0\0\0\x08\x04\xd2\x16\x2f", 8) == 0);
    check_int(talk_to(&arena, S("HTTP/1.1"), false, sent).cause, CAUSE_not_tls);
}
