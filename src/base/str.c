/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <stdio.h>
#include <string.h>

str str_c(const char *c_string)
{
    return c_string == NULL ? (str){ 0 } : (str){ c_string, strlen(c_string) };
}

bool str_eq(str a, str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

int str_cmp(str a, str b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter == 0 ? 0 : memcmp(a.ptr, b.ptr, shorter);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

bool str_starts(str s, str prefix)
{
    return s.len >= prefix.len && str_eq((str){ s.ptr, prefix.len }, prefix);
}

bool str_ends(str s, str suffix)
{
    return s.len >= suffix.len && str_eq((str){ s.ptr + s.len - suffix.len, suffix.len }, suffix);
}

bool str_is_hex(str s, size_t digits)
{
    for (size_t i = 0; i < s.len; i++)
        if (memchr("0123456789abcdef", s.ptr[i], 16) == NULL)
            return false;
    return s.len == digits;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

str str_trim(str s)
{
    while (s.len > 0 && is_space(s.ptr[0]))
        s = (str){ s.ptr + 1, s.len - 1 };
    while (s.len > 0 && is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

str str_cut(str *rest, char sep)
{
    str head = *rest;
    const char *at = head.len == 0 ? NULL : memchr(head.ptr, sep, head.len);
    if (at == NULL) {
        *rest = (str){ 0 };
        return head;
    }
    head.len = (size_t)(at - head.ptr);
    *rest = (str){ at + 1, rest->len - head.len - 1 };
    return head;
}

size_t str_find(str s, str needle)
{
    if (s.len == 0 || needle.len == 0)
        return needle.len == 0 ? 0 : s.len;
    const char *at = memmem(s.ptr, s.len, needle.ptr, needle.len);
    return at == NULL ? s.len : (size_t)(at - s.ptr);
}

bool str_to_u64(str s, uint64_t max, uint64_t *ret_number)
{
    uint64_t number = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(s.ptr[i] - '0');
        if (number > (max - digit) / 10 || digit > max)
            return false;
        number = number * 10 + digit;
    }
    if (s.len == 0)
        return false;
    *ret_number = number;
    return true;
}

str str_copy(struct arena *arena, str s)
{
    char *copy = arena_alloc(arena, s.len + 1, 1);
    if (s.len > 0)
        memcpy(copy, s.ptr, s.len);
    return (str){ copy, s.len };
}

const char *str_cstr(struct arena *arena, str s)
{
    return str_copy(arena, s).ptr;
}

str str_hex(struct arena *arena, const void *bytes, size_t len)
{
    const unsigned char *from = bytes;
    char *hex = arena_alloc(arena, 2 * len + 1, 1);
    for (size_t i = 0; i < len; i++) {
        hex[2 * i] = "0123456789abcdef"[from[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[from[i] & 15];
    }
    return (str){ hex, 2 * len };
}

bool str_unhex(struct arena *arena, str hex, str *ret_bytes)
{
    if (hex.len % 2 != 0 || !str_is_hex(hex, hex.len))
        return false;
    char *bytes = arena_alloc(arena, hex.len / 2 + 1, 1);
    for (size_t i = 0; i < hex.len; i++) {
        int digit = hex.ptr[i] <= '9' ? hex.ptr[i] - '0' : hex.ptr[i] - 'a' + 10;
        bytes[i / 2] = (char)(i % 2 == 0 ? digit << 4 : (unsigned char)bytes[i / 2] | digit);
    }
    *ret_bytes = (str){ bytes, hex.len / 2 };
    return true;
}

str str_vprintf(struct arena *arena, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    size_t len = (size_t)vsnprintf(NULL, 0, fmt, ap);
    char *text = arena_alloc(arena, len + 1, 1);
    vsnprintf(text, len + 1, fmt, again);
    va_end(again);
    return (str){ text, len };
}

str str_printf(struct arena *arena, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    str text = str_vprintf(arena, fmt, ap);
    va_end(ap);
    return text;
}

enum { NEAREST_MAX = 64 };

/* Levenshtein distance with one row; words longer than NEAREST_MAX are never near anything. */
static size_t edit_distance(str a, str b)
{
    size_t row[NEAREST_MAX + 1];
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t above = row[j];
            size_t best = diagonal + (a.ptr[i - 1] != b.ptr[j - 1]);
            best = above + 1 < best ? above + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            diagonal = above;
            row[j] = best;
        }
    }
    return row[b.len];
}

const char *str_nearest(str word, const char *const *candidates, size_t count)
{
    const char *nearest = NULL;
    size_t best = word.len / 3 + 2; /* further than this is another word, not a slip */
    for (size_t i = 0; i < count && word.len <= NEAREST_MAX; i++) {
        str candidate = str_c(candidates[i]);
        if (candidate.len > NEAREST_MAX)
            continue;
        size_t distance = edit_distance(word, candidate);
        if (distance < best) {
            best = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}

bool str_list_has(const str_list *list, str s)
{
    for (size_t i = 0; i < list->count; i++)
        if (str_eq(list->items[i], s))
            return true;
    return false;
}

void str_list_add(struct arena *arena, str_list *list, str s)
{
    if (!str_list_has(list, s))
        list_push(arena, list) = s;
}

static void buf_reserve(struct arena *arena, struct buf *buf, size_t more)
{
    while (buf->bytes.cap - buf->bytes.count < more)
        list_grow(arena, (void **)&buf->bytes.items, &buf->bytes.cap, 1);
}

void buf_printf(struct arena *arena, struct buf *buf, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    size_t need = (size_t)vsnprintf(NULL, 0, fmt, ap) + 1;
    buf_reserve(arena, buf, need);
    vsnprintf(buf->bytes.items + buf->bytes.count, need, fmt, again);
    buf->bytes.count += need - 1;
    va_end(again);
    va_end(ap);
}

void buf_add(struct arena *arena, struct buf *buf, str s)
{
    buf_reserve(arena, buf, s.len + 1);
    if (s.len > 0)
        memcpy(buf->bytes.items + buf->bytes.count, s.ptr, s.len);
    buf->bytes.count += s.len;
    buf->bytes.items[buf->bytes.count] = '\0';
}

str buf_str(const struct buf *buf)
{
    return (str){ buf->bytes.items, buf->bytes.count };
}
