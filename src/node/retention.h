/* SPDX-License-Identifier: Apache-2.0 */
/* retention.h - old snapshots and keys that never came into use, wiped when their time is over. */
#ifndef NODE_RETENTION_H
#define NODE_RETENTION_H

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"

/* How long the way back is kept: longer than the life of most certificates. */
enum { RETENTION_DAYS = 90 };

/* Overwrite and remove every snapshot below `state` but that of `apply`, and every pending key and
   certificate, that last changed before `before`. What cannot be removed is left. */
MUST_CHECK bool retention_wipe(str state, str apply, moment before, size_t *ret_wiped,
                               struct err *err);

/* One file: overwritten, then removed. */
void retention_wipe_file(const char *path);

#endif
