/* SPDX-License-Identifier: Apache-2.0 */
/* str.h - a borrowed run of bytes: never owned, NUL-terminated only where a function says so. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/arena.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *ptr;
    size_t len;
} str;

#define S(literal) ((str){ "" literal, sizeof(literal) - 1 })
#define STR_ARG(s) (int)(s).len, (s).ptr /* for printf's %.*s; evaluates its argument twice */

str str_c(const char *c_string); /* NULL gives the empty string */
bool str_eq(str a, str b);
int str_cmp(str a, str b); /* byte order, as strcmp */
bool str_starts(str s, str prefix);
bool str_ends(str s, str suffix);
bool str_is_hex(str s, size_t digits);
str str_trim(str s); /* without blanks, tabs, CR and LF at either end */

/* Split off and return everything before the first `sep`; `*rest` keeps what follows it. */
str str_cut(str *rest, char sep);

/* Where `needle` first occurs in `s`, or s.len. */
size_t str_find(str s, str needle);

/* A whole decimal number in [0, max]; false for anything else. */
bool str_to_u64(str s, uint64_t max, uint64_t *ret_number);

/* Copies live in `arena` and are NUL-terminated. */
str str_copy(struct arena *arena, str s);
const char *str_cstr(struct arena *arena, str s);
str str_hex(struct arena *arena, const void *bytes, size_t len); /* lower case */
bool str_unhex(struct arena *arena, str hex, str *ret_bytes);
str str_printf(struct arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
str str_vprintf(struct arena *arena, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* The candidate nearest to `word` by edit distance, for "did you mean"; NULL when none is near. */
const char *str_nearest(str word, const char *const *candidates, size_t count);

typedef LIST(str) str_list;
bool str_list_has(const str_list *list, str s);
void str_list_add(struct arena *arena, str_list *list, str s); /* only if it is not there */

/* Text under construction: a list of bytes. */
struct buf {
    LIST(char) bytes;
};
void buf_printf(struct arena *arena, struct buf *buf, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void buf_add(struct arena *arena, struct buf *buf, str s);
str buf_str(const struct buf *buf); /* followed by a NUL */

#endif
