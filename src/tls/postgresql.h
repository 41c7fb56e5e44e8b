/* SPDX-License-Identifier: Apache-2.0 */
/* postgresql.h - the PostgreSQL dialogue: SSLRequest, then a start-up packet (protocol 3.0). */
#ifndef TLS_POSTGRESQL_H
#define TLS_POSTGRESQL_H

#include "tls/dialogue.h"

enum wire_end postgresql_prelude(struct talk *talk);

/* Over TLS 1.3 the server says nothing about our certificate until it has the start-up packet.
   Asking for a password is acceptance: TLS is settled then. */
enum wire_end postgresql_confirm(struct talk *talk);

#endif
