/* SPDX-License-Identifier: Apache-2.0 */
/* material.h - what a step puts in place: the bytes of an identity and the files they belong in. */
#ifndef NODE_MATERIAL_H
#define NODE_MATERIAL_H

#include "node/change.h"

struct material {
    str leaf; /* fingerprint of the certificate, "sha256:…" */
    str certificate_bytes;
    str key_bytes;               /* empty where the key stays as it is */
    struct identity_files files; /* where they belong */
    bool one_file;               /* certificate_bytes have the key: one rename replaces the pair */
    bool derived;                /* made from another store, which has it in `source` */
    struct identity_files source;
};

/* Of a certificate that is pending ("new:…"): beside the files in use, or over them. Of one that
   was there before ("sha256:…"): as the snapshot has it, or as the store has it that this one is
   derived from. ERR_REFUSED when there is no such thing. */
MUST_CHECK bool material_of(const struct change_site *site, const struct change *change,
                            struct material *ret_material, struct err *err);

/* The store that the change is about; NULL with ERR_USAGE when the node has none of that name. */
const struct store_conf *material_store(const struct change_site *site, const struct change *change,
                                        struct err *err);

/* The fingerprint of the first certificate in the file at `path`, or "absent". */
MUST_CHECK bool material_leaf(struct arena *arena, str path, str *ret_leaf, struct err *err);

/* The password of the store's key; empty when none is declared. */
MUST_CHECK bool material_password(struct arena *arena, const struct store_conf *store,
                                  str *ret_password, struct err *err);

#endif
