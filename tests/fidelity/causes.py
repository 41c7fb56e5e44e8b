# SPDX-License-Identifier: Apache-2.0
"""What the words of each program mean, in the causes of reseal's catalogue.

A table maps what the program itself says to the causes that this can mean: several, where it says
no more, and never anything learnt from reseal. They are written for a server's certificate; CLIENT
turns them round for a client's.
"""
import re

# What a cause of a server's certificate is called where a client presents it.
# Of a client that showed nothing a server cannot tell whether it had nothing.
CLIENT = {"leaf_expired": {"client_cert_expired"}, "issuer_unknown": {"client_ca_not_accepted"},
          "self_signed_untrusted": {"client_ca_not_accepted"},
          "keystore_missing": {"client_cert_missing", "client_ca_not_accepted"}}


def by_client(causes):
    return {client for cause in causes for client in CLIENT.get(cause, {cause})}


# Several causes that programs do not tell apart.
EXPIRED = {"leaf_expired", "intermediate_expired", "root_expired"}
UNKNOWN = {"issuer_unknown", "chain_incomplete", "truststore_stale_after_rotation"}
ANY_UNKNOWN = UNKNOWN | {"self_signed_untrusted"}
# Of a key that the other end has no signature or curve for, and in TLS 1.2 of a server's key that
# its own keyUsage keeps from every cipher, there is no more than that nothing was shared.
UNUSABLE = {"cipher_mismatch", "weak_signature_or_key", "wrong_key_usage"}
CRL = {"crl_expired_or_unreachable"}
WEAK = {"weak_signature_or_key"}
USAGE = {"wrong_key_usage"}
CA = {"ca_basic_constraints"}

# X509_V_ERR_* of OpenSSL 3.0 (verify(1ssl), "Diagnostics"), with the place on the path.
OPENSSL = {
    "2": UNKNOWN, "20": UNKNOWN, "21": UNKNOWN, "18": {"self_signed_untrusted"},
    "19": UNKNOWN, "3": CRL, "7": {"chain_incomplete", "truststore_stale_after_rotation"},
    "9@leaf": {"not_yet_valid"}, "9@between": {"not_yet_valid"}, "9@anchor": {"not_yet_valid"},
    "10@leaf": {"leaf_expired"}, "10@between": {"intermediate_expired"}, "10@anchor": {"root_expired"},
    "11": CRL, "12": CRL, "8": CRL, "33": CRL, "23": {"revoked"}, "24": CA, "79": CA, "25": CA,
    "26": USAGE, "32": USAGE, "35": USAGE, "34": {"cert_malformed"}, "66": WEAK, "67": WEAK, "68": WEAK,
    "47": {"name_constraints"}, "48": {"name_constraints"}, "51": {"name_constraints"},
    "52": {"name_constraints"}, "53": {"name_constraints"}, "62": {"hostname_mismatch"}, "64": {"hostname_mismatch"},
    "83": {"cert_malformed"}, "22": UNKNOWN,
}


# SSL_R_*: peer did not return a certificate, no shared cipher, no suitable signature algorithm,
# wrong curve, wrong signature type; SSL_AD_HANDSHAKE_FAILURE.
OPENSSL_OTHER = {"ssl:199": {"keystore_missing"}, "ssl:193": UNUSABLE, "ssl:118": UNUSABLE, "ssl:378": UNUSABLE,
                 "ssl:370": UNUSABLE, "alert:40": UNUSABLE}


def openssl_causes(code):
    match = re.match(r"verify:(\d+)(@\w+)", code)
    if match:
        return OPENSSL.get(match[1] + match[2]) or OPENSSL.get(match[1]) or set()
    if code in ("own:ee key too small", "own:ca key too small", "own:ca md too weak"):
        return WEAK
    return OPENSSL_OTHER.get(code, set())


# crypto/x509 (Go 1.19): CertificateInvalidError's Reason with the place and whether the time is
# after or before, and other types. A server's crypto/tls keeps the text alone.
WRONG_KEY = {"truststore_stale_after_rotation", "chain_incomplete"}
GO = {
    "invalid:0": CA, "invalid:1:self:after": {"root_expired", "leaf_expired"}, "invalid:1:ca:after": {"intermediate_expired"},
    "invalid:1:leaf:after": {"leaf_expired"}, "invalid:2": {"name_constraints"}, "invalid:3": CA, "invalid:4": USAGE,
    "invalid:8": {"name_constraints"}, "invalid:9": {"name_constraints"}, "invalid:10": {"name_constraints"},
    "unknown-authority": ANY_UNKNOWN, "hostname": {"hostname_mismatch"}, "critical": {"cert_malformed"}, "insecure": WEAK,
    "invalid:1:self:before": {"not_yet_valid"}, "invalid:1:ca:before": {"not_yet_valid"}, "invalid:1:leaf:before": {"not_yet_valid"},
}
GO_TEXTS = (
    ("ECDSA verification failure", WRONG_KEY), ("crypto/rsa: verification error", WRONG_KEY),
    ("d25519 verification failure", WRONG_KEY), ("insecure algorithm", WEAK), ("parent certificate cannot sign", CA | USAGE),
    ("certificate signed by unknown authority", ANY_UNKNOWN), ("is before", {"not_yet_valid"}), ("is after", EXPIRED),
    ("not authorized to sign for this name", {"name_constraints"}), ("too many intermediates", CA),
    ("not authorized to sign other certificates", CA), ("incompatible key usage", USAGE),
    ("unhandled critical extension", {"cert_malformed"}), ("client didn't provide a certificate", {"keystore_missing"}),
    ("unconstrained name", {"name_constraints"}), ("unsupported elliptic curve", UNUSABLE),
)


def go_causes(code):
    if code == "alert:tls: handshake failure":
        return UNUSABLE
    if code.startswith(("unknown-authority:", "other:", "own:")):
        return texts(GO_TEXTS)(code)
    return GO.get(code) or GO.get(":".join(code.split(":")[:2])) or set()


# CertPathValidatorException.BasicReason and PKIXReason, and JSSE's own texts (OpenJDK 17).
JSSE = {
    "path:EXPIRED": EXPIRED, "path:NOT_YET_VALID": {"not_yet_valid"}, "path:REVOKED": {"revoked"},
    "path:UNDETERMINED_REVOCATION_STATUS": CRL, "path:INVALID_SIGNATURE": {"truststore_stale_after_rotation", "chain_incomplete"} | WEAK,
    "path:ALGORITHM_CONSTRAINED": WEAK, "path:NAME_CHAINING": UNKNOWN, "path:INVALID_KEY_USAGE": USAGE,
    "path:NOT_CA_CERT": CA, "path:PATH_TOO_LONG": CA, "path:INVALID_NAME": {"name_constraints"},
    "path:NO_TRUST_ANCHOR": ANY_UNKNOWN, "path:UNRECOGNIZED_CRIT_EXT": {"cert_malformed"}, "builder": ANY_UNKNOWN,
    "CertificateExpiredException": EXPIRED, "CertificateNotYetValidException": {"not_yet_valid"}, "empty": {"keystore_missing"},
}
JSSE_TEXTS = (("No name matching", {"hostname_mismatch"}), ("No subject alternative", {"hostname_mismatch"}),
              ("Illegal given domain name", {"hostname_mismatch"}),
              ("Extended key usage does not permit", USAGE), ("KeyUsage does not allow", USAGE),
              ("Netscape cert type", USAGE), ("unsupported critical extension", {"cert_malformed"}),
              ("nrecognized critical extension", {"cert_malformed"}),
              ("No trusted certificate found", ANY_UNKNOWN), ("subject/issuer name chaining", UNKNOWN),
              ("is not a CA certificate", CA), ("does not have keyCertSign", USAGE), ("Curve not supported", UNUSABLE),
              ("alert:handshake_failure", UNUSABLE), ("CA key usage check failed", USAGE), ("basic constraints check failed", CA),
              ("not conform to algorithm constraints", WEAK), ("Algorithm constraints check failed", WEAK))


def jsse_causes(code):
    for text, causes in JSSE_TEXTS:
        if text in code:
            return causes
    return JSSE.get(code.split("@")[0], set())


# gnutls_certificate_verification_status_print() of GnuTLS 3.7; it says neither where nor, of
# dates, which one of several.
GNUTLS = (
    ("The certificate is NOT trusted. The name in the certificate does not match", {"hostname_mismatch"}),
    ("uses expired certificate", EXPIRED), ("uses not yet valid certificate", {"not_yet_valid"}),
    ("insecure algorithm", WEAK), ("violates the signer's constraints", {"name_constraints", "ca_basic_constraints", "wrong_key_usage"}),
    ("certificate is revoked", {"revoked"}), ("chain is revoked", {"revoked"}),
    ("revocation or OCSP data are old", CRL), ("revocation data", CRL),
    ("doesn't match its intended purpose", USAGE), ("does not match its intended purpose", USAGE),
    ("does not match the intended purpose", USAGE), ("issuer is not a CA", CA | {"wrong_key_usage"}),
    ("signature in the certificate is invalid", {"truststore_stale_after_rotation", "chain_incomplete"}),
    ("unknown critical extension", {"cert_malformed"}), ("issuer is unknown", ANY_UNKNOWN),
    ("name in the certificate does not match", {"hostname_mismatch"}),
    ("Key usage violation", USAGE), ("Error in the CRL verification", CRL),
    ("The curve is unsupported", UNUSABLE), ("Received alert [40]", UNUSABLE), ("No certificate was found", {"keystore_missing"}), ("Certificate is required", {"keystore_missing"}),
    ("Error in handshake: Error in the certificate.", UNUSABLE),
)


def texts(table):
    """A table of texts, of which the first that is there counts."""
    def causes(code):
        return next((causes for text, causes in table if text in code), set())
    return causes
