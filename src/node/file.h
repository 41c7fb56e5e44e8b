/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.h - files changed only from a state that was expected, and only after they were saved.
 *
 * A snapshot keeps bytes, owner and permissions of each path below `state`/snapshots/<apply>/,
 * owner-only; it is read back and compared before it counts, and a path is saved once per apply:
 * what a resumed apply finds is no longer the state to return to.
 */
#ifndef NODE_FILE_H
#define NODE_FILE_H

#include "base/err.h"
#include "base/str.h"

/* What a path names: the sha256 of a file's bytes in hex, or "absent". */
MUST_CHECK bool file_state(struct arena *arena, str path, str *ret_state, struct err *err);

/* One change of one file. */
struct file_change {
    str state;   /* the node's state folder */
    str apply;   /* whose snapshot must hold the path */
    str path;    /* absolute */
    str expects; /* what file_state() must still say right before the rename */
    str like;    /* for a new file: owner and permissions as this file's; empty: ours, 0600 */
};

/* ERR_REFUSED without a snapshot, ERR_CONFLICT where the file is not as expected. */
MUST_CHECK bool file_write(const struct file_change *change, str bytes, struct err *err);

/* Which files an identity had when it was saved: what the way back is planned with. */
struct saved_identity {
    str service, store, certificate, key;
};
typedef LIST(struct saved_identity) saved_identity_list;

/* Save every path, absent ones too; `identity` may be NULL. */
MUST_CHECK bool file_snapshot(str state, str apply, const str_list *paths,
                              const struct saved_identity *identity, struct err *err);

/* Whether every path is in the snapshot. */
MUST_CHECK bool file_is_saved(str state, str apply, const str_list *paths, bool *ret_all,
                              struct err *err);

MUST_CHECK bool file_saved_identities(struct arena *arena, str state, str apply,
                                      saved_identity_list *ret_list, struct err *err);

/* Whether `path` named nothing when it was saved. */
MUST_CHECK bool file_was_absent(struct arena *arena, str state, str apply, str path,
                                bool *ret_absent, struct err *err);

/* The bytes that `path` had; ERR_REFUSED when they were not saved or it was absent. */
MUST_CHECK bool file_saved_bytes(struct arena *arena, str state, str apply, str path,
                                 str *ret_bytes, struct err *err);

/* Put every saved path back as it was: bytes, owner, permissions, absence. */
MUST_CHECK bool file_restore(str state, str apply, size_t *ret_count, struct err *err);

#endif
