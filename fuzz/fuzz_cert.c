/* SPDX-License-Identifier: Apache-2.0 */
/* Covers src/x509/cert.c src/x509/name.c */
/* Hostile bytes as one DER certificate, and what is asked of a certificate that decodes. */
#include "x509/auto.h"
#include "x509/cert.h"
#include "x509/name.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask_openssl(struct arena *arena, const struct cert *cert)
{
    AUTO(err) struct err err = { 0 };
    AUTO(X509) X509 *x509 = cert_x509(cert);
    struct cert again;
    str hex;
    assert(x509 != NULL);
    if (cert_of_x509(arena, x509, &again, &err)) {
        /* Its bytes may differ, where those given were BER: what they say may not. */
        assert(str_eq(again.subject_der, cert->subject_der));
        assert(again.not_after == cert->not_after);
    }
    EVP_PKEY *key = X509_get0_pubkey(x509);
    if (key != NULL && key_spki_sha256(arena, key, &hex, &err))
        assert(hex.len == cert->spki_sha256.len);
    (void)cert_signed_by(cert, cert);
}

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
    (void)cert_matches_name(&cert, S("2001:db8::1"));
    (void)name_equal(cert.subject_der, cert.issuer_der);
    ask_openssl(&arena, &cert);
    return 0;
}
