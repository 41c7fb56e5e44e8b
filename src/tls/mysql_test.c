/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/mysql.h"

#include "tls/dialogue_test.h"

static const struct probe_request request, as_app = {
    .user = {"app", 3}
};

/* The greeting that MariaDB 10.11 without TLS sent; byte 52 lacks CLIENT_SSL. */
static const char greeting[] =
    "\x64\0\0\0\x0a"
    "5.5.5-10.11.19-MariaDB-0+deb12u1\0"
    "\x04\0\0\0O[Z55L^q\0\xfe\xf7\x08\x02\0\xff\x81\x15\0\0\0\0\0\0\x1d\0\0\0"
    "B4z-nd.R3ISH\0mysql_native_password";

TEST(a_greeting_s_capabilities_decide_whether_tls_is_asked_for)
{
    AUTO(arena) struct arena arena = { 0 };
    char sent[DIALOGUE_SENT], with_tls[sizeof(greeting)];
    struct probe_result got =
        dialogue_hears(&arena, mysql_prelude, &request, (str){ greeting, sizeof(greeting) }, sent);
    check_int(got.cause, CAUSE_tls_on_plaintext_port);
    check(str_find(got.text, S("10.11.19-MariaDB")) < got.text.len);
    check_int(sent[0], 0);
    memcpy(with_tls, greeting, sizeof(greeting));
    with_tls[52] = '\xff';
    got =
        dialogue_hears(&arena, mysql_prelude, &request, (str){ with_tls, sizeof(with_tls) }, sent);
    check_int(got.text.len, 0);
    check(memcmp(sent, "\x20\0\0\x01\x01\x8a\x08\0\0\0\0\x01\x2d\0\0\0", 16) == 0);
    check_int(sent[36], 0);
}

TEST(what_comes_instead_of_a_greeting_is_quoted_or_is_not_mysql_s)
{
    // clang-format off
    static const struct { str words; const char *text; } cases[] = {
        { { "\x0c\0\0\0\xff\x6a\x04" "Host 'x' ", 16 }, "MySQL: \"Host 'x' \" (1130)" },
        { { "\x0c\0\0\0\xff\x10\x04#08004Too", 16 }, "MySQL: \"Too\" (1040)" },
        { { "\x03\0\0\0\xff\x10\x04", 7 }, "MySQL: \"\" (1040)" },
        { { "\x04\0\0\0\xff\x10\x04#", 8 }, "the greeting is not MySQL's" },
        { { "\x02\0\0\0\xff\x10", 6 }, "the greeting is not MySQL's" },
        { { "\0\0\0\0", 4 }, "the greeting is not MySQL's" },
        { { "\xff\xff\xff\0", 4 }, "the greeting is not MySQL's" },
        { { "\x04\0\0\0\x09" "3.2", 8 }, "the greeting is not MySQL's" },
        { { "\x13\0\0\0\x0a" "11\0" "1234" "12345678" "\0\0\x08", 23 }, "" },
        { { "\x12\0\0\0\x0a" "11\0" "1234" "12345678" "\0\0", 22 }, "the greeting is not MySQL's" },
        { { "220 mail.example ESMTP\r\n", 24 }, "the greeting is not MySQL's" },
    };
    // clang-format on
    AUTO(arena) struct arena arena = { 0 };
    char sent[DIALOGUE_SENT];
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct probe_result got =
            dialogue_hears(&arena, mysql_prelude, &request, cases[i].words, sent);
        check_str(got.text, str_c(cases[i].text));
        check_int(got.outcome, got.text.len > 0 ? PROBE_NOT_TLS : PROBE_ACCEPTED);
    }
}

TEST(a_refused_log_in_is_acceptance_and_a_refused_host_is_not)
{
    // clang-format off
    static const struct { str words; enum probe_outcome outcome; } cases[] = {
        { { "\x07\0\0\x03\0\0\0\x02\0\0\0", 11 }, PROBE_ACCEPTED },
        { { "\x0c\0\0\x03\xff\x15\x04#28000den", 16 }, PROBE_ACCEPTED },
        { { "\x0c\0\0\x03\xff\xa2\x06#28000den", 16 }, PROBE_ACCEPTED },
        { { "\x0c\0\0\x03\xff\x6a\x04#HY000not", 16 }, PROBE_REFUSED_BY_PEER },
        { { "\x0c\0\0\x03\xff\x10\x04#08004too", 16 }, PROBE_REFUSED_BY_PEER },
        { { "\x01\0\0\x03\x42", 5 }, PROBE_FAILED },
        { { "\xff\xff\xff\x03", 4 }, PROBE_FAILED },
    };
    // clang-format on
    AUTO(arena) struct arena arena = { 0 };
    char sent[DIALOGUE_SENT];
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct probe_result got =
            dialogue_hears(&arena, mysql_confirm, &as_app, cases[i].words, sent);
        check_int(got.outcome, cases[i].outcome);
        check_int(got.late, cases[i].outcome == PROBE_REFUSED_BY_PEER);
    }
    check(memcmp(sent, "\x3b\0\0\x02\x01\x8a\x08\0", 8) == 0);
    check(memcmp(sent + 36, "app\0\0mysql_native_password\0", 27) == 0);
}

TEST(another_method_of_authentication_is_answered_so_that_the_log_in_comes_to_its_end)
{
    static const str words = { "\x05\0\0\x03\xfe"
                               "abc\0"
                               "\x0c\0\0\x05\xff\x15\x04#28000den",
                               25 };
    AUTO(arena) struct arena arena = { 0 };
    char sent[DIALOGUE_SENT];
    struct probe_result got = dialogue_hears(&arena, mysql_confirm, &request, words, sent);
    check_int(got.outcome, PROBE_ACCEPTED);
    check_str(got.text, S("MySQL accepts TLS but not the log-in: \"den\" (1045)"));
    check(memcmp(sent + 66, "\0\0\0\x04", 4) == 0);
}
