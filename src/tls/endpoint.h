/* SPDX-License-Identifier: Apache-2.0 */
/* endpoint.h - HOST:PORT as people write it, and which dialogue a port usually speaks. */
#ifndef TLS_ENDPOINT_H
#define TLS_ENDPOINT_H

#include "base/str.h"

struct endpoint {
    str host; /* without the brackets of an IPv6 address */
    uint16_t port;
};

/* "db1:5432", "[::1]:443"; false for anything else, a file's name among it. */
bool endpoint_parse(str text, struct endpoint *ret_endpoint);

/* The dialogue that a port is registered for with TLS inside the protocol, else "tls". */
const char *endpoint_protocol(uint16_t port);

#endif
