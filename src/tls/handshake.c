/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/handshake.h"

#include "tls/cursor.h"
#include "x509/auto.h"
#include "x509/name.h"

#include <openssl/err.h>

DEFINE_AUTO(X509_NAME, X509_NAME *, X509_NAME_free(*handle))

enum { MESSAGE_CERTIFICATE = 11, MESSAGE_REQUEST = 13, EXTENSION_CAS = 47 };

static void read_certificates(struct arena *arena, int version, struct cursor body,
                              struct handshake *handshake)
{
    AUTO(err) struct err err = { 0 };
    if (version == TLS1_3_VERSION)
        (void)cursor_vector(&body, 1); /* certificate_request_context */
    struct cursor list = cursor_of(cursor_vector(&body, 3));
    while (list.left > 0 && handshake->chain.count < HANDSHAKE_CERTIFICATES_MAX) {
        str der = cursor_vector(&list, 3);
        if (version == TLS1_3_VERSION)
            (void)cursor_vector(&list, 2); /* its extensions */
        struct cert cert;
        if (!list.bad && cert_parse(arena, der, &cert, &err))
            list_push(arena, &handshake->chain) = cert;
        else
            handshake->malformed = true;
        err_clear(&err);
    }
    handshake->malformed |= list.bad || body.bad;
}

static void read_name(struct arena *arena, str der, struct handshake *handshake)
{
    const unsigned char *at = (const unsigned char *)der.ptr;
    AUTO(X509_NAME) X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)der.len);
    if (name == NULL)
        handshake->malformed = true;
    else
        list_push(arena, &handshake->acceptable_cas) = name_of_x500(arena, name);
    ERR_clear_error();
}

static void read_names(struct arena *arena, str bytes, struct handshake *handshake)
{
    struct cursor names = cursor_of(bytes);
    while (names.left > 0 && handshake->acceptable_cas.count < HANDSHAKE_NAMES_MAX) {
        str der = cursor_vector(&names, 2);
        if (!names.bad)
            read_name(arena, der, handshake);
    }
    handshake->malformed |= names.bad;
}

static void read_request(struct arena *arena, int version, struct cursor body,
                         struct handshake *handshake)
{
    handshake->client_certificate_requested = true;
    (void)cursor_vector(&body, 1); /* certificate types, or the context */
    struct cursor extensions = cursor_of(cursor_vector(&body, 2));
    if (version != TLS1_3_VERSION) { /* what was read are the signature algorithms */
        read_names(arena, cursor_vector(&body, 2), handshake);
        handshake->malformed |= body.bad;
        return;
    }
    while (extensions.left > 0) {
        uint32_t type = cursor_number(&extensions, 2);
        struct cursor data = cursor_of(cursor_vector(&extensions, 2));
        if (type == EXTENSION_CAS)
            read_names(arena, cursor_vector(&data, 2), handshake);
        handshake->malformed |= data.bad;
    }
    handshake->malformed |= extensions.bad || body.bad;
}

void handshake_read(struct arena *arena, int version, str message, struct handshake *handshake)
{
    struct cursor cursor = cursor_of(message);
    uint32_t type = cursor_number(&cursor, 1);
    struct cursor body = cursor_of(cursor_vector(&cursor, 3));
    if (cursor.bad)
        handshake->malformed = true;
    else if (type == MESSAGE_CERTIFICATE)
        read_certificates(arena, version, body, handshake);
    else if (type == MESSAGE_REQUEST)
        read_request(arena, version, body, handshake);
}
