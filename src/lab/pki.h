/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pki.h - the lab's own certificate authority: a root with an encrypted key, and P-256 leaves.
 *
 * It is deliberately not the issuer that reseal renews with: what the lab starts from is made
 * here, what repairs it is made there.
 */
#ifndef LAB_PKI_H
#define LAB_PKI_H

#include "base/clock.h"
#include "base/err.h"
#include "x509/auto.h"

struct lab_ca {
    X509 *cert;
    EVP_PKEY *key;
};
void lab_ca_free(struct lab_ca *ca); /* safe on {0} */
DEFINE_AUTO(lab_ca, struct lab_ca, lab_ca_free(handle))

/* A new root, valid from a year ago for ten years. */
MUST_CHECK bool lab_ca_make(struct lab_ca *ret_ca, struct err *err);

/* The root's files: its certificate, its key (PKCS#8, AES-256) and a new random passphrase. */
struct lab_ca_files {
    str certificate, key, passphrase;
};
MUST_CHECK bool lab_ca_export(struct arena *arena, const struct lab_ca *ca,
                              struct lab_ca_files *ret_files, struct err *err);

struct lab_leaf {
    str common_name;
    str dns; /* empty: a client certificate; otherwise a server certificate with this name */
    moment not_before, not_after;
    str address; /* of a server: an IP address that it is dialled by; or empty */
    bool both;   /* of a server that is also a client with it */
};

/* A new key and its certificate, both as PEM. `arena` should wipe: it holds the key. */
MUST_CHECK bool lab_ca_issue(struct arena *arena, const struct lab_ca *ca,
                             const struct lab_leaf *leaf, str *ret_cert, str *ret_key,
                             struct err *err);

#endif
