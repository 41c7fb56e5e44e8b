/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/handshake.h"

#include "tests/pki.h"
#include "tests/test.h"

#include <openssl/ssl.h>

static void put(struct arena *arena, struct buf *buf, size_t size, size_t number)
{
    for (size_t i = size; i-- > 0;)
        list_push(arena, &buf->bytes) = (char)(number >> (8 * i));
}

static void put_vector(struct arena *arena, struct buf *buf, size_t size, str bytes)
{
    put(arena, buf, size, bytes.len);
    buf_add(arena, buf, bytes);
}

static str message(struct arena *arena, char type, str body)
{
    struct buf buf = { 0 };
    put(arena, &buf, 1, (size_t)type);
    put_vector(arena, &buf, 3, body);
    return buf_str(&buf);
}

static str certificate_message(struct arena *arena, int version, str der)
{
    struct buf list = { 0 }, body = { 0 };
    put_vector(arena, &list, 3, der);
    if (version == TLS1_3_VERSION)
        put_vector(arena, &list, 2, S("\0\5\0\1x"));
    if (version == TLS1_3_VERSION)
        put_vector(arena, &body, 1, S("ctx"));
    put_vector(arena, &body, 3, buf_str(&list));
    return message(arena, 11, buf_str(&body));
}

static str request_message(struct arena *arena, int version, str name_der)
{
    struct buf names = { 0 }, sized = { 0 }, extensions = { 0 }, body = { 0 };
    put_vector(arena, &names, 2, name_der);
    put_vector(arena, &sized, 2, buf_str(&names));
    put_vector(arena, &body, 1, version == TLS1_3_VERSION ? S("") : S("\1\100"));
    put(arena, &extensions, 2, 13);
    put_vector(arena, &extensions, 2, S("\0\2\4\3"));
    put(arena, &extensions, 2, 47);
    put_vector(arena, &extensions, 2, buf_str(&sized));
    put_vector(arena, &body, 2, version == TLS1_3_VERSION ? buf_str(&extensions) : S("\4\3"));
    if (version != TLS1_3_VERSION)
        buf_add(arena, &body, buf_str(&sized));
    return message(arena, 13, buf_str(&body));
}

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

TEST(certificates_and_acceptable_names_are_read_in_both_versions)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki root = pki_make(&arena, &(struct pki_spec){ .name = "Root", .ca = true });
    for (size_t i = 0; i < COUNT(versions); i++) {
        struct handshake seen = { 0 };
        handshake_read(&arena, versions[i], certificate_message(&arena, versions[i], root.cert.der),
                       &seen);
        check_int(seen.chain.count, 1);
        check_str(seen.chain.items[0].sha256, root.cert.sha256);
        check(!seen.client_certificate_requested);
        handshake_read(&arena, versions[i],
                       request_message(&arena, versions[i], root.cert.subject_der), &seen);
        check(seen.client_certificate_requested && !seen.malformed);
        check_int(seen.acceptable_cas.count, 1);
        check_str(seen.acceptable_cas.items[0], S("CN=Root"));
    }
}

TEST(a_message_cut_anywhere_is_malformed_and_never_read_past_its_end)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki root = pki_make(&arena, &(struct pki_spec){ .name = "Root" });
    for (size_t i = 0; i < COUNT(versions); i++) {
        str whole[] = { certificate_message(&arena, versions[i], root.cert.der),
                        request_message(&arena, versions[i], root.cert.subject_der) };
        for (size_t j = 0; j < COUNT(whole); j++)
            for (size_t len = 0; len < whole[j].len; len++) {
                struct handshake seen = { 0 };
                handshake_read(&arena, versions[i], (str){ whole[j].ptr, len }, &seen);
                check(seen.malformed);
            }
    }
}

TEST(a_certificate_that_cannot_be_decoded_is_left_out_and_noted)
{
    AUTO(arena) struct arena arena = { 0 };
    struct handshake seen = { 0 };
    handshake_read(&arena, TLS1_3_VERSION,
                   certificate_message(&arena, TLS1_3_VERSION, S("\x30\1x")), &seen);
    check(seen.malformed && seen.chain.count == 0);
}
