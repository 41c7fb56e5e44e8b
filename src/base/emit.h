/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emit.h - JSON written as a stream: nothing is kept, so a million links cost no memory.
 *
 * A value is written with the name it has in the enclosing object, or NULL inside an array.
 * Texts that are not UTF-8 have their bad bytes replaced by U+FFFD (RFC 8259, 8.1).
 */
#ifndef BASE_EMIT_H
#define BASE_EMIT_H

#include "base/clock.h"
#include "base/str.h"

#include <stdio.h>

enum { EMIT_DEPTH_MAX = 32 };

struct emit {
    FILE *out;     /* borrowed */
    bool one_line; /* no line breaks: for JSON lines */
    int depth;
    bool filled[EMIT_DEPTH_MAX]; /* whether the value open at this depth has a member yet */
};

void emit_object(struct emit *emit, const char *name);
void emit_object_end(struct emit *emit);
void emit_array(struct emit *emit, const char *name);
void emit_array_end(struct emit *emit);

void emit_str(struct emit *emit, const char *name, str value);
void emit_text(struct emit *emit, const char *name, const char *value); /* NULL is written null */
void emit_int(struct emit *emit, const char *name, int64_t value);
void emit_bool(struct emit *emit, const char *name, bool value);
void emit_null(struct emit *emit, const char *name);
void emit_moment(struct emit *emit, const char *name, moment at); /* RFC 3339 */
void emit_list(struct emit *emit, const char *name, const str_list *values);

/* The line break after a finished document. */
void emit_end(struct emit *emit);

#endif
