/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include <string.h>
#include <sys/random.h>

struct map_slot {
    str key;
    uint64_t hash; /* 0 marks an empty slot */
    uint32_t value;
};

/* FNV-1a with a start that differs per process: names come from outside and must not be able to
   aim for one chain. */
static uint64_t hash_of(str key)
{
    static uint64_t seed;
    if (seed == 0 && getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
        seed = 0x9e3779b97f4a7c15u;
    uint64_t hash = 0xcbf29ce484222325u ^ seed;
    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ (unsigned char)key.ptr[i]) * 0x100000001b3u;
    hash ^= hash >> 32;
    return hash == 0 ? 1 : hash;
}

/* The slot that holds `key`, or the empty slot where it would go. */
static struct map_slot *probe(const struct map *map, str key, uint64_t hash)
{
    for (uint64_t at = hash;; at++) {
        struct map_slot *slot = &map->slots[at & (map->cap - 1)];
        if (slot->hash == 0 || (slot->hash == hash && str_eq(slot->key, key)))
            return slot;
    }
}

uint32_t map_get(const struct map *map, str key)
{
    if (map->cap == 0)
        return MAP_NONE;
    const struct map_slot *slot = probe(map, key, hash_of(key));
    return slot->hash == 0 ? MAP_NONE : slot->value;
}

static void grow(struct map *map)
{
    struct map bigger = *map;
    bigger.cap = map->cap == 0 ? 16 : map->cap * 2;
    bigger.slots = arena_alloc(map->arena, bigger.cap, sizeof(struct map_slot));
    for (uint32_t i = 0; i < map->cap; i++)
        if (map->slots[i].hash != 0)
            *probe(&bigger, map->slots[i].key, map->slots[i].hash) = map->slots[i];
    *map = bigger;
}

static struct map_slot *put(struct map *map, str key, uint32_t value)
{
    if (map->count + 1 > map->cap / 4 * 3)
        grow(map);
    uint64_t hash = hash_of(key);
    struct map_slot *slot = probe(map, key, hash);
    if (slot->hash == 0) {
        *slot = (struct map_slot){ str_copy(map->arena, key), hash, value };
        map->count++;
    }
    return slot;
}

uint32_t map_put(struct map *map, str key, uint32_t value)
{
    return put(map, key, value)->value;
}

str map_keep(struct map *map, str text)
{
    return put(map, text, 0)->key;
}
