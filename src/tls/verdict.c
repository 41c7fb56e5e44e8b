/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/verdict.h"

#include <openssl/x509_vfy.h>

// clang-format off
/* error, cause at the leaf, cause between, cause at the anchor */
static const struct verify_row {
    int error;
    enum cause leaf, between, anchor;
} verify_rows[] = {
#define SAME(error, cause) { error, CAUSE_##cause, CAUSE_##cause, CAUSE_##cause }
    { X509_V_ERR_CERT_HAS_EXPIRED, CAUSE_leaf_expired, CAUSE_intermediate_expired, CAUSE_root_expired },
    SAME(X509_V_ERR_CERT_NOT_YET_VALID,                   not_yet_valid),
    SAME(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,            issuer_unknown),
    SAME(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,    issuer_unknown),
    SAME(X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,      issuer_unknown),
    SAME(X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,            issuer_unknown),
    SAME(X509_V_ERR_CERT_SIGNATURE_FAILURE,               issuer_unknown),
    SAME(X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,          self_signed_untrusted),
    SAME(X509_V_ERR_CERT_UNTRUSTED,                       issuer_unknown),
    SAME(X509_V_ERR_CERT_REJECTED,                        issuer_unknown),
    SAME(X509_V_ERR_HOSTNAME_MISMATCH,                    hostname_mismatch),
    SAME(X509_V_ERR_IP_ADDRESS_MISMATCH,                  hostname_mismatch),
    SAME(X509_V_ERR_EE_KEY_TOO_SMALL,                     weak_signature_or_key),
    SAME(X509_V_ERR_CA_KEY_TOO_SMALL,                     weak_signature_or_key),
    SAME(X509_V_ERR_CA_MD_TOO_WEAK,                       weak_signature_or_key),
    SAME(X509_V_ERR_INVALID_PURPOSE,                      wrong_key_usage),
    SAME(X509_V_ERR_KEYUSAGE_NO_CERTSIGN,                 wrong_key_usage),
    SAME(X509_V_ERR_INVALID_CA,                           ca_basic_constraints),
    SAME(X509_V_ERR_PATH_LENGTH_EXCEEDED,                 ca_basic_constraints),
    SAME(X509_V_ERR_PERMITTED_VIOLATION,                  name_constraints),
    SAME(X509_V_ERR_EXCLUDED_VIOLATION,                   name_constraints),
    SAME(X509_V_ERR_CERT_REVOKED,                         revoked),
    SAME(X509_V_ERR_CRL_HAS_EXPIRED,                      crl_expired_or_unreachable),
    SAME(X509_V_ERR_UNABLE_TO_GET_CRL,                    crl_expired_or_unreachable),
    SAME(X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD,       cert_malformed),
    SAME(X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD,        cert_malformed),
    SAME(X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY,   cert_malformed),
    SAME(X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION,         cert_malformed),
#undef SAME
};

/* number, name, cause when we presented a certificate, cause when one was wanted and we had none.
   bad_certificate and certificate_unknown are what Java and Go send for an unknown issuer;
   decrypt_error is OpenSSL's answer when an anchor of the same name has another key; TLS 1.2 has
   no certificate_required and OpenSSL sends handshake_failure in its place. */
static const struct alert_row {
    int alert;
    const char *name;
    enum cause with_identity, without;
} alert_rows[] = {
    { 10,  "unexpected_message",       CAUSE_none,                           CAUSE_none },
    { 20,  "bad_record_mac",           CAUSE_none,                           CAUSE_none },
    { 22,  "record_overflow",          CAUSE_none,                           CAUSE_none },
    { 40,  "handshake_failure",        CAUSE_none,                           CAUSE_client_cert_missing },
    { 42,  "bad_certificate",          CAUSE_client_ca_not_accepted,         CAUSE_client_cert_missing },
    { 43,  "unsupported_certificate",  CAUSE_wrong_key_usage,                CAUSE_none },
    { 44,  "certificate_revoked",      CAUSE_revoked,                        CAUSE_none },
    { 45,  "certificate_expired",      CAUSE_client_cert_expired,            CAUSE_none },
    { 46,  "certificate_unknown",      CAUSE_client_ca_not_accepted,         CAUSE_client_cert_missing },
    { 47,  "illegal_parameter",        CAUSE_none,                           CAUSE_none },
    { 48,  "unknown_ca",               CAUSE_client_ca_not_accepted,         CAUSE_none },
    { 49,  "access_denied",            CAUSE_client_identity_not_authorised, CAUSE_client_cert_missing },
    { 50,  "decode_error",             CAUSE_cert_malformed,                 CAUSE_none },
    { 51,  "decrypt_error",            CAUSE_client_ca_not_accepted,         CAUSE_none },
    { 70,  "protocol_version",         CAUSE_protocol_version_mismatch, CAUSE_protocol_version_mismatch },
    { 71,  "insufficient_security",    CAUSE_none,                           CAUSE_none },
    { 80,  "internal_error",           CAUSE_none,                           CAUSE_none },
    { 86,  "inappropriate_fallback",   CAUSE_none,                           CAUSE_none },
    { 109, "missing_extension",        CAUSE_none,                           CAUSE_none },
    { 112, "unrecognized_name",        CAUSE_hostname_mismatch,              CAUSE_hostname_mismatch },
    { 116, "certificate_required",     CAUSE_client_cert_missing,            CAUSE_client_cert_missing },
    { 120, "no_application_protocol",  CAUSE_none,                           CAUSE_none },
};
// clang-format on

static bool about_the_issuer(int error)
{
    return error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
           error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
           error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
           error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
           error == X509_V_ERR_CERT_SIGNATURE_FAILURE;
}

/* An anchor bears the issuer's name but did not sign the certificate: the root was rotated. */
static bool stale_anchor(const struct cert *cert, const struct cert *anchors, size_t count)
{
    bool named = false;
    for (size_t i = 0; i < count; i++) {
        if (!str_eq(anchors[i].subject_der, cert->issuer_der))
            continue;
        if (cert_signed_by(cert, &anchors[i]))
            return false;
        named = true;
    }
    return named;
}

/*
 * A leaf whose issuer is neither presented nor an anchor fails alike whether an intermediate is
 * missing or its root is not trusted, and nothing on the wire tells them apart when it came alone;
 * clusters whose root signs leaves directly are the common case, so that is issuer_unknown. It is
 * chain_incomplete when the server sent other certificates but not the one above its leaf.
 */
enum cause verdict_of_verify(const struct verify_failure *failure, size_t presented,
                             const struct cert *anchors, size_t anchor_count)
{
    if (anchor_count == 0)
        return CAUSE_truststore_empty;
    if (about_the_issuer(failure->error)) {
        if (stale_anchor(&failure->cert, anchors, anchor_count))
            return CAUSE_truststore_stale_after_rotation;
        if (failure->depth == 0 && presented > 1)
            return CAUSE_chain_incomplete;
    }
    for (size_t i = 0; i < COUNT(verify_rows); i++) {
        const struct verify_row *row = &verify_rows[i];
        if (row->error == failure->error)
            return failure->anchor ? row->anchor : failure->depth == 0 ? row->leaf : row->between;
    }
    return CAUSE_none;
}

static const struct alert_row *alert_row(int alert)
{
    for (size_t i = 0; i < COUNT(alert_rows); i++)
        if (alert_rows[i].alert == alert)
            return &alert_rows[i];
    return NULL;
}

enum cause verdict_of_alert(int alert, bool requested, bool identity)
{
    const struct alert_row *row = alert_row(alert);
    if (row == NULL)
        return CAUSE_none;
    if (!requested) /* then it cannot be about our certificate */
        return row->with_identity == row->without ? row->with_identity : CAUSE_none;
    return identity ? row->with_identity : row->without;
}

const char *alert_name(int alert)
{
    const struct alert_row *row = alert_row(alert);
    return row == NULL ? "unknown" : row->name;
}
