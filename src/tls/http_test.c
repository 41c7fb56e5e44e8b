/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/http.h"

#include "tls/dialogue_test.h"

static const struct probe_request request = {
    .host = {"127.0.0.1",    9 },
      .name = { "www.example", 11}
};

static struct probe_result hears(struct arena *arena, const char *words)
{
    char sent[DIALOGUE_SENT];
    struct probe_result got = dialogue_hears(arena, http_confirm, &request, str_c(words), sent);
    assert_string_equal(sent, "GET / HTTP/1.1\r\nHost: www.example\r\nUser-Agent: reseal\r\n"
                              "Connection: close\r\n\r\n");
    return got;
}

/* The pages of nginx 1.22.1 (src/http/ngx_http_special_response.c). */
#define PAGE(words)                                                                            \
    "\r\nServer: nginx/1.22.1\r\nContent-Length: 215\r\n\r\n<html>\r\n<head><title>400 " words \
    "</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n<center>" words \
    "</center>\r\n"

TEST(the_page_by_which_nginx_refuses_a_certificate_is_told_from_other_answers)
{
    // clang-format off
    static const struct { const char *words; enum probe_outcome outcome; enum cause cause; } cases[] = {
        { "HTTP/1.1 200 OK\r\n", PROBE_ACCEPTED, CAUSE_none },
        { "HTTP/1.0 503 Service Unavailable\r\n\r\n<html>The SSL certificate error", PROBE_ACCEPTED, CAUSE_none },
        { "HTTP/1.1 400 Bad Request" PAGE("No required SSL certificate was sent"), PROBE_REFUSED_BY_PEER, CAUSE_client_cert_missing },
        { "HTTP/1.1 400 Bad Request" PAGE("The SSL certificate error"), PROBE_REFUSED_BY_PEER, CAUSE_client_ca_not_accepted },
        { "HTTP/1.1 495 \r\n\r\n", PROBE_REFUSED_BY_PEER, CAUSE_client_ca_not_accepted },
        { "HTTP/1.1 496 \r\n\r\n", PROBE_REFUSED_BY_PEER, CAUSE_client_cert_missing },
        { "HTTP/1.1 400 Bad Request\r\n\r\nno Host", PROBE_ACCEPTED, CAUSE_none },
        { "220 mail.example ESMTP\r\n", PROBE_FAILED, CAUSE_none },
        { "SSH-2.0-x\r\n", PROBE_FAILED, CAUSE_none },
    };
    // clang-format on
    AUTO(arena) struct arena arena = { 0 };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct probe_result got = hears(&arena, cases[i].words);
        if (got.outcome != cases[i].outcome || got.cause != cases[i].cause)
            fail_msg("case %zu: outcome %d, cause %d, %.*s", i, got.outcome, got.cause,
                     STR_ARG(got.text));
    }
}
