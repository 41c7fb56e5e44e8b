/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mysql.h - the dialogue of MySQL and MariaDB: the server greets (protocol 10), SSLRequest, TLS,
 * then a log-in (HandshakeResponse41) as `user`, or as "reseal", without a password.
 *
 * A server counts connections that end in the middle of this, and blocks the host after
 * max_connect_errors of them in a row: a certificate that *we* refuse is such an end, a log-in that
 * is refused is none. So the log-in is carried to its end.
 */
#ifndef TLS_MYSQL_H
#define TLS_MYSQL_H

#include "tls/dialogue.h"

struct mysql_greeting {
    str version;           /* "10.11.19-MariaDB"; borrowed */
    uint32_t capabilities; /* the lower 16 bits */
};
struct mysql_error {
    uint32_t code; /* 1045 */
    str text;      /* without its SQL state; borrowed */
};

/* Read a packet's payload; false when it is something else. */
bool mysql_read_greeting(str payload, struct mysql_greeting *ret_greeting);
bool mysql_read_error(str payload, struct mysql_error *ret_error);

enum wire_end mysql_prelude(struct talk *talk);

/* Refused access is acceptance: TLS is settled then. But an account that demands a certificate
   (REQUIRE X509, SUBJECT, ISSUER) refuses with the same words as for a wrong password: only the
   text can tell that. */
enum wire_end mysql_confirm(struct talk *talk);

#endif
