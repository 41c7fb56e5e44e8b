/* SPDX-License-Identifier: Apache-2.0 */
#include "survey/index.h"

static str name_in(struct arena *scratch, str node, char between, str name)
{
    return str_printf(scratch, "%.*s%c%.*s", STR_ARG(node), between, STR_ARG(name));
}

static void add_seen(struct survey *survey, struct survey_index *index, size_t number)
{
    AUTO(arena) struct arena scratch = { 0 };
    str node = survey->cluster->nodes.items[number].name;
    const struct seen_node *seen = &survey->nodes.items[number];
    for (size_t i = 0; i < seen->stores.count; i++) {
        uint32_t fresh = (uint32_t)index->store_rows.count;
        str name = name_in(&scratch, node, '/', seen->stores.items[i].name);
        if (map_put(&index->stores, name, fresh) == fresh)
            list_push(survey->arena, &index->store_rows) = &seen->stores.items[i];
        arena_reset(&scratch);
    }
}

static void add_user(struct arena *arena, struct survey_index *index, str name, str service)
{
    uint32_t fresh = (uint32_t)index->users.count;
    uint32_t at = map_put(&index->identities, name, fresh);
    if (at == fresh)
        list_push(arena, &index->users) = (struct identity_users){ .first = service };
    else if (!str_eq(index->users.items[at].first, service))
        index->users.items[at].several = true;
}

static void add_users(struct arena *arena, struct survey_index *index, const struct node_conf *node)
{
    AUTO(arena) struct arena scratch = { 0 };
    for (uint32_t i = 0; i < node->services.count; i++) {
        const struct service_conf *service = &node->services.items[i];
        for (size_t k = 0; k < service->identities.count; k++)
            add_user(arena, index,
                     name_in(&scratch, node->name, '/', service->identities.items[k].store),
                     service->name);
        arena_reset(&scratch);
    }
}

static struct survey_index *make(struct survey *survey)
{
    struct arena *arena = survey->arena;
    struct cluster *cluster = survey->cluster;
    struct survey_index *index = arena_new(arena, struct survey_index);
    index->stores.arena = index->identities.arena = index->pinned.arena = index->files.arena =
        arena;
    cluster_index(arena, cluster, &index->cluster);
    index->node_texts = arena_alloc(arena, cluster->nodes.count + 1, sizeof(str));
    for (size_t i = 0; i < survey->nodes.count; i++)
        add_seen(survey, index, i);
    for (size_t i = 0; i < cluster->nodes.count; i++)
        add_users(arena, index, &cluster->nodes.items[i]);
    for (size_t i = 0; i < cluster->pins.count; i++)
        map_put(&index->pinned, cluster->pins.items[i].service, 1);
    return index;
}

struct survey_index *survey_index(struct survey *survey)
{
    if (survey->index == NULL)
        survey->index = make(survey);
    return survey->index;
}

const struct seen_store *index_seen_store(const struct survey_index *index, str node, str store)
{
    AUTO(arena) struct arena scratch = { 0 };
    uint32_t at = map_get(&index->stores, name_in(&scratch, node, '/', store));
    return at == MAP_NONE ? NULL : index->store_rows.items[at];
}

bool index_is_shared(const struct survey_index *index, str node, str service, str store)
{
    AUTO(arena) struct arena scratch = { 0 };
    uint32_t at = map_get(&index->identities, name_in(&scratch, node, '/', store));
    return at != MAP_NONE &&
           (index->users.items[at].several || !str_eq(index->users.items[at].first, service));
}

uint32_t index_file(struct survey_index *index, str node, str path, uint32_t fresh)
{
    AUTO(arena) struct arena scratch = { 0 };
    str name = name_in(&scratch, node, '\n', path);
    return fresh == NO_ID ? map_get(&index->files, name) : map_put(&index->files, name, fresh);
}
