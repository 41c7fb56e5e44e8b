/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/ldap.h"

#include "tls/dialogue_test.h"

/* An ExtendedResponse to message 1 with result 2, as slapd 2.5 sends it. */
static const str refused = { "\x30\x2a\x02\x01\x01\x78\x25\x0a\x01\x02\x04\x00\x04\x1e"
                             "unsupported extended operation",
                             44 };
static const struct probe_request request;

TEST(start_tls_is_asked_for_as_rfc_4511_writes_it_and_a_refusal_is_quoted)
{
    AUTO(arena) struct arena arena = { 0 };
    char sent[DIALOGUE_SENT];
    struct probe_result got = dialogue_hears(&arena, ldap_prelude, &request, refused, sent);
    check(memcmp(sent,
                 "\x30\x1d\x02\x01\x01\x77\x18\x80\x16"
                 "1.3.6.1.4.1.1466.20037",
                 32) == 0);
    check_int(got.outcome, PROBE_NOT_TLS);
    check_int(got.cause, CAUSE_tls_on_plaintext_port);
    check_str(got.text, S("LDAP: \"unsupported extended operation\" (protocolError, 2)"));
}

TEST(what_is_not_ldap_is_told_from_a_refusal)
{
    // clang-format off
    static const struct { str words; enum cause cause; } cases[] = {
        { { "HTTP/1.1 400 Bad Request\r\n", 26 }, CAUSE_not_tls },
        { { "\x15\x03\x01\0\x02\x02\x46", 7 }, CAUSE_not_tls },               /* a TLS alert */
        { { "\x30\x80\x02\x01\x01\x78\0\0", 8 }, CAUSE_not_tls },             /* indefinite */
        { { "\x30\x85\0\0\0\0\x0c", 7 }, CAUSE_not_tls },                     /* 5 bytes of length */
        { { "\x30\x84\x7f\xff\xff\xff", 6 }, CAUSE_not_tls },                 /* too long to read */
        { { "\x30\x0c\2\1\1\x78\x08\x0a\1\0\4\0\4\0", 14 }, CAUSE_not_tls },  /* past its end */
        { { "\x30\x0c\2\1\1\x78\7\x0a\1\0\4\1\4\0", 14 }, CAUSE_not_tls },
        { { "\x30\x0c\2\1\1\x78\7\x0a\1\xff\4\0\4\0", 14 }, CAUSE_not_tls },  /* below zero */
        { { "\x30\x0c\2\1\1\x65\7\x0a\1\0\4\0\4\0", 14 }, CAUSE_not_tls },    /* of a search */
        { { "\x30\x0c\2\1\0\x78\7\x0a\1\x34\4\0\4\0", 14 }, CAUSE_not_tls },  /* disconnection */
        { { "\x30\x0c\2\1\1\x78\7\x0a\1\x34\4\0\4\0", 14 }, CAUSE_tls_on_plaintext_port },
        { { "\x30\x0c\2\1\1\x78\7\x0a\1\0\4\0\4\0", 14 }, CAUSE_none },
        { { "\x30\x84\0\0\0\x0c\2\1\1\x78\7\x0a\1\0\4\0\4\0", 18 }, CAUSE_none },
    };
    // clang-format on
    AUTO(arena) struct arena arena = { 0 };
    char sent[DIALOGUE_SENT];
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct probe_result got =
            dialogue_hears(&arena, ldap_prelude, &request, cases[i].words, sent);
        if (got.cause != cases[i].cause || (got.text.len > 0) != (got.cause != CAUSE_none))
            fail_msg("case %zu: cause %d, %.*s", i, got.cause, STR_ARG(got.text));
    }
}

TEST(any_answer_to_the_search_accepts_and_a_notice_of_disconnection_does_not)
{
    // clang-format off
    static const struct { str words; enum probe_outcome outcome; bool late; } cases[] = {
        { { "\x30\x09\2\1\2\x64\4\4\0\x30\0", 11 }, PROBE_ACCEPTED, false },
        { { "\x30\x0c\2\1\2\x65\7\x0a\1\x32\4\0\4\0", 14 }, PROBE_ACCEPTED, false },
        { { "\x30\x0c\2\1\0\x78\7\x0a\1\x34\4\0\4\0", 14 }, PROBE_REFUSED_BY_PEER, true },
        { { "\x30\x0c\2\1\7\x65\7\x0a\1\0\4\0\4\0", 14 }, PROBE_FAILED, false },
        { { "220 x\r\n", 7 }, PROBE_FAILED, false },
    };
    // clang-format on
    AUTO(arena) struct arena arena = { 0 };
    char sent[DIALOGUE_SENT];
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct probe_result got =
            dialogue_hears(&arena, ldap_confirm, &request, cases[i].words, sent);
        check_int(got.outcome, cases[i].outcome);
        check_int(got.late, cases[i].late);
    }
    check(memcmp(sent, "\x30\x2a\x02\x01\x02\x63\x25", 7) == 0);
    check(memcmp(sent + 39,
                 "\x04\x03"
                 "1.1",
                 6) == 0);
}
