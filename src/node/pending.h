/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pending.h - a renewal on its way: the key that was made here and the certificate that came for
 * it, before either is in use.
 *
 * Both lie below `state`/pending/, named after the `issue` step, owner-only. A killed issue finds
 * its key again; the key is dropped once the service refers to its own copy, the certificate stays
 * as the record of what the step led to.
 */
#ifndef NODE_PENDING_H
#define NODE_PENDING_H

#include "x509/cert.h"

/* Which renewal, and the key that it is about. */
struct pending_place {
    str state;    /* the node's state folder */
    str step;     /* id of the issue step */
    str old_key;  /* path of the key that is used today: kept, unless `new_key` */
    str password; /* of that key and of a new one; ptr NULL: not encrypted */
    bool new_key;
};

struct pending {
    bool has_key, has_certificate;
    str chain_pem; /* leaf first; empty without a certificate */
    struct cert leaf;
};

/* What is there; nothing is not an error. */
MUST_CHECK bool pending_read(struct arena *arena, const struct pending_place *place,
                             struct pending *ret_pending, struct err *err);

struct pending_request {
    str spki_sha256;           /* hex */
    str spki_der, request_der; /* PKCS#10, with subject, names and usages of `like` */
};

/* The request for a certificate. A new key is of the kind of `like`'s, or the one that an earlier
   try made: no key is ever replaced. The private key never leaves this machine. */
MUST_CHECK bool pending_ask(struct arena *arena, const struct pending_place *place,
                            const struct cert *like, struct pending_request *ret_request,
                            struct err *err);

/* Keep the chain, PEM, that came; ERR_REFUSED when its leaf does not belong to the key. */
MUST_CHECK bool pending_deliver(const struct pending_place *place, str chain_pem, struct err *err);

/* The new key as it will be written. `arena` should wipe. */
MUST_CHECK bool pending_key_bytes(struct arena *arena, const struct pending_place *place,
                                  str *ret_bytes, struct err *err);
MUST_CHECK bool pending_drop_key(const struct pending_place *place, struct err *err);

/* It is given up: key and certificate are overwritten and removed. *ret_had: there was something.
 */
MUST_CHECK bool pending_forget(const struct pending_place *place, bool *ret_had, struct err *err);

/* Whether the leaf in `chain_pem` belongs to the key at `key_path`; ERR_REFUSED when not. */
MUST_CHECK bool pending_matches(str chain_pem, str key_path, str password, struct err *err);

#endif
