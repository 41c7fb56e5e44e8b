/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io.h - files read with a ceiling and replaced without a moment in which they are missing.
 *
 * io_replace() writes a new file beside the old one, syncs it, renames it over the old one and
 * syncs the folder: after a crash at any point the path names the old bytes or the new ones.
 * A file that a killed writer left beside it is removed by the next.
 */
#ifndef BASE_IO_H
#define BASE_IO_H

#include "base/err.h"
#include "base/str.h"

#include <sys/types.h>

/* No store or configuration file that we read is larger. */
enum { IO_FILE_MAX = 64 * 1024 * 1024 };

/* The whole of a regular file or stream of at most `max` bytes, in `arena`. Devices, folders and
   longer files are refused; a FIFO without a writer does not block. */
MUST_CHECK bool io_read(struct arena *arena, const char *path, size_t max, str *ret_bytes,
                        struct err *err);
MUST_CHECK bool io_read_fd(struct arena *arena, int fd, size_t max, str *ret_bytes,
                           struct err *err);

/* Owner and permissions for a file to be written; `uid` or `gid` -1 leaves ours. */
struct io_owner {
    uid_t uid;
    gid_t gid;
    mode_t mode; /* permission bits only */
};

/* Replace (or create) `path` with `bytes`, following a symbolic link to the file it names. */
MUST_CHECK bool io_replace(const char *path, str bytes, struct io_owner owner, struct err *err);

/* The same, if `still(path, context)` says so right before the rename, when all else has been done:
   for a caller that holds a lock on what it compares. */
MUST_CHECK bool io_replace_when(const char *path, str bytes, struct io_owner owner,
                                bool (*still)(const char *path, const void *context,
                                              struct err *err),
                                const void *context, struct err *err);

/* Create folder `path` and its parents; a folder that is there keeps its permissions. */
MUST_CHECK bool io_make_dirs(const char *path, mode_t mode, struct err *err);

MUST_CHECK bool io_write_all(int fd, str bytes, struct err *err);
MUST_CHECK bool io_sync_dir_of(const char *path, struct err *err);

/* The folder part of `path` ("." when it has none), and `relative` seen from `dir`. */
str io_dir_of(struct arena *arena, str path);
str io_join(struct arena *arena, str dir, str relative);

#endif
