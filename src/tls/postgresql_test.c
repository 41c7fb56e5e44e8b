/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/postgresql.h"

#include "base/clock.h"
#include "tests/test.h"

#include <string.h>
#include <sys/socket.h>

/* The dialogue over a plain pair of sockets, the peer's words sent beforehand. */
static struct probe_result talk_to(struct arena *arena, str words, bool confirm, char sent[128])
{
    int fds[2];
    check_int(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    AUTO(fd) int peer = fds[1];
    AUTO(wire) struct wire wire = { .fd = fds[0], .deadline = clock_monotonic_ms() + 5000 };
    struct probe_request request = { .user = S("app"), .database = S("orders") };
    struct probe_result result = { 0 };
    struct talk talk = { .arena = arena, .request = &request, .wire = &wire, .result = &result };
    check_int(send(peer, words.ptr, words.len, 0), words.len);
    check_int(confirm ? postgresql_confirm(&talk) : postgresql_prelude(&talk), WIRE_OK);
    check(recv(peer, sent, 128, 0) > 0);
    return result;
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
