/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/postgresql.h"

#include "tls/cursor.h"

enum { MESSAGE_MAX = 8192, MESSAGES_MAX = 8 };

// clang-format off
/* What the server says in an ErrorResponse, and what it means for us. First match counts. */
static const struct refusal {
    const char *words;
    enum probe_outcome outcome;
    enum cause cause;
} refusals[] = {
    { "requires a valid client certificate",        PROBE_REFUSED_BY_PEER, CAUSE_client_cert_missing },
    { "certificate authentication failed for user", PROBE_REFUSED_BY_PEER, CAUSE_client_identity_not_authorised },
    { "password authentication failed",             PROBE_ACCEPTED,        CAUSE_none },
    { "",                                           PROBE_REFUSED_BY_PEER, CAUSE_not_tls },
};
// clang-format on

/* Field 'M' of an ErrorResponse; the whole of it when it is the old, unstructured kind. */
static str message_of(str body)
{
    str rest = body;
    while (rest.len > 1 && rest.ptr[0] != '\0') {
        str field = str_cut(&rest, '\0');
        if (field.ptr[0] == 'M')
            return (str){ field.ptr + 1, field.len - 1 };
    }
    return body;
}

static void judge_error(struct talk *talk, str body)
{
    str said = message_of(body);
    const struct refusal *row = refusals;
    while (str_find(said, str_c(row->words)) == said.len && row->words[0] != '\0')
        row++;
    talk->result->late = row->outcome == PROBE_REFUSED_BY_PEER;
    talk_decide(talk, row->outcome, row->cause,
                str_printf(talk->arena, "PostgreSQL: \"%.*s\"", STR_ARG(said)));
}

/* The body of a message whose type has been read already. */
static enum wire_end read_body(struct talk *talk, char space[MESSAGE_MAX], str *ret_body)
{
    char header[4];
    enum wire_end end = wire_read_exactly(talk->wire, header, sizeof(header));
    if (end != WIRE_OK)
        return end;
    struct cursor cursor = cursor_of((str){ header, sizeof(header) });
    size_t len = cursor_number(&cursor, 4);
    if (len < 4 || len - 4 > MESSAGE_MAX) {
        talk_decide(talk, PROBE_FAILED, CAUSE_not_tls,
                    S("the answer is not PostgreSQL's protocol"));
        return WIRE_OK;
    }
    *ret_body = (str){ space, len - 4 };
    return wire_read_exactly(talk->wire, space, len - 4);
}

enum wire_end postgresql_prelude(struct talk *talk)
{
    char answer = 0;
    enum wire_end end = wire_write(talk->wire, S("\0\0\0\x08\x04\xd2\x16\x2f")); /* 80877103 */
    if (end == WIRE_OK)
        end = wire_read_exactly(talk->wire, &answer, 1);
    if (end != WIRE_OK || answer == 'S')
        return end;
    if (answer == 'N') {
        talk_decide(talk, PROBE_NOT_TLS, CAUSE_tls_on_plaintext_port,
                    S("PostgreSQL answers that TLS is switched off"));
        return WIRE_OK;
    }
    char space[MESSAGE_MAX];
    str body = S("");
    if (answer == 'E')
        end = read_body(talk, space, &body);
    if (end == WIRE_OK && !talk->decided)
        talk_decide(talk, PROBE_NOT_TLS, CAUSE_not_tls,
                    answer == 'E'
                        ? str_printf(talk->arena, "PostgreSQL: \"%.*s\"", STR_ARG(message_of(body)))
                        : S("the answer to SSLRequest is not PostgreSQL's"));
    return end;
}

static void add_pair(struct arena *arena, struct buf *body, const char *name, str value)
{
    buf_add(arena, body, str_c(name));
    buf_add(arena, body, S("\0"));
    buf_add(arena, body, value);
    buf_add(arena, body, S("\0"));
}

/* A walreceiver names no database (55.4): pg_hba.conf has it under "replication". */
static str startup_packet(struct arena *arena, const struct probe_request *request)
{
    struct buf body = { 0 }, packet = { 0 };
    str database = request->database.len > 0 ? request->database : S("postgres");
    bool replication = str_eq(database, S("replication"));
    add_pair(arena, &body, "user", request->user.len > 0 ? request->user : S("postgres"));
    add_pair(arena, &body, replication ? "replication" : "database",
             replication ? S("true") : database);
    buf_add(arena, &body, S("\0"));
    size_t len = 8 + body.bytes.count;
    char header[] = {
        (char)(len >> 24), (char)(len >> 16), (char)(len >> 8), (char)len, 0, 3, 0, 0
    };
    buf_add(arena, &packet, (str){ header, sizeof(header) });
    buf_add(arena, &packet, buf_str(&body));
    return buf_str(&packet);
}

enum wire_end postgresql_confirm(struct talk *talk)
{
    enum wire_end end = wire_write(talk->wire, startup_packet(talk->arena, talk->request));
    for (int i = 0; end == WIRE_OK && !talk->decided && i < MESSAGES_MAX; i++) {
        char type, space[MESSAGE_MAX];
        str body = S("");
        end = wire_read_exactly(talk->wire, &type, 1);
        if (end == WIRE_OK)
            end = read_body(talk, space, &body);
        if (end != WIRE_OK || talk->decided)
            break;
        if (type == 'R')
            talk_decide(talk, PROBE_ACCEPTED, CAUSE_none, S("PostgreSQL accepts the connection"));
        if (type == 'E')
            judge_error(talk, body);
    }
    return end;
}
