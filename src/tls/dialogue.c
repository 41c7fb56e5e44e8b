/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/dialogue.h"

#include "base/clock.h"
#include "tls/http.h"
#include "tls/ldap.h"
#include "tls/mysql.h"
#include "tls/postgresql.h"

enum { LINE_MAX_BYTES = 1024, LINES_MAX = 64, GRACE_MS = 500 };

void talk_decide(struct talk *talk, enum probe_outcome outcome, enum cause cause, str text)
{
    talk->decided = true;
    talk->result->outcome = outcome;
    talk->result->cause = cause;
    talk->result->text = text;
}

/* One line without its CR LF; one byte a read, so nothing of the TLS that follows is swallowed. */
static enum wire_end read_line(struct talk *talk, char line[LINE_MAX_BYTES], str *ret_line)
{
    size_t len = 0;
    while (len < LINE_MAX_BYTES) {
        enum wire_end end = wire_read_exactly(talk->wire, line + len, 1);
        if (end != WIRE_OK)
            return end;
        if (line[len++] == '\n')
            break;
    }
    *ret_line = str_trim((str){ line, len });
    return WIRE_OK;
}

/* Whether more lines of the same answer follow: "250-…" (RFC 5321, 4.2.1; RFC 959, 4.2), or an
   untagged line before the tagged one (RFC 3501, 2.2.2). */
static bool goes_on(str line, const struct line_step *step)
{
    if (line.len > 3 && line.ptr[3] == '-')
        return true;
    return step->want[0] == 'a' && str_starts(line, S("* "));
}

static enum wire_end step(struct talk *talk, const struct line_step *step, str *ret_line)
{
    static const str none = { "", 0 };
    char line[LINE_MAX_BYTES];
    str got = none;
    enum wire_end end = step->send == NULL ? WIRE_OK : wire_write(talk->wire, str_c(step->send));
    for (int i = 0; end == WIRE_OK && i < LINES_MAX; i++) {
        end = read_line(talk, line, &got);
        if (end == WIRE_OK && !goes_on(got, step))
            break;
    }
    *ret_line = str_copy(talk->arena, got);
    return end;
}

static enum wire_end line_prelude(struct talk *talk)
{
    for (const struct line_step *at = talk->row->steps; at->want != NULL; at++) {
        str line;
        enum wire_end end = step(talk, at, &line);
        if (end != WIRE_OK)
            return end;
        if (str_starts(line, str_c(at->want)))
            continue;
        talk_decide(
            talk, PROBE_NOT_TLS, CAUSE_tls_on_plaintext_port,
            str_printf(talk->arena, "the server does not start TLS: \"%.*s\"", STR_ARG(line)));
        return WIRE_OK;
    }
    return WIRE_OK;
}

static enum wire_end line_confirm(struct talk *talk)
{
    str line;
    return step(talk, &talk->row->proof, &line);
}

/*
 * Only TLS 1.3 refuses late, and only who was asked for a certificate. Nothing obliges a server to
 * say that it accepts, so it is given a moment to refuse, and the text admits that it kept silent.
 */
static enum wire_end quiet_confirm(struct talk *talk)
{
    if (!talk->seen->client_certificate_requested || SSL_version(talk->wire->ssl) != TLS1_3_VERSION)
        return WIRE_OK;
    int64_t deadline = talk->wire->deadline, grace = clock_monotonic_ms() + GRACE_MS;
    talk->wire->deadline = grace < deadline ? grace : deadline;
    char byte;
    size_t count;
    enum wire_end end = wire_read(talk->wire, &byte, 1, &count);
    talk->wire->deadline = deadline;
    if (end == WIRE_TIMEOUT)
        talk->result->text = S("the handshake completed and no refusal followed");
    return end == WIRE_TIMEOUT || end == WIRE_CLOSED ? WIRE_OK : end;
}

// clang-format off
static const struct dialogue_row rows[] = {
    { "tls",        NULL,               quiet_confirm },
    { "https",      NULL,               http_confirm },
    { "postgresql", postgresql_prelude, postgresql_confirm },
    { "mysql",      mysql_prelude,      mysql_confirm },
    { "ldap",       ldap_prelude,       ldap_confirm },
    { "smtp",       line_prelude,       line_confirm,
      { { NULL, "220" }, { "EHLO reseal.invalid\r\n", "250" }, { "STARTTLS\r\n", "220" } },
      { "EHLO reseal.invalid\r\n", "250" } },
    { "imap",       line_prelude,       line_confirm,
      { { NULL, "* OK" }, { "a1 STARTTLS\r\n", "a1 OK" } }, { "a2 NOOP\r\n", "a2 OK" } },
    { "pop3",       line_prelude,       line_confirm,
      { { NULL, "+OK" }, { "STLS\r\n", "+OK" } },           { "NOOP\r\n", "+OK" } },
    { "ftp",        line_prelude,       line_confirm,
      { { NULL, "220" }, { "AUTH TLS\r\n", "234" } },       { "NOOP\r\n", "200" } },
};
// clang-format on

const struct dialogue_row *dialogue_find(str name)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        if (str_eq(name, str_c(rows[i].name)))
            return &rows[i];
    return NULL;
}

const char *const *probe_protocols(void)
{
    static const char *names[COUNT(rows) + 1];
    for (size_t i = 0; i < COUNT(rows); i++)
        names[i] = rows[i].name;
    return names;
}
