/* SPDX-License-Identifier: Apache-2.0 */
/* context.h - an SSL_CTX of a probe's own: its anchors, its identity, its versions. */
#ifndef TLS_CONTEXT_H
#define TLS_CONTEXT_H

#include "tls/probe.h"

#include <openssl/ssl.h>

typedef LIST(struct cert) context_anchors;

/* Only request->trust_pem is trusted and exactly request->certificate_pem is presented; the rest
   is as OpenSSL and libpq have it by default. The caller owns *ret_context. */
MUST_CHECK bool context_make(struct arena *arena, const struct probe_request *request,
                             SSL_CTX **ret_context, context_anchors *ret_anchors, struct err *err);

/* SNI and, for PROBE_VERIFY_FULL, the name or address to verify. */
MUST_CHECK bool context_set_name(struct arena *arena, const struct probe_request *request, SSL *ssl,
                                 struct err *err);

#endif
