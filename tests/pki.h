/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pki.h - certificates made in memory for tests, as values in an arena.
 *
 *     struct pki root = pki_make(&arena, &(struct pki_spec){ .name = "Root", .ca = true });
 *     struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1", .issuer = &root,
 *                                                            .san = "DNS:db1,IP:127.0.0.1" });
 *
 * What cannot be made fails the test. Keys are P-256 unless rsa_bits is set.
 */
#ifndef TESTS_PKI_H
#define TESTS_PKI_H

#include "x509/cert.h"

/* 2026-11-24T00:00:00Z: the moment that tests judge at. */
#define PKI_NOW ((moment)1795478400)
#define PKI_DAY ((moment)86400)

struct pki {
    struct cert cert; /* with its DER */
    str pem;          /* of the certificate */
    str key_pem;      /* PKCS#8, not encrypted */
    str key_der;      /* the same without armour */
};

/* All but `name` may be left out. */
struct pki_spec {
    const char *name;         /* CN */
    const char *organisation; /* O */
    const struct pki *issuer; /* NULL: self-signed */
    const struct pki *key_of; /* use this one's key; NULL: make one */
    int rsa_bits;
    const char *key_kind;           /* another curve ("P-384"), "ED25519" or "ED448" */
    bool ca;                        /* basicConstraints CA:TRUE, keyUsage keyCertSign, cRLSign */
    const char *basic_constraints;  /* instead: "critical,CA:TRUE,pathlen:0" */
    const char *key_usage;          /* instead: "critical,digitalSignature" */
    const char *extended_key_usage; /* "serverAuth,clientAuth" */
    const char *san;                /* "DNS:db1,IP:127.0.0.1" */
    const char *name_constraints;   /* "critical,permitted;DNS:example" */
    const char *digest;             /* "SHA256" */
    bool no_key_ids;                /* neither SKI nor AKI */
    moment not_before, not_after;   /* 0: PKI_NOW - 1 day, PKI_NOW + 90 days (CA: 3650) */
};

struct pki pki_make(struct arena *arena, const struct pki_spec *spec);

EVP_PKEY *pki_key(const struct pki *pki); /* caller owns it */

/* The key's PEM encrypted with `password`: PKCS#8 PBES2, or traditional with a DEK-Info. */
str pki_key_pem_encrypted(struct arena *arena, const struct pki *pki, const char *password,
                          bool traditional);
str pki_key_pem_traditional(struct arena *arena, const struct pki *pki); /* "EC PRIVATE KEY" */
str pki_request_pem(struct arena *arena, const struct pki *pki);         /* PKCS#10, its CN */

#endif
