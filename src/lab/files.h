/* SPDX-License-Identifier: Apache-2.0 */
/* files.h - the lab's folders and files, each with its owner; and taking them away again. */
#ifndef LAB_FILES_H
#define LAB_FILES_H

#include "lab/lab.h"
#include "lab/pki.h"

enum lab_owner { LAB_OURS, LAB_SERVERS }; /* whoever makes the lab, or the run user */

MUST_CHECK bool lab_make_dir(const struct lab *lab, str path, mode_t mode, enum lab_owner owner,
                             struct err *err);
MUST_CHECK bool lab_write(const struct lab *lab, str path, str bytes, enum lab_owner owner,
                          struct err *err);

/* Folders of the lab and of each node, the root's files, and a `tls` folder for each node and the
   client, with certificates of the age that the state begins with. */
MUST_CHECK bool lab_files_make(struct arena *arena, const struct lab *lab, const struct lab_ca *ca,
                               struct err *err);

/* A fresh server and client identity (90 days, new keys) in place of node number `node`'s. */
MUST_CHECK bool lab_files_renew(struct arena *arena, const struct lab *lab, const struct lab_ca *ca,
                                size_t node, struct err *err);

/* Remove what `up` made; DIR itself only when nothing else is in it. */
MUST_CHECK bool lab_files_remove(struct arena *arena, const struct lab *lab, struct err *err);

#endif
