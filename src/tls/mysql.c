/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/mysql.h"

#include "tls/cursor.h"

#include <string.h>

enum { PAYLOAD_MAX = 8192, ANSWERS_MAX = 4, PROTOCOL = 10, CLIENT_SSL = 0x0800 };
enum { PACKET_OK = 0x00, PACKET_MORE = 0x01, PACKET_SWITCH = 0xfe, PACKET_ERROR = 0xff };

/* Capabilities LONG_PASSWORD, PROTOCOL_41, SSL, SECURE_CONNECTION, PLUGIN_AUTH; packets to 16 MiB;
   utf8mb4_general_ci; 23 bytes of nothing. SSLRequest is this much, a log-in goes on from it. */
static const char opening[32] = "\x01\x8a\x08\x00\x00\x00\x00\x01\x2d";

// clang-format off
/* Errors that are about the account: the server went past TLS to get there. */
static const uint32_t log_in_errors[] = {
    1045, /* access denied */
    1251, /* authentication that this client does not speak */
    1698, /* access denied, without a password */
    1862, /* the password has run out */
    3118, /* the account is locked: MySQL */
    4151, /* the account is locked: MariaDB */
};
// clang-format on

/* The numbers of this protocol have their lowest byte first. */
static uint32_t take_little(struct cursor *cursor, size_t size)
{
    str bytes = cursor_take(cursor, size);
    uint32_t number = 0;
    for (size_t i = bytes.len; i > 0; i--)
        number = number << 8 | (unsigned char)bytes.ptr[i - 1];
    return number;
}

bool mysql_read_greeting(str payload, struct mysql_greeting *ret_greeting)
{
    struct cursor cursor = cursor_of(payload);
    bool known = cursor_number(&cursor, 1) == PROTOCOL;
    str rest = { cursor.at, cursor.left };
    ret_greeting->version = str_cut(&rest, '\0');
    cursor_take(&cursor, ret_greeting->version.len + 1);
    cursor_take(&cursor, 4 + 8 + 1); /* thread, first part of the scramble, filler */
    ret_greeting->capabilities = take_little(&cursor, 2);
    return known && !cursor.bad;
}

bool mysql_read_error(str payload, struct mysql_error *ret_error)
{
    struct cursor cursor = cursor_of(payload);
    bool known = cursor_number(&cursor, 1) == PACKET_ERROR;
    ret_error->code = take_little(&cursor, 2);
    /* '#' and five bytes of SQL state, once the capabilities have been agreed on. */
    if (cursor.left > 0 && cursor.at[0] == '#')
        cursor_take(&cursor, 6);
    ret_error->text = cursor_take(&cursor, cursor.left);
    return known && !cursor.bad;
}

/* An empty payload when what came is no packet of this dialogue. */
static enum wire_end read_packet(struct talk *talk, char space[PAYLOAD_MAX], str *ret_payload,
                                 uint32_t *ret_sequence)
{
    char head[4];
    *ret_payload = S("");
    enum wire_end end = wire_read_exactly(talk->wire, head, sizeof(head));
    if (end != WIRE_OK)
        return end;
    struct cursor cursor = cursor_of((str){ head, sizeof(head) });
    size_t len = take_little(&cursor, 3);
    *ret_sequence = cursor_number(&cursor, 1);
    if (len == 0 || len > PAYLOAD_MAX)
        return WIRE_OK;
    *ret_payload = (str){ space, len };
    return wire_read_exactly(talk->wire, space, len);
}

/* A payload of less than 256 bytes. */
static enum wire_end write_packet(struct talk *talk, uint32_t sequence, str payload)
{
    char head[] = { (char)payload.len, 0, 0, (char)sequence };
    struct buf packet = { 0 };
    buf_add(talk->arena, &packet, (str){ head, sizeof(head) });
    buf_add(talk->arena, &packet, payload);
    return wire_write(talk->wire, buf_str(&packet));
}

static str words_of(struct talk *talk, const char *about, const struct mysql_error *error)
{
    return str_printf(talk->arena, "MySQL%s: \"%.*s\" (%u)", about, STR_ARG(error->text),
                      error->code);
}

enum wire_end mysql_prelude(struct talk *talk)
{
    char space[PAYLOAD_MAX];
    str payload;
    uint32_t sequence = 0;
    struct mysql_greeting greeting;
    struct mysql_error error;
    enum wire_end end = read_packet(talk, space, &payload, &sequence);
    if (end != WIRE_OK)
        return end;
    if (mysql_read_greeting(payload, &greeting) && (greeting.capabilities & CLIENT_SSL) != 0)
        return write_packet(talk, sequence + 1, (str){ opening, sizeof(opening) });
    if (mysql_read_greeting(payload, &greeting))
        talk_decide(talk, PROBE_NOT_TLS, CAUSE_tls_on_plaintext_port,
                    str_printf(talk->arena, "MySQL %.*s answers that TLS is switched off",
                               STR_ARG(greeting.version)));
    else if (mysql_read_error(payload, &error))
        talk_decide(talk, PROBE_NOT_TLS, CAUSE_not_tls, words_of(talk, "", &error));
    else
        talk_decide(talk, PROBE_NOT_TLS, CAUSE_not_tls, S("the greeting is not MySQL's"));
    return WIRE_OK;
}

static enum wire_end log_in(struct talk *talk)
{
    static const char tail[] = "\0\0mysql_native_password"; /* end of name, no password, method */
    str user = talk->request->user.len > 0 ? talk->request->user : S("reseal");
    user.len = user.len < 128 ? user.len : 128;
    struct buf payload = { 0 };
    buf_add(talk->arena, &payload, (str){ opening, sizeof(opening) });
    buf_add(talk->arena, &payload, user);
    buf_add(talk->arena, &payload, (str){ tail, sizeof(tail) });
    return write_packet(talk, 2, buf_str(&payload));
}

static void judge_error(struct talk *talk, const struct mysql_error *error)
{
    bool accepted = false;
    for (size_t i = 0; i < COUNT(log_in_errors); i++)
        accepted |= log_in_errors[i] == error->code;
    talk->result->late = !accepted;
    talk_decide(talk, accepted ? PROBE_ACCEPTED : PROBE_REFUSED_BY_PEER,
                accepted ? CAUSE_none : CAUSE_not_tls,
                words_of(talk, accepted ? " accepts TLS but not the log-in" : "", error));
}

/* Whether the server now waits for us, with another method of authentication. */
static bool judge(struct talk *talk, str payload)
{
    struct mysql_error error;
    int type = payload.len > 0 ? (unsigned char)payload.ptr[0] : -1;
    if (mysql_read_error(payload, &error))
        judge_error(talk, &error);
    else if (type == PACKET_OK || type == PACKET_MORE || type == PACKET_SWITCH)
        talk_decide(talk, PROBE_ACCEPTED, CAUSE_none, S("MySQL answers over this connection"));
    else
        talk_decide(talk, PROBE_FAILED, CAUSE_not_tls, S("the answer is not MySQL's protocol"));
    return type == PACKET_SWITCH || type == PACKET_MORE;
}

enum wire_end mysql_confirm(struct talk *talk)
{
    enum wire_end end = log_in(talk);
    for (int i = 0; end == WIRE_OK && i < ANSWERS_MAX; i++) {
        char space[PAYLOAD_MAX];
        str payload;
        uint32_t sequence;
        end = read_packet(talk, space, &payload, &sequence);
        if (end != WIRE_OK || !judge(talk, payload))
            break;
        end = write_packet(talk, sequence + 1, S("")); /* no password here either */
    }
    return talk->decided ? WIRE_OK : end;
}
