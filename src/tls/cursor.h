/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cursor.h - reads numbers and vectors of a TLS message (RFC 8446, 3) and never past its end.
 *
 * The first read that does not fit sets `bad`, empties the cursor and answers with nothing; so a
 * parser may read on and look at `bad` once, at its end.
 */
#ifndef TLS_CURSOR_H
#define TLS_CURSOR_H

#include "base/str.h"

struct cursor {
    const char *at; /* borrowed */
    size_t left;
    bool bad;
};

static inline struct cursor cursor_of(str bytes)
{
    return (struct cursor){ .at = bytes.ptr, .left = bytes.len };
}

static inline str cursor_take(struct cursor *cursor, size_t len)
{
    if (len > cursor->left) {
        cursor->bad = true;
        cursor->left = 0;
        return (str){ 0 };
    }
    str taken = { cursor->at, len };
    cursor->at = len == 0 ? cursor->at : cursor->at + len;
    cursor->left -= len;
    return taken;
}

/* A big-endian number of `size` bytes, at most 4. */
static inline uint32_t cursor_number(struct cursor *cursor, size_t size)
{
    str bytes = cursor_take(cursor, size);
    uint32_t number = 0;
    for (size_t i = 0; i < bytes.len; i++)
        number = number << 8 | (unsigned char)bytes.ptr[i];
    return number;
}

/* A vector whose length is written before it in `size` bytes. */
static inline str cursor_vector(struct cursor *cursor, size_t size)
{
    return cursor_take(cursor, cursor_number(cursor, size));
}

#endif
