/* SPDX-License-Identifier: Apache-2.0 */
/* identity.h - a certificate file and a key file that are used together. */
#ifndef STORE_IDENTITY_H
#define STORE_IDENTITY_H

#include "store/store.h"

struct store_identity {
    LIST(struct cert) chain; /* in the file's order, which is what OpenSSL presents: leaf first */
    str key_spki_sha256;     /* empty while the key is missing or locked */
    str key_type;
    bool key_encrypted;
    bool matches;          /* the key is open and is the leaf's */
    finding_list findings; /* of both files, and of the pair */
};

/* Read the pair; both paths may name one file. A missing or foreign key is a finding, a file that
   cannot be read (other than a key that is not there) is an error. */
MUST_CHECK bool store_identity_read(struct arena *arena, const char *certificate_path,
                                    const char *key_path, const struct store_options *options,
                                    struct store_identity *ret_identity, struct err *err);

#endif
