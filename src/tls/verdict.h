/* SPDX-License-Identifier: Apache-2.0 */
/* verdict.h - from what OpenSSL or the peer reports to a cause: two tables. */
#ifndef TLS_VERDICT_H
#define TLS_VERDICT_H

#include "cause/catalogue.h"
#include "x509/cert.h"

/* Where our verification first failed. */
struct verify_failure {
    int error;        /* X509_V_ERR_… */
    int depth;        /* of the certificate it is about; 0 is the leaf */
    bool anchor;      /* that certificate came from the trust store */
    struct cert cert; /* that certificate */
};

/* `presented` certificates came from the server; `anchors` are what it was judged against. */
enum cause verdict_of_verify(const struct verify_failure *failure, size_t presented,
                             const struct cert *anchors, size_t anchor_count);

/* An alert (RFC 8446, 6) received from the server; `identity`: we had presented a certificate;
   `requested`: it had asked for one. */
enum cause verdict_of_alert(int alert, bool requested, bool identity);
const char *alert_name(int alert); /* "unknown_ca"; "unknown" for a number that has none */

#endif
