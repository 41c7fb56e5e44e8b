/* SPDX-License-Identifier: Apache-2.0 */
/*
 * facts.h - what the judge knows of each certificate and of each pair, asked of OpenSSL once.
 *
 * A certificate is decoded when it is first judged and a signature is checked once per pair, so
 * judging many links over few certificates costs look-ups. Names are dense ids, equal where
 * RFC 5280, 7.1 says that the names are.
 */
#ifndef TRUST_FACTS_H
#define TRUST_FACTS_H

#include "trust/model.h"

/* The part that the end which presents a certificate has; a signer has no purpose of TLS. */
enum tls_role { ROLE_SERVER, ROLE_CLIENT, ROLE_SIGNER, ROLE_COUNT };

struct cert_facts {
    uint32_t subject, issuer;   /* name ids */
    uint32_t next_same_subject; /* cert id or NO_ID */
    uint32_t signer;            /* of a planned certificate: cert id, or NO_ID */
    bool asked;                 /* the rest is filled in */
    bool decodable;
    bool self_signed; /* names itself as issuer by name, key identifier and algorithm */
    int ca;           /* X509_check_ca(): 0 no, 1 basicConstraints, 3 to 5 only as an anchor */
    bool leaf_purpose[ROLE_COUNT], issuer_purpose[ROLE_COUNT]; /* X509_check_purpose() */
    int key_security, signature_security;                      /* bits */
};

struct facts {
    struct model *model;           /* borrowed */
    LIST(struct cert_facts) certs; /* by cert id */
    struct map name_ids;           /* DER -> name id */
    struct map name_hashes;        /* (hash of the canonical form, n) -> name id */
    LIST(str) names;               /* one DER of each name */
    LIST(uint32_t) first_of_name;  /* the first cert id with that subject, or NO_ID */
    struct map likely, signatures; /* (cert, issuer) -> 0 | 1 */
    uint64_t signature_checks;     /* how many public key operations were made */
};
void facts_init(struct facts *facts, struct model *model);

/* Valid until the model has more certificates. */
const struct cert_facts *facts_of(struct facts *facts, uint32_t cert);

/* A certificate that is not issued yet (sha256 "new:…"): its DER is that of the one it replaces,
   so dates, issuer, key and signature are taken from its fields alone. */
bool facts_planned(const struct facts *facts, uint32_t cert);

/* OpenSSL's question while it looks for an issuer: name, authority key identifier, algorithm. */
bool facts_likely_issued(struct facts *facts, uint32_t cert, uint32_t issuer);

bool facts_signed(struct facts *facts, uint32_t cert, uint32_t issuer);

/* Take it that `issuer` signed the planned `cert`: then so did every certificate with its key. To
   be said before anything is asked of `cert`. */
void facts_assume_signed(struct facts *facts, uint32_t cert, uint32_t issuer);

/* The first certificate of the model whose subject is `name`, or NO_ID; the others follow it in
   next_same_subject. */
uint32_t facts_first_named(struct facts *facts, uint32_t name);

#endif
