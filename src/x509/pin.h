/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pin.h - what is remembered of a peer: a digest of its certificate or of its public key.
 *
 * As text it is one of
 *
 *     sha256//BASE64     SHA-256 of the SubjectPublicKeyInfo, as curl's --pinnedpubkey takes it
 *     spki:sha256:HEX    the same
 *     cert:sha256:HEX    SHA-256 of the whole certificate, DER
 */
#ifndef X509_PIN_H
#define X509_PIN_H

#include "base/str.h"

enum pin_kind { PIN_CERT, PIN_SPKI };

struct pin {
    enum pin_kind kind;
    str digest; /* 64 hex digits, lower case; where it is planned, "new:…" */
};

/* False when the text is none. */
bool pin_parse(struct arena *arena, str text, struct pin *ret_pin);

bool pin_eq(struct pin a, struct pin b);

/* As it is written in a file: "sha256//…" or "cert:sha256:…". Not for a planned one. */
str pin_text(struct arena *arena, struct pin pin);

/* Its name in the model and in plans: "spki:…" or "cert:…", with the digest; and back. A digest of
   either form is taken. */
str pin_name(struct arena *arena, struct pin pin);
bool pin_of_name(str name, struct pin *ret_pin);

#endif
