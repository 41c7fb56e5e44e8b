/* SPDX-License-Identifier: Apache-2.0 */
#include "system/postgresql/conf.h"

#include "base/io.h"

#include <string.h>

enum { INCLUDE_DEPTH_MAX = 10 }; /* src/backend/utils/misc: CONF_FILE_MAX_DEPTH */

/* One line taken apart. `value_at` is the raw value, quotes included, as a part of the line. */
struct line {
    str name, value, value_at;
    bool blank; /* empty or only a comment */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || c == '.' || (unsigned char)c >= 0x80;
}

static str skip_blanks(str s)
{
    while (s.len > 0 && is_blank(s.ptr[0]))
        s = (str){ s.ptr + 1, s.len - 1 };
    return s;
}

static str lower(struct arena *arena, str s)
{
    char *copy = (char *)(uintptr_t)str_copy(arena, s).ptr;
    for (size_t i = 0; i < s.len; i++)
        if (copy[i] >= 'A' && copy[i] <= 'Z')
            copy[i] = (char)(copy[i] - 'A' + 'a');
    return (str){ copy, s.len };
}

/* An octal escape of one to three digits at `s`, or what the backslash stands before. */
static char unescape(str s, size_t *taken)
{
    static const char names[] = "bfnrt", codes[] = "\b\f\n\r\t";
    const char *at = memchr(names, s.ptr[0], sizeof(names) - 1);
    *taken = 1;
    if (at != NULL)
        return codes[at - names];
    if (s.ptr[0] < '0' || s.ptr[0] > '7')
        return s.ptr[0];
    unsigned value = 0;
    size_t i = 0;
    for (; i < 3 && i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '7'; i++)
        value = value * 8 + (unsigned)(s.ptr[i] - '0');
    *taken = i;
    return (char)value;
}

/* 20.1.2: a quote inside is doubled or escaped; the server also takes the C escapes. */
static bool cut_quoted(struct arena *arena, str *rest, str *ret_value)
{
    char *out = arena_alloc(arena, rest->len + 1, 1);
    size_t len = 0, i = 1;
    for (; i < rest->len; i++) {
        str at = { rest->ptr + i + 1, rest->len - i - 1 };
        char c = rest->ptr[i];
        size_t taken = 1;
        if (c == '\'' && !(at.len > 0 && at.ptr[0] == '\''))
            break;
        if (c == '\'')
            out[len++] = '\'';
        else if (c == '\\' && at.len > 0)
            out[len++] = unescape(at, &taken);
        else {
            out[len++] = c;
            taken = 0;
        }
        i += taken;
    }
    if (i >= rest->len)
        return false;
    *rest = (str){ rest->ptr + i + 1, rest->len - i - 1 };
    *ret_value = (str){ out, len };
    return true;
}

static str cut_bare(str *rest)
{
    size_t len = 0;
    while (len < rest->len && !is_blank(rest->ptr[len]) && rest->ptr[len] != '#' &&
           rest->ptr[len] != '=')
        len++;
    str value = { rest->ptr, len };
    *rest = (str){ rest->ptr + len, rest->len - len };
    return value;
}

/* name [=] value [# comment] */
static bool parse_line(struct arena *arena, str text, struct line *ret_line)
{
    *ret_line = (struct line){ 0 };
    str rest = skip_blanks(text);
    if (rest.len == 0 || rest.ptr[0] == '#') {
        ret_line->blank = true;
        return true;
    }
    size_t len = 0;
    while (len < rest.len && is_name_char(rest.ptr[len]))
        len++;
    if (len == 0)
        return false;
    ret_line->name = lower(arena, (str){ rest.ptr, len });
    rest = skip_blanks((str){ rest.ptr + len, rest.len - len });
    if (rest.len > 0 && rest.ptr[0] == '=')
        rest = skip_blanks((str){ rest.ptr + 1, rest.len - 1 });
    if (rest.len == 0 || rest.ptr[0] == '#')
        return false;
    const char *start = rest.ptr;
    if (rest.ptr[0] != '\'')
        ret_line->value = cut_bare(&rest);
    else if (!cut_quoted(arena, &rest, &ret_line->value))
        return false;
    ret_line->value_at = (str){ start, (size_t)(rest.ptr - start) };
    rest = skip_blanks(rest);
    return ret_line->value_at.len > 0 && (rest.len == 0 || rest.ptr[0] == '#');
}

struct reader {
    struct arena *arena;
    const struct pgconf_source *source;
    struct pgconf *conf;
    int depth;
};

static bool read_file(struct reader *reader, str path, bool optional, struct err *err);

static bool include_folder(struct reader *reader, str folder, struct err *err)
{
    str_list names = { 0 };
    if (!reader->source->list(reader->source->context, reader->arena, folder, &names, err))
        return false;
    for (size_t i = 0; i < names.count; i++)
        if (!read_file(reader, io_join(reader->arena, folder, names.items[i]), false, err))
            return false;
    return true;
}

static bool take_setting(struct reader *reader, const struct line *line, str path, int number,
                         struct err *err)
{
    str target = io_join(reader->arena, io_dir_of(reader->arena, path), line->value);
    if (str_eq(line->name, S("include")))
        return read_file(reader, target, false, err);
    if (str_eq(line->name, S("include_if_exists")))
        return read_file(reader, target, true, err);
    if (str_eq(line->name, S("include_dir")))
        return include_folder(reader, target, err);
    list_push(reader->arena, &reader->conf->settings) =
        (struct pgconf_setting){ line->name, str_copy(reader->arena, line->value), path, number };
    return true;
}

static bool read_lines(struct reader *reader, str path, str text, struct err *err)
{
    for (int number = 1; text.len > 0; number++) {
        struct line line;
        str raw = str_cut(&text, '\n');
        if (!parse_line(reader->arena, raw, &line)) {
            err_set(err, ERR_FORMAT, "not a setting: %.*s", STR_ARG(str_trim(raw)));
            return err_where(err, "%.*s:%d", STR_ARG(path), number);
        }
        if (!line.blank && !take_setting(reader, &line, path, number, err))
            return err_where(err, "%.*s:%d", STR_ARG(path), number);
    }
    return true;
}

static bool read_file(struct reader *reader, str path, bool optional, struct err *err)
{
    if (reader->depth >= INCLUDE_DEPTH_MAX)
        return err_set(err, ERR_FORMAT, "%.*s: included more than %d deep", STR_ARG(path),
                       INCLUDE_DEPTH_MAX);
    str text;
    path = str_copy(reader->arena, path);
    if (!reader->source->read(reader->source->context, reader->arena, path, &text, err)) {
        if (!optional || err->kind != ERR_SYSTEM)
            return false;
        err_clear(err);
        return true;
    }
    list_push(reader->arena, &reader->conf->files) = path;
    reader->depth++;
    bool ok = read_lines(reader, path, text, err);
    reader->depth--;
    return ok;
}

bool pgconf_read(struct arena *arena, const struct pgconf_source *source, str path,
                 struct pgconf *conf, struct err *err)
{
    struct reader reader = { .arena = arena, .source = source, .conf = conf };
    return read_file(&reader, path, false, err);
}

const struct pgconf_setting *pgconf_find(const struct pgconf *conf, const char *name)
{
    for (size_t i = conf->settings.count; i > 0; i--)
        if (str_eq(conf->settings.items[i - 1].name, str_c(name)))
            return &conf->settings.items[i - 1];
    return NULL;
}

str pgconf_quote(struct arena *arena, str value)
{
    struct buf out = { 0 };
    buf_add(arena, &out, S("'"));
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c == '\'' || c == '\\')
            buf_add(arena, &out, (str){ &c, 1 });
        buf_add(arena, &out, (str){ &c, 1 });
    }
    buf_add(arena, &out, S("'"));
    return buf_str(&out);
}

/* The number of the last line that sets `name`, or 0. */
static int last_line_of(struct arena *arena, str text, str name)
{
    int last = 0;
    for (int number = 1; text.len > 0; number++) {
        struct line line;
        if (parse_line(arena, str_cut(&text, '\n'), &line) && !line.blank &&
            str_eq(line.name, name))
            last = number;
    }
    return last;
}

static str edit_one(struct arena *arena, str text, const struct pgconf_change *change)
{
    struct buf out = { 0 };
    str quoted = pgconf_quote(arena, change->value);
    int target = last_line_of(arena, text, lower(arena, change->name));
    bool ended = text.len == 0 || str_ends(text, S("\n"));
    for (int number = 1; text.len > 0; number++) {
        bool has_end = memchr(text.ptr, '\n', text.len) != NULL;
        str raw = str_cut(&text, '\n');
        struct line line;
        if (number == target && parse_line(arena, raw, &line)) {
            str after = { line.value_at.ptr + line.value_at.len, 0 };
            after.len = (size_t)(raw.ptr + raw.len - after.ptr);
            buf_add(arena, &out, (str){ raw.ptr, (size_t)(line.value_at.ptr - raw.ptr) });
            buf_add(arena, &out, quoted);
            buf_add(arena, &out, after);
        } else {
            buf_add(arena, &out, raw);
        }
        if (has_end)
            buf_add(arena, &out, S("\n"));
    }
    if (target == 0)
        buf_printf(arena, &out, "%s%.*s = %.*s\n", ended ? "" : "\n", STR_ARG(change->name),
                   STR_ARG(quoted));
    return buf_str(&out);
}

str pgconf_edit(struct arena *arena, str text, const struct pgconf_change *changes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        text = edit_one(arena, text, &changes[i]);
    return text;
}
