/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h - what HTTPS adds to TLS: a request whose answer proves acceptance (RFC 9112, 3 and 4).
 *
 * nginx completes the handshake whatever it makes of the client's certificate, and then answers 400
 * with a page that says so; 495 and 496 are its own codes for it, which a configuration can send.
 */
#ifndef TLS_HTTP_H
#define TLS_HTTP_H

#include "tls/dialogue.h"

/* Any other answer is the application's. */
enum wire_end http_confirm(struct talk *talk);

#endif
