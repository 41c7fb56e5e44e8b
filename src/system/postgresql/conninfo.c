/* SPDX-License-Identifier: Apache-2.0 */
#include "system/postgresql/conninfo.h"

#include <libpq-fe.h>
#include <string.h>

DEFINE_AUTO(conninfo_options, PQconninfoOption *, PQconninfoFree(*handle))

static bool has_control(str text)
{
    return text.len > 0 && memchr(text.ptr, '\0', text.len) != NULL;
}

bool conninfo_parse(struct arena *arena, str text, struct conninfo *ret_conninfo, struct err *err)
{
    if (has_control(text))
        return err_set(err, ERR_FORMAT, "connection string: has a NUL byte");
    char *reason = NULL;
    AUTO(conninfo_options)
    PQconninfoOption *options = PQconninfoParse(str_cstr(arena, text), &reason);
    if (options == NULL) {
        /* libpq's text may quote the string, and with it a password: only its kind is kept. */
        PQfreemem(reason);
        return err_set(err, ERR_FORMAT, "not a connection string");
    }
    struct conninfo conninfo = { 0 };
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++)
        if (option->val != NULL)
            conninfo_set(arena, &conninfo, option->keyword, str_c(option->val));
    *ret_conninfo = conninfo;
    return true;
}

static struct conninfo_pair *find(const struct conninfo *conninfo, str name)
{
    for (size_t i = conninfo->pairs.count; i > 0; i--)
        if (str_eq(conninfo->pairs.items[i - 1].name, name))
            return &conninfo->pairs.items[i - 1];
    return NULL;
}

str conninfo_get(const struct conninfo *conninfo, const char *name)
{
    const struct conninfo_pair *pair = find(conninfo, str_c(name));
    return pair == NULL ? S("") : pair->value;
}

void conninfo_set(struct arena *arena, struct conninfo *conninfo, const char *name, str value)
{
    struct conninfo_pair *pair = find(conninfo, str_c(name));
    if (pair == NULL) {
        pair = &list_push(arena, &conninfo->pairs);
        pair->name = str_copy(arena, str_c(name));
    }
    pair->value = str_copy(arena, value);
}

static void add_value(struct arena *arena, struct buf *out, str value)
{
    bool plain = value.len > 0;
    for (size_t i = 0; i < value.len; i++)
        plain = plain && strchr(" \t\r\n\f\v'\\", value.ptr[i]) == NULL;
    if (plain) {
        buf_add(arena, out, value);
        return;
    }
    buf_add(arena, out, S("'"));
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '\'' || value.ptr[i] == '\\')
            buf_add(arena, out, S("\\"));
        buf_add(arena, out, (str){ value.ptr + i, 1 });
    }
    buf_add(arena, out, S("'"));
}

str conninfo_format(struct arena *arena, const struct conninfo *conninfo)
{
    struct buf out = { 0 };
    buf_add(arena, &out, S(""));
    for (size_t i = 0; i < conninfo->pairs.count; i++) {
        buf_printf(arena, &out, "%s%.*s=", i == 0 ? "" : " ",
                   STR_ARG(conninfo->pairs.items[i].name));
        add_value(arena, &out, conninfo->pairs.items[i].value);
    }
    return buf_str(&out);
}

/* "[name]" gives the name, anything else the empty string. */
static str section_name(str line)
{
    line = str_trim(line);
    if (line.len < 2 || line.ptr[0] != '[' || line.ptr[line.len - 1] != ']')
        return S("");
    return (str){ line.ptr + 1, line.len - 2 };
}

void service_file_sections(struct arena *arena, str text, str_list *ret_names)
{
    while (text.len > 0) {
        str name = section_name(str_cut(&text, '\n'));
        if (name.len > 0)
            list_push(arena, ret_names) = str_copy(arena, name);
    }
}

/* 34.17: values are not quoted; blanks around neither side of the sign. */
static bool is_pair(str line, str *ret_name, str *ret_value)
{
    str rest = str_trim(line);
    if (rest.len == 0 || rest.ptr[0] == '#' || str_find(rest, S("=")) == rest.len)
        return false;
    *ret_name = str_cut(&rest, '=');
    *ret_value = rest;
    return true;
}

bool service_file_section(struct arena *arena, str text, str section, struct conninfo *ret_conninfo,
                          struct err *err)
{
    struct conninfo conninfo = { 0 };
    bool inside = false, found = false;
    while (text.len > 0) {
        str line = str_cut(&text, '\n'), name, value;
        if (section_name(line).len > 0)
            inside = str_eq(section_name(line), section);
        else if (inside && is_pair(line, &name, &value))
            conninfo_set(arena, &conninfo, str_cstr(arena, name), value);
        found = found || inside;
    }
    if (!found)
        return err_set(err, ERR_FORMAT, "no section [%.*s]", STR_ARG(section));
    *ret_conninfo = conninfo;
    return true;
}

str service_file_edit(struct arena *arena, str text, str name, str from, str to)
{
    struct buf out = { 0 };
    buf_add(arena, &out, S(""));
    while (text.len > 0) {
        bool has_end = memchr(text.ptr, '\n', text.len) != NULL;
        str line = str_cut(&text, '\n'), key, value;
        bool hit = is_pair(line, &key, &value) && str_eq(key, name) && str_eq(value, from);
        if (hit) {
            buf_add(arena, &out, (str){ line.ptr, (size_t)(value.ptr - line.ptr) });
            buf_add(arena, &out, to);
            const char *end = value.ptr + value.len;
            buf_add(arena, &out, (str){ end, (size_t)(line.ptr + line.len - end) });
        } else {
            buf_add(arena, &out, line);
        }
        if (has_end)
            buf_add(arena, &out, S("\n"));
    }
    return buf_str(&out);
}
