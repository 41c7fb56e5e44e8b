/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/compose.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

DEFINE_AUTO(yaml_parser, yaml_parser_t, yaml_parser_delete(handle))
DEFINE_AUTO(yaml_event, yaml_event_t, yaml_event_delete(handle))

struct composer {
    yaml_parser_t *parser;
    struct arena *arena;
    const char *path;
    size_t nodes;
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

static bool compose_value(struct composer *c, const yaml_event_t *event, struct yaml **ret_node,
                          struct err *err);

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
        if (!str_eq(a->key, b->key))
            continue;
        err_set(err, ERR_FORMAT, "'%.*s' is given twice, first on line %d", STR_ARG(b->key),
                a->line);
        return err_where(err, "%s:%d", c->path, b->line);
    }
    return true;
}

static bool compose_items(struct composer *c, struct yaml *node, struct err *err)
{
    for (;;) {
        struct yaml_item item = { 0 };
        AUTO(yaml_event) yaml_event_t event = { 0 };
        if (!next(c, &event, err))
            return false;
        if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT)
            return node->kind == YAML_LIST || keys_differ(c, node, err);
        if (!compose_value(c, &event, &item.value, err))
            return false;
        item.line = item.value->line;
        if (node->kind == YAML_MAP) {
            if (item.value->kind != YAML_SCALAR)
                return fail(c, item.line, err, "a key must be a plain word");
            item.key = item.value->text;
            AUTO(yaml_event) yaml_event_t value = { 0 };
            if (!next(c, &value, err) || !compose_value(c, &value, &item.value, err))
                return false;
        }
        list_push(c->arena, &node->items) = item;
    }
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

static bool compose_value(struct composer *c, const yaml_event_t *event, struct yaml **ret_node,
                          struct err *err)
{
    struct yaml *node = *ret_node = arena_new(c->arena, struct yaml);
    node->line = (int)event->start_mark.line + 1;
    if (++c->nodes > YAML_NODES_MAX)
        return fail(c, node->line, err, "more than 200000 values");
    if (event->type == YAML_SCALAR_EVENT)
        return compose_scalar(c, event, node, err);
    bool list = event->type == YAML_SEQUENCE_START_EVENT;
    if (event->type == YAML_ALIAS_EVENT ||
        (list ? event->data.sequence_start.anchor : event->data.mapping_start.anchor) != NULL)
        return fail(c, node->line, err, "anchors and aliases are not supported");
    if (c->depth == YAML_DEPTH_MAX)
        return fail(c, node->line, err, "nested deeper than 32 levels");
    node->kind = list ? YAML_LIST : YAML_MAP;
    c->depth++;
    bool good = compose_items(c, node, err);
    c->depth--;
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

bool yaml_compose(struct arena *arena, const char *path, str text, struct yaml **ret_root,
                  struct err *err)
{
    AUTO(yaml_parser) yaml_parser_t parser = { 0 };
    struct composer c = { .parser = &parser, .arena = arena, .path = path };
    *ret_root = NULL;
    if (text.len > YAML_TEXT_MAX)
        return fail(&c, 1, err, "larger than 4 MiB");
    if (!yaml_parser_initialize(&parser))
        return err_set(err, ERR_SYSTEM, "out of memory");
    yaml_parser_set_input_string(&parser, (const unsigned char *)(text.len > 0 ? text.ptr : ""),
                                 text.len);
    return compose_document(&c, ret_root, err);
}
