/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/index.h"

#include <string.h>

/* No name is longer than 255 bytes in a file; what a fragment names beyond this is found too. */
enum { KEY_ROOM = 520 };

/* "node/name", in `room` where it fits. */
static str key_of(struct arena *arena, char room[KEY_ROOM], str node, str name)
{
    size_t len = node.len + 1 + name.len;
    char *at = len <= KEY_ROOM ? room : arena_alloc(arena, len, 1);
    if (node.len > 0)
        memcpy(at, node.ptr, node.len);
    at[node.len] = '/';
    if (name.len > 0)
        memcpy(at + node.len + 1, name.ptr, name.len);
    return (str){ at, len };
}

static uint32_t put(struct map *map, str node, str name, size_t fresh)
{
    AUTO(arena) struct arena scratch = { 0 };
    char room[KEY_ROOM];
    return map_put(map, key_of(&scratch, room, node, name), (uint32_t)fresh);
}

static uint32_t get(const struct map *map, str node, str name)
{
    AUTO(arena) struct arena scratch = { 0 };
    char room[KEY_ROOM];
    return map_get(map, key_of(&scratch, room, node, name));
}

void cluster_index(struct arena *arena, struct cluster *cluster, struct cluster_index *ret_index)
{
    *ret_index = (struct cluster_index){
        .cluster = cluster, .nodes.arena = arena, .services.arena = arena, .stores.arena = arena
    };
    for (size_t i = 0; i < cluster->nodes.count; i++) {
        struct node_conf *node = &cluster->nodes.items[i];
        if (map_put(&ret_index->nodes, node->name, (uint32_t)i) != i)
            continue;
        for (size_t k = 0; k < node->services.count; k++) {
            size_t fresh = ret_index->service_rows.count;
            str name = node->services.items[k].name;
            if (put(&ret_index->services, node->name, name, fresh) == fresh)
                list_push(arena, &ret_index->service_rows) = &node->services.items[k];
        }
        for (size_t k = 0; k < node->stores.count; k++) {
            size_t fresh = ret_index->store_rows.count;
            if (put(&ret_index->stores, node->name, node->stores.items[k].name, fresh) == fresh)
                list_push(arena, &ret_index->store_rows) = &node->stores.items[k];
        }
    }
}

struct node_conf *index_node(const struct cluster_index *index, str node)
{
    uint32_t at = map_get(&index->nodes, node);
    return at == MAP_NONE ? NULL : &index->cluster->nodes.items[at];
}

struct service_conf *index_service(const struct cluster_index *index, str node, str service)
{
    uint32_t at = get(&index->services, node, service);
    return at == MAP_NONE ? NULL : index->service_rows.items[at];
}

struct store_conf *index_store(const struct cluster_index *index, str node, str store)
{
    uint32_t at = get(&index->stores, node, store);
    return at == MAP_NONE ? NULL : index->store_rows.items[at];
}
