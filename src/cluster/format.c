/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"
#include "cluster/schema.h"

#include <string.h>
#include <unistd.h>

struct writer {
    struct arena *arena;
    struct buf buf;
    str dir; /* of the file, absolute; empty when it cannot be known */
    int depth;
    bool dash; /* the next line begins an item of a sequence */
};

static void write_section(struct writer *w, const struct section *section, const void *object);
static void write_fields(struct writer *w, const struct section *section, const void *object);
static void write_many(struct writer *w, const struct field *field, const void *object);

static bool plain(str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!word && (c == '\0' || strchr(i > 0 ? "_/.-+=@" : "_/.", c) == NULL))
            return false;
    }
    return text.len > 0;
}

/* Line breaks, the byte order mark and what is no character would not be read back as they are. */
static size_t write_escape(struct writer *w, str rest)
{
    static const struct {
        const char *bytes, *escape;
    } cases[] = {
        {"\"",            "\\\""   },
        { "\\",           "\\\\"   },
        { "\xe2\x80\xa8", "\\L"    },
        { "\xe2\x80\xa9", "\\P"    },
        { "\xef\xbb\xbf", "\\uFEFF"},
        { "\xef\xbf\xbe", "\\uFFFE"},
        { "\xef\xbf\xbf", "\\uFFFF"}
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (!str_starts(rest, str_c(cases[i].bytes)))
            continue;
        buf_add(w->arena, &w->buf, str_c(cases[i].escape));
        return strlen(cases[i].bytes);
    }
    unsigned char byte = (unsigned char)rest.ptr[0];
    unsigned char after = rest.len > 1 ? (unsigned char)rest.ptr[1] : 0;
    if (byte < 0x20 || byte == 0x7f) {
        buf_printf(w->arena, &w->buf, "\\x%02X", byte);
    } else if (byte == 0xc2 && after >= 0x80 && after < 0xa0) {
        buf_printf(w->arena, &w->buf, "\\x%02X", after);
        return 2;
    } else {
        buf_add(w->arena, &w->buf, (str){ rest.ptr, 1 });
    }
    return 1;
}

static void write_text(struct writer *w, str text)
{
    if (plain(text)) {
        buf_add(w->arena, &w->buf, text);
        return;
    }
    buf_add(w->arena, &w->buf, S("\""));
    for (size_t i = 0; i < text.len;)
        i += write_escape(w, (str){ text.ptr + i, text.len - i });
    buf_add(w->arena, &w->buf, S("\""));
}

static void write_key(struct writer *w, str key)
{
    int indent = 2 * w->depth;
    if (w->dash)
        buf_printf(w->arena, &w->buf, "%*s- ", indent - 2, "");
    else
        buf_printf(w->arena, &w->buf, "%*s", indent, "");
    w->dash = false;
    write_text(w, key);
    buf_add(w->arena, &w->buf, S(":"));
}

static str path_in_file(const struct writer *w, str path)
{
    size_t skip = w->dir.len + 1;
    if (skip < 2 || path.len <= skip || !str_starts(path, w->dir) || path.ptr[skip - 1] != '/')
        return path;
    str rest = { path.ptr + skip, path.len - skip };
    return str_eq(io_join(w->arena, w->dir, rest), path) ? rest : path;
}

static void write_duration(struct writer *w, int64_t seconds)
{
    static const struct {
        int64_t seconds;
        char unit;
    } units[] = {
        {86400, 'd'},
        { 3600, 'h'},
        { 60,   'm'},
        { 1,    's'}
    };
    size_t i = 0;
    while (seconds % units[i].seconds != 0)
        i++;
    buf_printf(w->arena, &w->buf, "%lld%c", (long long)(seconds / units[i].seconds), units[i].unit);
}

static void write_strings(struct writer *w, const str_list *list)
{
    buf_add(w->arena, &w->buf, S("["));
    for (size_t i = 0; i < list->count; i++) {
        buf_add(w->arena, &w->buf, i > 0 ? S(", ") : S(""));
        write_text(w, list->items[i]);
    }
    buf_add(w->arena, &w->buf, S("]"));
}

/* What follows the name of an item in a mapping. */
static void write_item(struct writer *w, const struct section *section, const void *item)
{
    if (!section->listed) {
        write_section(w, section, item);
    } else if (field_is_default(item, &section->fields[0])) {
        buf_add(w->arena, &w->buf, S(" []\n"));
    } else {
        buf_add(w->arena, &w->buf, S("\n"));
        write_many(w, &section->fields[0], item);
    }
}

static void write_many(struct writer *w, const struct field *field, const void *object)
{
    struct any_list list = field_list(object, field);
    str dir = w->dir;
    w->depth++;
    for (size_t i = 0; i < list.count; i++) {
        const void *item = list_item(field, list, i);
        w->dir = section_is_elsewhere(field->section, item) ? S("") : dir;
        if (field->kind == FIELD_MAP) {
            write_key(w, *(const str *)item);
            write_item(w, field->section, item);
        } else {
            w->dash = true;
            write_fields(w, field->section, item);
        }
    }
    w->depth--;
    w->dir = dir;
}

static void write_value(struct writer *w, const struct field *field, const void *object)
{
    const void *at = (const char *)object + field->offset;
    switch (field->kind) {
    case FIELD_STRING:
    case FIELD_CHOICE:
    case FIELD_REACH:
        write_text(w, *(const str *)at);
        return;
    case FIELD_PATH:
        write_text(w, path_in_file(w, *(const str *)at));
        return;
    case FIELD_DURATION:
        write_duration(w, *(const int64_t *)at);
        return;
    case FIELD_NUMBER:
        buf_printf(w->arena, &w->buf, "%llu", (unsigned long long)*(const uint64_t *)at);
        return;
    case FIELD_DESCRIPTOR:
        buf_printf(w->arena, &w->buf, "%d", *(const int *)at);
        return;
    case FIELD_STRINGS:
        write_strings(w, at);
        return;
    case FIELD_SECTION:
    case FIELD_SECTIONS:
    case FIELD_MAP:
        return; /* more than a line */
    }
}

static void write_fields(struct writer *w, const struct section *section, const void *object)
{
    for (size_t i = 0; i < section->count; i++) {
        const struct field *field = &section->fields[i];
        if (field_is_default(object, field))
            continue;
        write_key(w, str_c(field->key));
        if (field->kind == FIELD_SECTION) {
            write_section(w, field->section, (const char *)object + field->offset);
            continue;
        }
        bool many = field->kind == FIELD_SECTIONS || field->kind == FIELD_MAP;
        buf_add(w->arena, &w->buf, many ? S("\n") : S(" "));
        if (many) {
            write_many(w, field, object);
            continue;
        }
        write_value(w, field, object);
        buf_add(w->arena, &w->buf, S("\n"));
    }
}

/* What follows the key of a section: its lines, one level deeper, or that it has none. */
static void write_section(struct writer *w, const struct section *section, const void *object)
{
    size_t start = w->buf.bytes.count;
    buf_add(w->arena, &w->buf, S("\n"));
    w->depth++;
    write_fields(w, section, object);
    w->depth--;
    if (w->buf.bytes.count > start + 1)
        return;
    w->buf.bytes.count = start;
    buf_add(w->arena, &w->buf, S(" {}\n"));
}

str cluster_format(struct arena *arena, const struct cluster *cluster)
{
    struct writer w = { .arena = arena };
    char cwd[4096];
    str dir = io_dir_of(arena, cluster->path);
    if (str_starts(dir, S("/")))
        w.dir = dir;
    else if (getcwd(cwd, sizeof(cwd)) != NULL)
        w.dir = str_eq(dir, S(".")) ? str_copy(arena, str_c(cwd))
                                    : io_join(arena, str_copy(arena, str_c(cwd)), dir);
    write_fields(&w, &cluster_section, cluster);
    if (w.buf.bytes.count == 0)
        return S("{}\n"); /* an empty file is refused */
    return buf_str(&w.buf);
}
