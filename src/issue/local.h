/* SPDX-License-Identifier: Apache-2.0 */
/*
 * local.h - a CA of our own: a certificate, an encrypted key and a ledger in one folder.
 *
 * The key is open only while a struct local_ca lives. Nothing is signed that is not in the ledger
 * first, and what the ledger holds for a key and a step is given out again instead of signing
 * twice.
 */
#ifndef ISSUE_LOCAL_H
#define ISSUE_LOCAL_H

#include "x509/profile.h"

struct local_ca {
    LIST(struct cert) chain; /* the certificates of its file; the first is the issuer */
    str certificate_path, key_path, ledger_path;
    EVP_PKEY *key; /* owned; NULL until local_open() */
};
void local_close(struct local_ca *ca);
DEFINE_AUTO(local_ca, struct local_ca, local_close(handle))

enum local_key { LOCAL_KEY_EC_P256, LOCAL_KEY_RSA_3072 };

struct local_spec {
    const char *certificate_path, *key_path;
    str name;         /* common name of the root */
    str organisation; /* may be empty */
    str passphrase;
    enum local_key key;
    int64_t lifetime; /* seconds */
    moment now;
};

/* Make a root: certificate 0644, key 0600 as PKCS#8 with AES-256. Files that are there are never
   written over (ERR_REFUSED). */
MUST_CHECK bool local_create(struct arena *arena, const struct local_spec *spec,
                             struct cert *ret_cert, struct err *err);

/* The issuer's certificate and paths, without its key: for plans. */
MUST_CHECK bool local_read(struct arena *arena, const char *certificate_path, const char *key_path,
                           struct local_ca *ret_ca, struct err *err);

/* The same, with the key open for signing. Errors: not a CA, expired at `now` (ERR_REFUSED), wrong
   passphrase (ERR_PASSWORD), a key of another certificate (ERR_REFUSED). */
MUST_CHECK bool local_open(struct arena *arena, const char *certificate_path, const char *key_path,
                           str passphrase, moment now, struct local_ca *ret_ca, struct err *err);

/* Sign the key of another root, so that who trusts this CA accepts what that one issues (RFC 5280,
   3.2: a cross certificate). It ends when the first of the two does, and is in this CA's ledger.
   ERR_REFUSED for what is no root. */
MUST_CHECK bool local_cross_sign(struct arena *arena, const struct local_ca *ca,
                                 const struct cert *root, moment now, struct cert *ret_cert,
                                 struct err *err);

struct issue_request {
    str public_key;              /* DER: a PKCS#10 request, or a SubjectPublicKeyInfo */
    const struct cert *replaced; /* the certificate that the new one stands in for */
    str step;                    /* the plan's step: with the key, what makes a request the same */
    moment now;
    int64_t lifetime, renew_before; /* seconds, as in struct profile */
};

struct issued {
    struct cert cert;
    str pem;             /* leaf, then the issuer's intermediates; never a root */
    bool again;          /* it was in the ledger already: nothing was signed now */
    size_t damaged_line; /* a line of the ledger that could not be read, or 0 */
};

MUST_CHECK bool local_issue(struct arena *arena, const struct local_ca *ca,
                            const struct issue_request *request, struct issued *ret_issued,
                            struct err *err);

#endif
