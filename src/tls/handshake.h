/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handshake.h - what the server's Certificate and CertificateRequest messages say.
 *
 * Read from the messages themselves and not from OpenSSL's answers, because those are gone or
 * incomplete when a handshake is broken off: RFC 5246, 7.4.2 and 7.4.4; RFC 8446, 4.3.2 and 4.4.2.
 */
#ifndef TLS_HANDSHAKE_H
#define TLS_HANDSHAKE_H

#include "x509/cert.h"

enum { HANDSHAKE_CERTIFICATES_MAX = 64, HANDSHAKE_NAMES_MAX = 4096 };

struct handshake {
    LIST(struct cert) chain; /* as presented, leaf first */
    bool malformed;          /* a message, certificate or name could not be decoded */
    bool client_certificate_requested;
    str_list acceptable_cas; /* RFC 4514 text */
};

/* Take in one whole handshake message with its four bytes of header; `version` is TLS1_2_VERSION
   or TLS1_3_VERSION. Messages of other types change nothing. */
void handshake_read(struct arena *arena, int version, str message, struct handshake *handshake);

#endif
