/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile bytes as one DER certificate, and what is asked of a certificate that decodes. */
#include "x509/cert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct cert cert;
    if (!cert_parse(&arena, (str){ (const char *)data, size }, &cert, &err))
        return 0;
    (void)cert_label(&arena, &cert);
    (void)cert_pem(&arena, &cert);
    (void)cert_names_issuer(&cert, &cert);
    (void)cert_matches_name(&cert, S("db1.example"));
    (void)cert_matches_name(&cert, S("127.0.0.1"));
    return 0;
}
