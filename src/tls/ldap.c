/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/ldap.h"

#include "tls/cursor.h"

enum { MESSAGE_MAX = 8192, START_ID = 1, SEARCH_ID = 2 };
enum { TAG_INTEGER = 0x02, TAG_OCTETS = 0x04, TAG_ENUMERATED = 0x0a, TAG_SEQUENCE = 0x30 };

/* ExtendedRequest with the name of StartTLS. */
static const char start_tls[] = "\x30\x1d\x02\x01\x01\x77\x18\x80\x16"
                                "1.3.6.1.4.1.1466.20037";

/* SearchRequest: base "", scope base, no limits, (objectClass=*), no attributes ("1.1"; RFC 4511,
   4.5.1.8). */
static const char search_root[] = "\x30\x2a\x02\x01\x02\x63\x25"
                                  "\x04\x00\x0a\x01\x00\x0a\x01\x00\x02\x01\x00\x02\x01\x00"
                                  "\x01\x01\x00\x87\x0bobjectClass\x30\x05\x04\x03"
                                  "1.1";

/* Result codes with which StartTLS is refused (RFC 4511, 4.14.2 and appendix A). */
static const struct {
    uint32_t result;
    const char *name;
} results[] = {
    {1,   "operationsError"   },
    { 2,  "protocolError"     },
    { 10, "referral"          },
    { 51, "busy"              },
    { 52, "unavailable"       },
    { 53, "unwillingToPerform"},
};

/* A definite length (RFC 4511, 5.1), of which the first byte has been read. */
static size_t length_after(struct cursor *cursor, size_t first)
{
    if (first < 0x80)
        return first;
    size_t bytes = first - 0x80;
    return bytes >= 1 && bytes <= 4 ? cursor_number(cursor, bytes) : SIZE_MAX;
}

static str take_element(struct cursor *cursor, uint32_t *ret_tag)
{
    *ret_tag = cursor_number(cursor, 1);
    return cursor_take(cursor, length_after(cursor, cursor_number(cursor, 1)));
}

static str take_tagged(struct cursor *cursor, uint32_t wanted)
{
    uint32_t tag;
    str content = take_element(cursor, &tag);
    cursor->bad |= tag != wanted;
    return content;
}

/* The numbers of LDAP are not negative and have at most 31 bits (RFC 4511, 4.1.1). */
static uint32_t take_number(struct cursor *cursor, uint32_t tag)
{
    str content = take_tagged(cursor, tag);
    struct cursor number = cursor_of(content);
    if (content.len < 1 || content.len > 4 || (content.ptr[0] & 0x80) != 0)
        cursor->bad = true;
    return cursor->bad ? 0 : cursor_number(&number, content.len);
}

bool ldap_read(str content, struct ldap_answer *ret_answer)
{
    *ret_answer = (struct ldap_answer){ .text = S("") };
    struct cursor message = cursor_of(content);
    ret_answer->id = take_number(&message, TAG_INTEGER);
    struct cursor body = cursor_of(take_element(&message, &ret_answer->operation));
    if (ret_answer->operation == LDAP_SEARCH_DONE || ret_answer->operation == LDAP_EXTENDED) {
        ret_answer->result = take_number(&body, TAG_ENUMERATED);
        take_tagged(&body, TAG_OCTETS); /* matchedDN */
        ret_answer->text = take_tagged(&body, TAG_OCTETS);
    }
    return !message.bad && !body.bad;
}

/* *ret_known stays false when what came is not LDAP. */
static enum wire_end read_answer(struct talk *talk, char space[MESSAGE_MAX],
                                 struct ldap_answer *ret_answer, bool *ret_known)
{
    char head[6] = { 0 };
    *ret_known = false;
    enum wire_end end = wire_read_exactly(talk->wire, head, 2);
    size_t first = (unsigned char)head[1], more = first > 0x80 ? first - 0x80 : 0;
    if (end != WIRE_OK || head[0] != TAG_SEQUENCE || more > 4)
        return end;
    end = more == 0 ? WIRE_OK : wire_read_exactly(talk->wire, head + 2, more);
    struct cursor cursor = cursor_of((str){ head + 2, more });
    size_t len = length_after(&cursor, first);
    if (end != WIRE_OK || len > MESSAGE_MAX)
        return end;
    end = wire_read_exactly(talk->wire, space, len);
    *ret_known = end == WIRE_OK && ldap_read((str){ space, len }, ret_answer);
    return end;
}

static str words_of(struct talk *talk, const struct ldap_answer *answer)
{
    const char *name = "result";
    for (size_t i = 0; i < COUNT(results); i++)
        if (results[i].result == answer->result)
            name = results[i].name;
    return str_printf(talk->arena, "LDAP: \"%.*s\" (%s, %u)", STR_ARG(answer->text), name,
                      answer->result);
}

enum wire_end ldap_prelude(struct talk *talk)
{
    char space[MESSAGE_MAX];
    struct ldap_answer answer;
    bool known = false;
    enum wire_end end = wire_write(talk->wire, (str){ start_tls, sizeof(start_tls) - 1 });
    if (end == WIRE_OK)
        end = read_answer(talk, space, &answer, &known);
    if (end != WIRE_OK)
        return end;
    if (!known || answer.operation != LDAP_EXTENDED)
        talk_decide(talk, PROBE_NOT_TLS, CAUSE_not_tls, S("the answer to StartTLS is not LDAP's"));
    else if (answer.id != START_ID)
        talk_decide(talk, PROBE_NOT_TLS, CAUSE_not_tls, words_of(talk, &answer));
    else if (answer.result != 0)
        talk_decide(talk, PROBE_NOT_TLS, CAUSE_tls_on_plaintext_port, words_of(talk, &answer));
    return WIRE_OK;
}

enum wire_end ldap_confirm(struct talk *talk)
{
    char space[MESSAGE_MAX];
    struct ldap_answer answer;
    bool known = false;
    enum wire_end end = wire_write(talk->wire, (str){ search_root, sizeof(search_root) - 1 });
    if (end == WIRE_OK)
        end = read_answer(talk, space, &answer, &known);
    if (end != WIRE_OK)
        return end;
    if (known && answer.id == SEARCH_ID) {
        talk_decide(talk, PROBE_ACCEPTED, CAUSE_none, S("LDAP answers over this connection"));
    } else if (known && answer.id == 0) {
        /* The notice of disconnection (RFC 4511, 4.4.1). */
        talk->result->late = true;
        talk_decide(talk, PROBE_REFUSED_BY_PEER, CAUSE_not_tls, words_of(talk, &answer));
    } else {
        talk_decide(talk, PROBE_FAILED, CAUSE_not_tls, S("the answer is not LDAP's"));
    }
    return WIRE_OK;
}
