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
    str state;     /* the node's state folder */
    str apply;     /* whose snapshot must hold the path */
    str path;      /* absolute */
    str expects;   /* what file_state() must still say right before the rename */
    str like;      /* for a new file: owner as this file's; empty: ours */
    unsigned mode; /* of a new file; one that is there keeps owner and permissions */
};

/* ERR_REFUSED without a snapshot, ERR_CONFLICT where the file is not as expected. */
MUST_CHECK bool file_write(const struct file_change *change, str bytes, struct err *err);

/* Save every path, absent ones too. */
MUST_CHECK bool file_snapshot(str state, str apply, const str_list *paths, struct err *err);

/* Put every saved path back as it was: bytes, owner, permissions, absence. */
MUST_CHECK bool file_restore(str state, str apply, size_t *ret_count, struct err *err);

#endif
