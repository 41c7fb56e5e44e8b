/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile.h - what a renewed certificate will say, before anything is signed.
 *
 * The new certificate takes from the one that it replaces the subject, subjectAltName, keyUsage
 * and extendedKeyUsage, and nothing else: identifiers and addresses of the old issuer (AKI, AIA,
 * CRL points, SCTs) would be wrong, and an extension that we do not know may be anything.
 * Needs the issuer's certificate only: neither its key nor a passphrase.
 */
#ifndef X509_PROFILE_H
#define X509_PROFILE_H

#include "base/emit.h"
#include "x509/cert.h"

/* A certificate is good from this much before it was made, for clocks that are behind. */
enum { PROFILE_BACKDATE = 5 * 60 };

struct profile {
    const struct cert *replaced, *issuer; /* borrowed */
    moment now;
    int64_t lifetime;     /* seconds from now; capped by the issuer's own end */
    int64_t renew_before; /* seconds: a life that the cap leaves shorter than this is refused */
};

/* First and last moment of the new certificate. ERR_REFUSED when the issuer has expired, is not
   valid yet, or ends so soon that the new certificate would be due at once. */
MUST_CHECK bool profile_dates(const struct profile *profile, moment *ret_not_before,
                              moment *ret_not_after, struct err *err);

/* The extensions that are copied, as an OpenSSL NID; ended by 0. */
extern const int profile_copied[];

/* The keyUsage bits of the new certificate: a leaf may not sign certificates or CRLs (RFC 5280,
   4.2.1.9), so those two are taken off. And their names. */
uint32_t profile_key_usage(const struct cert *replaced);
str_list profile_key_usages(struct arena *arena, const struct cert *replaced);

/* The extension of that NID (one of profile_copied) as it goes into a request or a certificate;
   NULL when `x509`, which is `replaced`, has none. The caller owns it. False when OpenSSL fails. */
MUST_CHECK bool profile_extension(const struct cert *replaced, X509 *x509, int nid,
                                  X509_EXTENSION **ret_extension);

/* The certificate as it will be: no der, sha256, serial or signature yet. With `new_key` it has no
   spki_sha256; type and size of the key are the old ones, which a new key takes over. */
MUST_CHECK bool planned_certificate(struct arena *arena, const struct profile *profile,
                                    bool new_key, struct cert *ret_cert, struct err *err);

/* One thing about the certificate, before and after. */
struct profile_row {
    const char *field; /* "key", "public_key", "issuer", "subject", "names", … */
    str old_value, new_value;
    bool changed;
};
typedef LIST(struct profile_row) profile_rows;

/* What the renewal changes and what it keeps: `planned` may be a planned certificate or one that
   was issued. Every field has its row. */
void profile_diff(struct arena *arena, const struct cert *replaced, const struct cert *planned,
                  profile_rows *ret_rows);

/* An array of {"field","old","new","changed"}. */
void profile_emit(struct emit *emit, const char *name, const profile_rows *rows);

#endif
