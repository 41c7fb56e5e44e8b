/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cert.h - the facts of one certificate (RFC 5280, 4.1 and 4.2), as values in an arena.
 *
 * A struct cert holds no OpenSSL object, so it can be copied, cached and compared; the few
 * questions that only OpenSSL should answer (signature, name match) take it back to one.
 */
#ifndef X509_CERT_H
#define X509_CERT_H

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

/* The keyUsage bits (RFC 5280, 4.2.1.3), as OpenSSL's KU_ constants. */
struct cert {
    str der;
    str sha256;          /* lower-case hex of SHA-256(der): the certificate's identity */
    str spki_sha256;     /* the same of its SubjectPublicKeyInfo: the key's identity */
    str subject, issuer; /* for people, RFC 4514 order and escapes: "CN=db1,O=Orders" */
    str subject_der, issuer_der;
    str common_name;              /* the last CN of the subject, empty when there is none */
    str serial;                   /* lower-case hex, no leading 00 */
    moment not_before, not_after; /* both inclusive (RFC 5280, 4.1.2.5) */
    str key_type;                 /* "RSA", "EC", "ED25519", … */
    int key_bits;
    str signature_algorithm; /* "sha256WithRSAEncryption" */
    str_list dns;            /* dNSName entries */
    str_list san;            /* every subjectAltName entry: "DNS:db1", "IP:127.0.0.1" */
    bool has_key_usage;
    uint32_t key_usage;  /* KU_… bits; meaningful when has_key_usage */
    str_list key_usages; /* names: "digitalSignature", "keyCertSign" */
    bool has_extended_key_usage;
    str_list extended_key_usage; /* "serverAuth", "clientAuth", or the dotted OID */
    bool ca;         /* basicConstraints CA:TRUE, or a version 1 self-signed certificate */
    int path_length; /* pathLenConstraint, -1 when there is none */
    str subject_key_id, authority_key_id; /* hex, empty when absent */
    bool self_issued;                     /* subject equals issuer (RFC 5280, 6.1) */
    bool critical_unknown; /* has a critical extension that OpenSSL does not handle */
    bool has_name_constraints;
    int version; /* 1, 2 or 3 */
};

typedef LIST(struct cert) cert_list;

/* Decode one DER certificate; trailing bytes are an error. Everything is copied into `arena`. */
MUST_CHECK bool cert_parse(struct arena *arena, str der, struct cert *ret_cert, struct err *err);

/* The certificate as OpenSSL's object: the caller owns a reference and must not change it
   (recent.h). NULL when OpenSSL cannot decode it. */
X509 *cert_x509(const struct cert *cert);

/* The facts of an OpenSSL object. */
MUST_CHECK bool cert_of_x509(struct arena *arena, X509 *x509, struct cert *ret_cert,
                             struct err *err);

/* Whether `issuer`'s key made `cert`'s signature: one public key operation. */
bool cert_signed_by(const struct cert *cert, const struct cert *issuer);

/* Whether `issuer` may be `cert`'s issuer by name and, where both have one, by key identifier. */
bool cert_names_issuer(const struct cert *cert, const struct cert *issuer);

/* Whether a client that dialled `name` (DNS name or IP address) accepts the certificate's names
   as OpenSSL and libpq 15 do: SAN first, CN only when there is no dNSName (RFC 9525, 6.3). */
bool cert_matches_name(const struct cert *cert, str name);

/* "CN=db1 (sha256:1a2b3c4d, until 2027-01-03)": names a certificate in a sentence. */
str cert_label(struct arena *arena, const struct cert *cert);

/* PEM text of the certificate (RFC 7468, 5). */
str cert_pem(struct arena *arena, const struct cert *cert);

/* SHA-256 of a key's SubjectPublicKeyInfo, lower-case hex: equal to the spki_sha256 of its
   certificates. */
MUST_CHECK bool key_spki_sha256(struct arena *arena, EVP_PKEY *key, str *ret_hex, struct err *err);

str sha256_hex(struct arena *arena, str bytes);

#endif
