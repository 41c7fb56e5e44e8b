/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"
#include "cluster/schema.h"

#include <string.h>

static void merge_section(struct arena *arena, const struct section *section, void *to,
                          const void *from);

static size_t field_size(const struct field *field)
{
    switch (field->kind) {
    case FIELD_STRING:
    case FIELD_PATH:
    case FIELD_CHOICE:
    case FIELD_REACH:
        return sizeof(str);
    case FIELD_DURATION:
    case FIELD_NUMBER:
        return sizeof(uint64_t);
    case FIELD_DESCRIPTOR:
        return sizeof(int);
    case FIELD_SECTION:
        return field->section->size;
    case FIELD_STRINGS:
    case FIELD_SECTIONS:
    case FIELD_MAP:
        return sizeof(struct any_list);
    }
    return 0;
}

static void merge_map(struct arena *arena, const struct field *field, void *to, const void *from)
{
    struct any_list added = field_list(from, field);
    for (size_t i = 0; i < added.count; i++) {
        const void *item = list_item(field, added, i);
        struct any_list own = field_list(to, field);
        void *same = NULL;
        for (size_t k = 0; k < own.count && same == NULL; k++)
            if (str_eq(*(str *)list_item(field, own, k), *(const str *)item))
                same = list_item(field, own, k);
        if (same != NULL)
            merge_section(arena, field->section, same, item);
        else
            memcpy(field_add(arena, to, field), item, field->section->size);
    }
}

static void merge_section(struct arena *arena, const struct section *section, void *to,
                          const void *from)
{
    for (size_t i = 0; i < section->count; i++) {
        const struct field *field = &section->fields[i];
        if (field->kind == FIELD_MAP)
            merge_map(arena, field, to, from);
        else if (field_is_default(to, field) && !field_is_default(from, field))
            memcpy((char *)to + field->offset, (const char *)from + field->offset,
                   field_size(field));
        else if (field->kind == FIELD_SECTION && strcmp(field->key, "load") == 0)
            merge_section(arena, field->section, (char *)to + field->offset,
                          (const char *)from + field->offset);
    }
}

/* Whether the link is new among those that were met so far. */
static bool meet_link(struct map *known, const struct link_conf *link)
{
    AUTO(arena) struct arena scratch = { 0 };
    str key = str_printf(&scratch, "%.*s\n%.*s\n%.*s", STR_ARG(link->from), STR_ARG(link->to),
                         STR_ARG(link->kind));
    uint32_t fresh = known->count;
    return map_put(known, key, fresh) == fresh;
}

void cluster_merge(struct cluster *cluster, const struct cluster *discovered)
{
    AUTO(arena) struct arena scratch = { 0 };
    struct map known = { .arena = &scratch };
    for (size_t i = 0; i < cluster_section.count; i++)
        if (cluster_section.fields[i].kind == FIELD_MAP)
            merge_map(cluster->arena, &cluster_section.fields[i], cluster, discovered);
    for (size_t i = 0; i < cluster->links.count && discovered->links.count > 0; i++)
        (void)meet_link(&known, &cluster->links.items[i]);
    for (size_t i = 0; i < discovered->links.count; i++)
        if (meet_link(&known, &discovered->links.items[i]))
            list_push(cluster->arena, &cluster->links) = discovered->links.items[i];
}

struct node_conf *cluster_node(struct cluster *cluster, str name)
{
    for (size_t i = 0; i < cluster->nodes.count; i++)
        if (str_eq(cluster->nodes.items[i].name, name))
            return &cluster->nodes.items[i];
    return NULL;
}

struct store_conf *node_store(struct node_conf *node, str name)
{
    for (size_t i = 0; i < node->stores.count; i++)
        if (str_eq(node->stores.items[i].name, name))
            return &node->stores.items[i];
    return NULL;
}

struct service_conf *node_service(struct node_conf *node, str name)
{
    for (size_t i = 0; i < node->services.count; i++)
        if (str_eq(node->services.items[i].name, name))
            return &node->services.items[i];
    return NULL;
}

static bool same_words(const str_list *a, const str_list *b)
{
    for (size_t i = 0; i < a->count && a->count == b->count; i++)
        if (!str_eq(a->items[i], b->items[i]))
            return false;
    return a->count == b->count;
}

static bool is_with(const struct service_conf *a, const struct service_conf *b)
{
    return (a->refresh.count > 0 && same_words(&a->refresh, &b->refresh)) ||
           (a->admin.len > 0 && str_eq(a->admin, b->admin));
}

const struct service_conf *node_process(const struct node_conf *node,
                                        const struct service_conf *service)
{
    for (size_t i = 0; i < node->services.count && &node->services.items[i] != service; i++)
        if (is_with(&node->services.items[i], service))
            return node_process(node, &node->services.items[i]);
    return service;
}
