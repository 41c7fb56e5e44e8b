/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generation.h - new files beside old ones: "server.crt" -> "server.1a2b3c4d.crt".
 *
 * The mark is the beginning of the certificate's fingerprint, so a file of ours is known for sure:
 * its name says what it holds.
 */
#ifndef NODE_GENERATION_H
#define NODE_GENERATION_H

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"

enum { GENERATION_MARK = 8 }; /* hex digits */

/* What stands before and after the dot and the mark of any generation of the file at `path`, which
   may be one itself. */
void generation_parts(str path, str *ret_stem, str *ret_ending);

/* The name for the generation `mark` (8 hex digits): an earlier generation's mark is replaced. */
str generation_name(struct arena *arena, str path, str mark);

struct generation {
    str path, mark;
    moment not_before;
};
typedef LIST(struct generation) generation_list;

/* Every generation of the certificate file at `path`, which may be one itself; the file that it all
   began with has no mark and is none. */
MUST_CHECK bool generation_find(struct arena *arena, str path, generation_list *ret_list,
                                struct err *err);

#endif
