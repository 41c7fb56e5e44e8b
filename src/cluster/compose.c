/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/compose.h"

#include "base/map.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

DEFINE_AUTO(yaml_parser, yaml_parser_t, yaml_parser_delete(handle))
DEFINE_AUTO(yaml_event, yaml_event_t, yaml_event_delete(handle))

struct composer {
    yaml_parser_t *parser;
    struct arena *arena;
    const char *path;
    const struct yaml_taker *taker; /* or NULL */
    size_t values;
    int depth;
};

static bool fail(struct composer *c, int line, struct err *err, const char *text)
{
    err_set(err, ERR_FORMAT, "%s", text);
    return err_where(err, "%s:%d", c->path, line);
}

static bool next(struct composer *c, yaml_event_t *ret_event, struct err *err)
{
    if (yaml_parser_parse(c->parser, ret_event))
        return true;
    size_t line = c->parser->problem_mark.line;
    const char *problem = c->parser->problem;
    return fail(c, (int)line + 1, err, problem != NULL ? problem : "malformed YAML");
}

static bool given_twice(struct composer *c, str key, int first, int line, struct err *err)
{
    err_set(err, ERR_FORMAT, "'%.*s' is given twice, first on line %d", STR_ARG(key), first);
    err_where(err, "%s:%d", c->path, line);
    return err_next(err, "sed -n '%dp;%dp' '%s'", first, line, c->path);
}

static int item_order(const void *a, const void *b)
{
    const struct yaml_item *x = *(struct yaml_item *const *)a, *y = *(struct yaml_item *const *)b;
    int order = str_cmp(x->key, y->key);
    return order != 0 ? order : (x > y) - (x < y);
}

static bool keys_differ(struct composer *c, struct yaml *map, struct err *err)
{
    size_t count = map->items.count;
    struct yaml_item **sorted = arena_alloc(c->arena, count + 1, sizeof(struct yaml_item *));
    for (size_t i = 0; i < count; i++)
        sorted[i] = &map->items.items[i];
    qsort(sorted, count, sizeof(struct yaml_item *), item_order);
    for (size_t i = 1; i < count; i++) {
        const struct yaml_item *a = sorted[i - 1], *b = sorted[i];
        if (str_eq(a->key, b->key))
            return given_twice(c, b->key, a->line, b->line, err);
    }
    return true;
}

static bool compose_scalar(struct composer *c, const yaml_event_t *event, struct yaml *node,
                           struct err *err)
{
    str text = { (const char *)event->data.scalar.value, event->data.scalar.length };
    if (memchr(text.ptr, 0, text.len) != NULL)
        return fail(c, node->line, err, "a value must not contain a NUL byte");
    node->text = str_copy(c->arena, text);
    return event->data.scalar.anchor == NULL ||
           fail(c, node->line, err, "anchors and aliases are not supported");
}

/* A scalar is whole then; the items of the others follow. */
static bool open_node(struct composer *c, const yaml_event_t *event, struct yaml **ret_node,
                      struct err *err)
{
    struct yaml *node = *ret_node = arena_new(c->arena, struct yaml);
    node->line = (int)event->start_mark.line + 1;
    if (++c->values > YAML_VALUES_MAX)
        return fail(c, node->line, err, "more than a million values in one section");
    if (event->type == YAML_SCALAR_EVENT)
        return compose_scalar(c, event, node, err);
    bool list = event->type == YAML_SEQUENCE_START_EVENT;
    if (event->type == YAML_ALIAS_EVENT ||
        (list ? event->data.sequence_start.anchor : event->data.mapping_start.anchor) != NULL)
        return fail(c, node->line, err, "anchors and aliases are not supported");
    if (c->depth == YAML_DEPTH_MAX)
        return fail(c, node->line, err, "nested deeper than 32 levels");
    node->kind = list ? YAML_LIST : YAML_MAP;
    return true;
}

static bool compose_items(struct composer *c, struct yaml *node, struct err *err);

static bool compose_value(struct composer *c, const yaml_event_t *event, struct yaml **ret_node,
                          struct err *err)
{
    if (!open_node(c, event, ret_node, err))
        return false;
    if ((*ret_node)->kind == YAML_SCALAR)
        return true;
    c->depth++;
    bool good = compose_items(c, *ret_node, err);
    c->depth--;
    return good;
}

static bool take_items(struct composer *c, str key, enum yaml_kind kind, struct err *err);

/* The value of a key: composed, or its items taken. */
static bool compose_keyed(struct composer *c, struct yaml_item *item, struct err *err)
{
    AUTO(yaml_event) yaml_event_t event = { 0 };
    if (!next(c, &event, err))
        return false;
    enum yaml_kind kind = event.type == YAML_MAPPING_START_EVENT ? YAML_MAP : YAML_LIST;
    bool many = event.type == YAML_MAPPING_START_EVENT || event.type == YAML_SEQUENCE_START_EVENT;
    if (!many || c->depth != 1 || c->taker == NULL ||
        !c->taker->wants(c->taker->context, item->key, kind))
        return compose_value(c, &event, &item->value, err);
    if (!open_node(c, &event, &item->value, err))
        return false;
    c->depth++;
    bool good = take_items(c, item->key, kind, err);
    c->depth--;
    return good;
}

/* The next item of a list or mapping; at its end `ret_more` is false. */
static bool compose_item(struct composer *c, enum yaml_kind kind, struct yaml_item *ret_item,
                         bool *ret_more, struct err *err)
{
    AUTO(yaml_event) yaml_event_t event = { 0 };
    *ret_item = (struct yaml_item){ 0 };
    if (!next(c, &event, err))
        return false;
    *ret_more = event.type != YAML_SEQUENCE_END_EVENT && event.type != YAML_MAPPING_END_EVENT;
    if (!*ret_more)
        return true;
    if (!compose_value(c, &event, &ret_item->value, err))
        return false;
    ret_item->line = ret_item->value->line;
    if (kind != YAML_MAP)
        return true;
    if (ret_item->value->kind != YAML_SCALAR)
        return fail(c, ret_item->line, err, "a key must be a plain word");
    ret_item->key = ret_item->value->text;
    return compose_keyed(c, ret_item, err);
}

static bool compose_items(struct composer *c, struct yaml *node, struct err *err)
{
    for (;;) {
        struct yaml_item item;
        bool more;
        if (!compose_item(c, node->kind, &item, &more, err))
            return false;
        if (!more)
            return node->kind == YAML_LIST || keys_differ(c, node, err);
        list_push(c->arena, &node->items) = item;
    }
}

/* The keys that were taken so far, and their lines. */
struct taken {
    struct map keys;
    LIST(int) lines;
};

static bool take_item(struct composer *c, struct taken *taken, str key, enum yaml_kind kind,
                      bool *ret_more, struct err *err)
{
    struct yaml_item item;
    if (!compose_item(c, kind, &item, ret_more, err))
        return false;
    if (!*ret_more)
        return true;
    if (kind == YAML_MAP) {
        uint32_t fresh = (uint32_t)taken->lines.count;
        uint32_t id = map_put(&taken->keys, item.key, fresh);
        if (id != fresh)
            return given_twice(c, item.key, taken->lines.items[id], item.line, err);
        list_push(taken->keys.arena, &taken->lines) = item.line;
    }
    return c->taker->take(c->taker->context, key, &item, err);
}

/* Each item on its own, in memory that the next one gets again. */
static bool take_items(struct composer *c, str key, enum yaml_kind kind, struct err *err)
{
    AUTO(arena) struct arena scratch = { 0 }, names = { 0 };
    struct taken taken = { .keys.arena = &names };
    struct arena *arena = c->arena;
    bool good = true, more = true;
    c->arena = &scratch;
    while (good && more) {
        size_t values = c->values;
        good = take_item(c, &taken, key, kind, &more, err);
        c->values = values;
        arena_reset(&scratch);
    }
    c->arena = arena;
    return good;
}

/* The event that follows stream start, document start or document end. */
static bool compose_document(struct composer *c, struct yaml **ret_root, struct err *err)
{
    for (;;) {
        AUTO(yaml_event) yaml_event_t event = { 0 };
        if (!next(c, &event, err))
            return false;
        int line = (int)event.start_mark.line + 1;
        if (event.type == YAML_STREAM_END_EVENT)
            return *ret_root != NULL || fail(c, 1, err, "the file is empty");
        if (event.type == YAML_STREAM_START_EVENT || event.type == YAML_DOCUMENT_END_EVENT)
            continue;
        if (event.type != YAML_DOCUMENT_START_EVENT) {
            if (!compose_value(c, &event, ret_root, err))
                return false;
        } else if (*ret_root != NULL) {
            return fail(c, line, err, "a second document begins here; one file is one cluster");
        }
    }
}

bool yaml_compose(struct arena *arena, const char *path, str text, const struct yaml_taker *taker,
                  struct yaml **ret_root, struct err *err)
{
    AUTO(yaml_parser) yaml_parser_t parser = { 0 };
    struct composer c = { .parser = &parser, .arena = arena, .path = path, .taker = taker };
    *ret_root = NULL;
    if (!yaml_parser_initialize(&parser))
        return err_set(err, ERR_SYSTEM, "out of memory");
    yaml_parser_set_input_string(&parser, (const unsigned char *)(text.len > 0 ? text.ptr : ""),
                                 text.len);
    return compose_document(&c, ret_root, err);
}
