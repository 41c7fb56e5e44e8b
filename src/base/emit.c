/* SPDX-License-Identifier: Apache-2.0 */
#include "base/emit.h"

#include <assert.h>

/* Length of the well-formed UTF-8 sequence at the start of `s` (RFC 3629, 4), or 0. */
static size_t utf8_len(str s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    if (p[0] < 0x80)
        return 1;
    size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || s.len < len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool surrogate = p[0] == 0xed && p[1] >= 0xa0;
    bool beyond = p[0] == 0xf4 && p[1] >= 0x90;
    return overlong || surrogate || beyond ? 0 : len;
}

static void write_char(FILE *out, str s, size_t len)
{
    unsigned char c = (unsigned char)s.ptr[0];
    if (len == 0)
        fputs("\xef\xbf\xbd", out);
    else if (len == 1 && (c == '"' || c == '\\'))
        fprintf(out, "\\%c", c);
    else if (c == '\n')
        fputs("\\n", out);
    else if (c < 0x20 || c == 0x7f)
        fprintf(out, "\\u%04x", c);
    else
        fwrite(s.ptr, 1, len, out);
}

static void write_string(FILE *out, str s)
{
    fputc('"', out);
    while (s.len > 0) {
        size_t len = utf8_len(s);
        write_char(out, s, len);
        size_t step = len == 0 ? 1 : len;
        s = (str){ s.ptr + step, s.len - step };
    }
    fputc('"', out);
}

static void line_break(const struct emit *emit)
{
    if (emit->one_line)
        return;
    fputc('\n', emit->out);
    for (int i = 0; i < emit->depth; i++)
        fputs("  ", emit->out);
}

static void start_value(struct emit *emit, const char *name)
{
    if (emit->filled[emit->depth])
        fputc(',', emit->out);
    emit->filled[emit->depth] = true;
    if (emit->depth > 0)
        line_break(emit);
    if (name != NULL) {
        write_string(emit->out, str_c(name));
        fputs(emit->one_line ? ":" : ": ", emit->out);
    }
}

static void open_value(struct emit *emit, const char *name, char bracket)
{
    start_value(emit, name);
    fputc(bracket, emit->out);
    emit->depth++;
    assert(emit->depth < EMIT_DEPTH_MAX);
    emit->filled[emit->depth] = false;
}

static void close_value(struct emit *emit, char bracket)
{
    bool filled = emit->filled[emit->depth];
    emit->depth--;
    if (filled)
        line_break(emit);
    fputc(bracket, emit->out);
}

void emit_object(struct emit *emit, const char *name)
{
    open_value(emit, name, '{');
}

void emit_object_end(struct emit *emit)
{
    close_value(emit, '}');
}

void emit_array(struct emit *emit, const char *name)
{
    open_value(emit, name, '[');
}

void emit_array_end(struct emit *emit)
{
    close_value(emit, ']');
}

void emit_str(struct emit *emit, const char *name, str value)
{
    start_value(emit, name);
    write_string(emit->out, value);
}

void emit_text(struct emit *emit, const char *name, const char *value)
{
    if (value == NULL)
        emit_null(emit, name);
    else
        emit_str(emit, name, str_c(value));
}

void emit_int(struct emit *emit, const char *name, int64_t value)
{
    start_value(emit, name);
    fprintf(emit->out, "%lld", (long long)value);
}

void emit_bool(struct emit *emit, const char *name, bool value)
{
    start_value(emit, name);
    fputs(value ? "true" : "false", emit->out);
}

void emit_null(struct emit *emit, const char *name)
{
    start_value(emit, name);
    fputs("null", emit->out);
}

void emit_moment(struct emit *emit, const char *name, moment at)
{
    AUTO(arena) struct arena arena = { 0 };
    emit_str(emit, name, clock_format(&arena, at));
}

void emit_list(struct emit *emit, const char *name, const str_list *values)
{
    emit_array(emit, name);
    for (size_t i = 0; i < values->count; i++)
        emit_str(emit, NULL, values->items[i]);
    emit_array_end(emit);
}

void emit_end(struct emit *emit)
{
    fputc('\n', emit->out);
    emit->filled[0] = false;
}
