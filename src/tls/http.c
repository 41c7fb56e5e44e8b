/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/http.h"

enum { ANSWER_MAX = 4096 };

static enum wire_end ask(struct talk *talk)
{
    const struct probe_request *request = talk->request;
    str name = request->name.len > 0 ? request->name : request->host;
    return wire_write(talk->wire,
                      str_printf(talk->arena,
                                 "GET / HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: reseal\r\n"
                                 "Connection: close\r\n\r\n",
                                 STR_ARG(name)));
}

static bool has(str text, const char *words)
{
    return str_find(text, str_c(words)) < text.len;
}

/* "HTTP/1.1 400 Bad Request" gives "400"; what does not look like that, the empty string. */
static str code_of(str answer)
{
    str line = str_cut(&answer, '\r');
    if (!str_starts(str_cut(&line, ' '), S("HTTP/1.")))
        return S("");
    return str_cut(&line, ' ');
}

static const struct refusal {
    const char *code, *words;
    enum cause cause;
} refusals[] = {
    {"496",  "No required SSL certificate was sent", CAUSE_client_cert_missing   },
    { "495", "The SSL certificate error",            CAUSE_client_ca_not_accepted},
};

static const struct refusal *refusal_in(str answer)
{
    str code = code_of(answer);
    for (size_t i = 0; i < COUNT(refusals); i++)
        if (str_eq(code, str_c(refusals[i].code)) ||
            (str_eq(code, S("400")) && has(answer, refusals[i].words)))
            return &refusals[i];
    return NULL;
}

/* A page that may refuse is read until it does, or to its end. Many servers end with a close that
   TLS does not know of. */
static enum wire_end hear(struct talk *talk, char space[ANSWER_MAX], str *ret_answer)
{
    size_t len = 0;
    enum wire_end end = WIRE_OK;
    while (end == WIRE_OK && len < ANSWER_MAX) {
        size_t got = 0;
        end = wire_read(talk->wire, space + len, ANSWER_MAX - len, &got);
        len += end == WIRE_OK ? got : 0;
        *ret_answer = (str){ space, len };
        bool whole_line = has(*ret_answer, "\r\n");
        if (whole_line && (!str_eq(code_of(*ret_answer), S("400")) || refusal_in(*ret_answer)))
            break;
    }
    return len > 0 && end != WIRE_TIMEOUT ? WIRE_OK : end;
}

enum wire_end http_confirm(struct talk *talk)
{
    char space[ANSWER_MAX];
    str answer = S("");
    enum wire_end end = ask(talk);
    if (end == WIRE_OK)
        end = hear(talk, space, &answer);
    if (end != WIRE_OK)
        return end;
    const struct refusal *refusal = refusal_in(answer);
    if (refusal != NULL) {
        talk_decide(talk, PROBE_REFUSED_BY_PEER, refusal->cause,
                    str_printf(talk->arena, "the server answers: \"%s\"", refusal->words));
        talk->result->late = true;
    } else if (code_of(answer).len == 0) {
        talk_decide(talk, PROBE_FAILED, CAUSE_none, S("the answer is not HTTP's"));
    }
    return WIRE_OK;
}
