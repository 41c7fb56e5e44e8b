/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/io.h"
#include "base/map.h"
#include "cluster/check.h"
#include "cluster/compose.h"
#include "cluster/schema.h"
#include "cluster/ssh.h"

#include <string.h>

/* YAML has no key of more than 1024 characters that stands before its colon on one line; escaped,
   a byte of a name takes four of them. */
enum { NAME_MAX_BYTES = 255 };

struct parser {
    struct arena *arena;
    struct cluster *cluster;
    const char *path;
    str dir; /* empty: paths must be absolute */
    bool fragment;
    struct map texts; /* names come again in every link */
    struct err *err;
};

__attribute__((format(printf, 3, 4))) static bool fail(struct parser *p, int line, const char *fmt,
                                                       ...)
{
    va_list ap;
    va_start(ap, fmt);
    str text = str_vprintf(p->arena, fmt, ap);
    va_end(ap);
    err_set(p->err, ERR_FORMAT, "%.*s", STR_ARG(text));
    return err_where(p->err, "%s:%d", p->path, line);
}

static bool parse_section(struct parser *p, const struct section *section, const struct yaml *node,
                          void *object);

static bool scalar(struct parser *p, const char *key, const struct yaml *node)
{
    if (node->kind != YAML_SCALAR)
        return fail(p, node->line, "'%s' takes one value", key);
    return node->text.len > 0 || fail(p, node->line, "'%s' has no value", key);
}

static str list_choices(struct parser *p, const char *choices)
{
    struct buf buf = { 0 };
    for (str rest = str_c(choices); rest.len > 0;) {
        str choice = str_cut(&rest, '|');
        buf_printf(p->arena, &buf, "%s%.*s", buf.bytes.count > 0 ? ", " : "", STR_ARG(choice));
    }
    return buf_str(&buf);
}

static bool parse_path(struct parser *p, const struct field *field, const struct yaml *node,
                       str *at)
{
    if (p->dir.len == 0 && !str_starts(node->text, S("/")))
        return fail(p, node->line,
                    "'%s' is a path at a node that is reached over ssh: absolute, not '%.*s'",
                    field->key, STR_ARG(node->text));
    *at = io_join(p->arena, p->dir, node->text);
    return true;
}

static bool parse_reach(struct parser *p, const struct field *field, const struct yaml *node)
{
    struct ssh_address address;
    return str_eq(node->text, str_c(field->fallback)) || ssh_address_parse(node->text, &address) ||
           fail(p, node->line, "'%s' is local or ssh://[USER@]HOST[:PORT], not '%.*s'", field->key,
                STR_ARG(node->text));
}

static bool parse_scalar(struct parser *p, const struct field *field, const struct yaml *node,
                         void *at)
{
    uint64_t number = 0;
    if (!scalar(p, field->key, node))
        return false;
    if (field->kind == FIELD_CHOICE && !choice_valid(field->choices, node->text))
        return fail(p, node->line, "'%s' cannot be '%.*s'; valid: %s", field->key,
                    STR_ARG(node->text), str_cstr(p->arena, list_choices(p, field->choices)));
    if (field->kind == FIELD_DURATION) {
        if (clock_parse_duration(node->text, at) && *(int64_t *)at > 0)
            return true;
        return fail(p, node->line, "'%s' is a duration such as 30d or 12h, not '%.*s'", field->key,
                    STR_ARG(node->text));
    }
    if (field->kind == FIELD_NUMBER || field->kind == FIELD_DESCRIPTOR) {
        uint64_t max = field->kind == FIELD_NUMBER ? field->max : 65535;
        if (!str_to_u64(node->text, max, &number))
            return fail(p, node->line, "'%s' is a number from 0 to %llu, not '%.*s'", field->key,
                        (unsigned long long)max, STR_ARG(node->text));
        if (field->kind == FIELD_NUMBER)
            *(uint64_t *)at = number;
        else
            *(int *)at = (int)number;
        return true;
    }
    if (field->kind == FIELD_PATH)
        return parse_path(p, field, node, at);
    if (field->kind == FIELD_REACH && !parse_reach(p, field, node))
        return false;
    *(str *)at = map_keep(&p->texts, node->text);
    return true;
}

static bool parse_strings(struct parser *p, const struct field *field, const struct yaml *node,
                          str_list *list)
{
    if (node->kind != YAML_LIST)
        return fail(p, node->line, "'%s' is a list, such as [a, b]", field->key);
    for (size_t i = 0; i < node->items.count; i++) {
        if (!scalar(p, field->key, node->items.items[i].value))
            return false;
        list_push(p->arena, list) = map_keep(&p->texts, node->items.items[i].value->text);
    }
    return true;
}

static bool name_ok(struct parser *p, const struct field *field, const struct yaml_item *item)
{
    bool end = field->section->listed; /* node/service */
    bool slash = str_find(item->key, S("/")) < item->key.len;
    if (end && !slash)
        return fail(p, item->line, "'%s' has names of services, as node/service", field->key);
    if (item->key.len == 0 || slash != end)
        return fail(p, item->line, "a %s's name must not be empty or contain '/'",
                    field->section->name);
    return item->key.len <= (end ? 2 * NAME_MAX_BYTES + 1 : NAME_MAX_BYTES) ||
           fail(p, item->line, "a %s's name must not be longer than %d bytes", field->section->name,
                NAME_MAX_BYTES);
}

static bool parse_field(struct parser *p, const struct field *field, const struct yaml *node,
                        void *object);

static const struct yaml_item *find_item(const struct yaml *node, const char *key)
{
    for (size_t i = 0; node->kind == YAML_MAP && i < node->items.count; i++)
        if (str_eq(node->items.items[i].key, str_c(key)))
            return &node->items.items[i];
    return NULL;
}

/* Where the paths of what follows are relative to: what a node says of its reach counts from its
   first line on. */
static str dir_of(const struct parser *p, const struct section *section, const struct yaml *node)
{
    const struct yaml_item *reach = section == &node_section ? find_item(node, "reach") : NULL;
    return reach != NULL && ssh_is_meant(reach->value->text) ? S("") : p->dir;
}

static bool parse_item(struct parser *p, const struct field *field, const struct yaml_item *item,
                       void *object)
{
    bool map = field->kind == FIELD_MAP;
    str dir = p->dir;
    if (map && !name_ok(p, field, item))
        return false;
    void *made = field_add(p->arena, object, field);
    p->dir = dir_of(p, field->section, item->value);
    if (field->section->listed ? !parse_field(p, &field->section->fields[0], item->value, made)
                               : !parse_section(p, field->section, item->value, made))
        return false;
    p->dir = dir;
    if (map)
        *(str *)made = map_keep(&p->texts, item->key);
    if (field->section->line > 0)
        *(int *)((char *)made + field->section->line) = item->line;
    return true;
}

/* A mapping by name or a sequence: one struct for each. */
static bool parse_many(struct parser *p, const struct field *field, const struct yaml *node,
                       void *object)
{
    bool map = field->kind == FIELD_MAP;
    if (node->kind != (map ? YAML_MAP : YAML_LIST))
        return fail(p, node->line, map ? "'%s' is a mapping by name" : "'%s' is a list of sections",
                    field->key);
    for (size_t i = 0; i < node->items.count; i++)
        if (!parse_item(p, field, &node->items.items[i], object))
            return false;
    return true;
}

static bool parse_field(struct parser *p, const struct field *field, const struct yaml *node,
                        void *object)
{
    void *at = (char *)object + field->offset;
    switch (field->kind) {
    case FIELD_STRING:
    case FIELD_PATH:
    case FIELD_CHOICE:
    case FIELD_REACH:
    case FIELD_DURATION:
    case FIELD_NUMBER:
    case FIELD_DESCRIPTOR:
        return parse_scalar(p, field, node, at);
    case FIELD_STRINGS:
        return parse_strings(p, field, node, at);
    case FIELD_SECTION:
        return parse_section(p, field->section, node, at);
    case FIELD_SECTIONS:
    case FIELD_MAP:
        return parse_many(p, field, node, object);
    }
    return false;
}

static bool unknown_key(struct parser *p, const struct section *section,
                        const struct yaml_item *item)
{
    const char **keys = arena_alloc(p->arena, section->count, sizeof(*keys));
    for (size_t i = 0; i < section->count; i++)
        keys[i] = section->fields[i].key;
    const char *near = str_nearest(item->key, keys, section->count);
    if (near == NULL)
        return fail(p, item->line, "a %s has no key '%.*s'", section->name, STR_ARG(item->key));
    return fail(p, item->line, "a %s has no key '%.*s'; did you mean '%s'?", section->name,
                STR_ARG(item->key), near);
}

static bool not_one(struct parser *p, const struct section *section, const struct yaml *node)
{
    struct buf keys = { 0 };
    for (size_t i = 0; i < section->count; i++)
        buf_printf(p->arena, &keys, "%s%s", i > 0 ? ", " : "", section->fields[i].key);
    return fail(p, node->line, "a %s is one of %s", section->name, buf_str(&keys).ptr);
}

static void set_defaults(const struct section *section, void *object)
{
    for (size_t i = 0; i < section->count; i++) {
        const struct field *field = &section->fields[i];
        void *at = (char *)object + field->offset;
        bool text = field->kind == FIELD_CHOICE || field->kind == FIELD_REACH;
        if (text && field->fallback != NULL)
            *(str *)at = str_c(field->fallback);
        if (field->kind == FIELD_DURATION && field->fallback != NULL)
            (void)!clock_parse_duration(str_c(field->fallback), at);
        if (field->kind == FIELD_NUMBER && field->fallback != NULL)
            (void)!str_to_u64(str_c(field->fallback), field->max, at);
        if (field->kind == FIELD_DESCRIPTOR)
            *(int *)at = -1;
        if (field->kind == FIELD_SECTION && field->section->always)
            set_defaults(field->section, at);
    }
}

static bool parse_section(struct parser *p, const struct section *section, const struct yaml *node,
                          void *object)
{
    if (node->kind != YAML_MAP)
        return fail(p, node->line, "a %s is a mapping, such as {key: value}", section->name);
    set_defaults(section, object);
    if (section->line > 0)
        *(int *)((char *)object + section->line) = node->line;
    for (size_t i = 0; i < node->items.count; i++) {
        const struct yaml_item *item = &node->items.items[i];
        size_t k = 0;
        while (k < section->count && !str_eq(item->key, str_c(section->fields[k].key)))
            k++;
        if (k == section->count)
            return unknown_key(p, section, item);
        if (!parse_field(p, &section->fields[k], item->value, object))
            return false;
    }
    for (size_t k = 0; k < section->count; k++) {
        const struct field *field = &section->fields[k];
        bool needed = field->required && !(p->fragment && section == &cluster_section);
        if (needed && find_item(node, field->key) == NULL)
            return fail(p, node->line, "a %s needs '%s'", section->name, field->key);
    }
    return !section->one_of || node->items.count == 1 || not_one(p, section, node);
}

/* ---- nodes and links, as they are read ---- */

static const struct field *cluster_field(str key)
{
    for (size_t i = 0; i < cluster_section.count; i++)
        if (str_eq(key, str_c(cluster_section.fields[i].key)))
            return &cluster_section.fields[i];
    return NULL;
}

static bool wants_items(void *context, str key, enum yaml_kind kind)
{
    const struct field *field = cluster_field(key);
    (void)context;
    return field != NULL && ((field->kind == FIELD_MAP && kind == YAML_MAP) ||
                             (field->kind == FIELD_SECTIONS && kind == YAML_LIST));
}

static bool take_item(void *context, str key, const struct yaml_item *item, struct err *err)
{
    struct parser *p = context;
    (void)err; /* the parser's own */
    return parse_item(p, cluster_field(key), item, p->cluster);
}

/* No link is without the word: at most so many there are. */
static size_t count_links(str text)
{
    static const char word[] = "from";
    size_t count = 0;
    for (const char *at = text.ptr, *end = text.ptr + text.len;
         at != NULL && (at = memmem(at, (size_t)(end - at), word, sizeof(word) - 1)) != NULL; at++)
        count++;
    return count;
}

/* What a node says of itself is whole in memory within its small bound; a file may be long. */
static bool parse_text(struct parser *p, str text)
{
    AUTO(arena) struct arena scratch = { 0 };
    const struct yaml_taker taker = { p, wants_items, take_item };
    struct yaml *root = NULL;
    size_t max = p->fragment ? CLUSTER_FRAGMENT_MAX : CLUSTER_FILE_MAX;
    if (text.len > max)
        return fail(p, 1, "larger than %zu MiB", max / 1024 / 1024);
    list_reserve(p->arena, &p->cluster->links, count_links(text));
    return yaml_compose(&scratch, p->path, text, p->fragment ? NULL : &taker, &root, p->err) &&
           parse_section(p, &cluster_section, root, p->cluster);
}

bool cluster_parse(struct arena *arena, const char *path, str text, bool fragment,
                   struct cluster *ret_cluster, struct err *err)
{
    *ret_cluster = (struct cluster){ .arena = arena, .path = str_copy(arena, str_c(path)) };
    char cwd[4096] = "/";
    if (path[0] != '/' && getcwd(cwd, sizeof(cwd)) == NULL)
        return err_errno(err, "find the current folder");
    str dir = io_dir_of(arena, str_c(path));
    if (str_eq(dir, S(".")))
        dir = str_copy(arena, str_c(cwd));
    struct parser p = { .arena = arena,
                        .cluster = ret_cluster,
                        .path = path,
                        .dir = io_join(arena, str_copy(arena, str_c(cwd)), dir),
                        .fragment = fragment,
                        .texts.arena = arena,
                        .err = err };
    return parse_text(&p, text) && cluster_check(ret_cluster, fragment, err);
}

bool cluster_read(struct arena *arena, const char *path, struct cluster *ret_cluster,
                  struct err *err)
{
    AUTO(arena) struct arena scratch = { 0 };
    str text;
    return io_read(&scratch, path, CLUSTER_FILE_MAX, &text, err) &&
           cluster_parse(arena, path, text, false, ret_cluster, err);
}

bool cluster_new_id(struct arena *arena, str *ret_id, struct err *err)
{
    enum { UUID_LINE = 64 };
    str text;
    if (!io_read(arena, "/proc/sys/kernel/random/uuid", UUID_LINE, &text, err))
        return false;
    *ret_id = str_copy(arena, str_trim(text));
    return true;
}
