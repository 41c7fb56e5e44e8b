/* SPDX-License-Identifier: Apache-2.0 */
/* files.h - the lab's folders and files, each with its owner; and taking them away again. */
#ifndef LAB_FILES_H
#define LAB_FILES_H

#include "lab/lab.h"
#include "lab/pki.h"

enum lab_owner { LAB_OURS, LAB_SERVERS }; /* whoever makes the lab, or the run user */

MUST_CHECK bool lab_make_dir(const struct lab *lab, str path, mode_t mode, enum lab_owner owner,
                             struct err *err);
/* The same, without what an earlier one held. */
MUST_CHECK bool lab_make_empty_dir(const struct lab *lab, str path, mode_t mode,
                                   enum lab_owner owner, struct err *err);
MUST_CHECK bool lab_write(const struct lab *lab, str path, str bytes, enum lab_owner owner,
                          struct err *err);

/* STEM.crt and STEM.key: a new key and its certificate. */
MUST_CHECK bool lab_write_identity(struct arena *arena, const struct lab *lab,
                                   const struct lab_ca *ca, const struct lab_leaf *leaf, str stem,
                                   enum lab_owner owner, struct err *err);

/* The same in one file, the certificate first. */
MUST_CHECK bool lab_write_bundle(const struct lab *lab, const struct lab_ca *ca,
                                 const struct lab_leaf *leaf, str path, enum lab_owner owner,
                                 struct err *err);

/* Give `leaf` the dates that certificates have when a lab begins in this state. */
void lab_leaf_date(struct lab_leaf *leaf, enum lab_state state);

/* The folder ca/ with the root's files; `ret_anchor` is its certificate. */
MUST_CHECK bool lab_make_ca(struct arena *arena, const struct lab *lab, const struct lab_ca *ca,
                            str *ret_anchor, struct err *err);

/* The folder app/ with tls/client.crt, tls/client.key (CN=app) and tls/ca.crt. */
MUST_CHECK bool lab_make_app(struct arena *arena, const struct lab *lab, const struct lab_ca *ca,
                             str anchor, struct err *err);

/* A node's folder with data, run (where it has a socket) and tls, the run user's alone, and in it
   ca.crt. */
MUST_CHECK bool lab_make_node(struct arena *arena, const struct lab *lab, size_t node, str anchor,
                              struct err *err);

/* Remove what `up` made; DIR itself only when nothing else is in it. */
MUST_CHECK bool lab_files_remove(struct arena *arena, const struct lab *lab, struct err *err);

#endif
