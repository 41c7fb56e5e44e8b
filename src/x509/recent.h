/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recent.h - the certificates that OpenSSL decoded last: decoding one, its key above all, costs as
 * much as checking its signature, and issuers are asked for again and again.
 */
#ifndef X509_RECENT_H
#define X509_RECENT_H

#include "base/str.h"

#include <openssl/x509.h>

enum { RECENT_MAX = 16 };

/* The certificate: the caller owns a reference, others may hold the same object, so it must not be
   changed. NULL when `der` is not one certificate. */
X509 *recent_x509(str der);

/* How many were decoded so far. */
size_t recent_decoded(void);

#endif
