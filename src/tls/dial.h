/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dial.h - a connection with one deadline: TCP, then the same reads and writes through TLS.
 *
 * The descriptor does not block; every wait is a poll() until the deadline. Looking up a name is
 * the exception: getaddrinfo() takes as long as the resolver's own timeouts allow.
 */
#ifndef TLS_DIAL_H
#define TLS_DIAL_H

#include "base/str.h"

#include <openssl/ssl.h>
#include <signal.h>

enum wire_end {
    WIRE_OK,
    WIRE_TIMEOUT,
    WIRE_CLOSED, /* the peer ended the stream; with TLS: by close_notify */
    WIRE_BROKEN  /* reset, truncated, or a TLS error: OpenSSL's error queue has it */
};

struct wire {
    int fd;           /* -1: not connected; closed by wire_close() */
    SSL *ssl;         /* borrowed; NULL while plain */
    int64_t deadline; /* by clock_monotonic_ms() */
    sigset_t mask;    /* to restore */
    bool hushed, was_pending;
};
void wire_close(struct wire *wire);
DEFINE_AUTO(wire, struct wire, wire_close(handle))

/* Connect to `host` (name or address, IPv4 or IPv6), trying every address until one answers.
   Until wire_close() the calling thread does not receive SIGPIPE. False: *ret_text has why. */
bool wire_dial(struct arena *arena, str host, uint16_t port, struct wire *wire, str *ret_text);

enum wire_end wire_handshake(struct wire *wire); /* SSL_connect() on wire->ssl */
enum wire_end wire_write(struct wire *wire, str bytes);

/* At least one byte and at most `max`; *ret_count has how many. */
enum wire_end wire_read(struct wire *wire, void *bytes, size_t max, size_t *ret_count);
enum wire_end wire_read_exactly(struct wire *wire, void *bytes, size_t count);

#endif
