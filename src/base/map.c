/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include <string.h>
#include <sys/random.h>

struct map_slot {
    const char *key;
    uint32_t len;
    uint32_t hash; /* 0 marks an empty slot */
    uint32_t value;
};

/* FNV-1a with a start that differs per process: names come from outside and must not be able to
   aim for one chain. */
static uint32_t hash_of(str key)
{
    static uint64_t seed;
    if (seed == 0 && getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
        seed = 0x9e3779b97f4a7c15u;
    uint64_t hash = 0xcbf29ce484222325u ^ seed;
    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ (unsigned char)key.ptr[i]) * 0x100000001b3u;
    uint32_t folded = (uint32_t)(hash ^ hash >> 32);
    return folded == 0 ? 1 : folded;
}

static bool holds(const struct map_slot *slot, str key, uint32_t hash)
{
    return slot->hash == hash && str_eq((str){ slot->key, slot->len }, key);
}

/* The slot that holds `key`, or the empty slot where it would go. */
static struct map_slot *probe(const struct map *map, str key, uint32_t hash)
{
    for (uint32_t at = hash;; at++) {
        struct map_slot *slot = &map->slots[at & (map->cap - 1)];
        if (slot->hash == 0 || holds(slot, key, hash))
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

static void resize(struct map *map, uint32_t cap)
{
    struct map bigger = *map;
    bigger.cap = cap;
    bigger.slots = arena_alloc(map->arena, cap, sizeof(struct map_slot));
    for (uint32_t i = 0; i < map->cap; i++) {
        const struct map_slot *slot = &map->slots[i];
        if (slot->hash != 0)
            *probe(&bigger, (str){ slot->key, slot->len }, slot->hash) = *slot;
    }
    arena_drop(map->arena, map->slots, map->cap, sizeof(struct map_slot));
    *map = bigger;
}

void map_reserve(struct map *map, size_t room)
{
    uint32_t cap = map->cap == 0 ? 16 : map->cap;
    while (cap / 4 * 3 < room && cap <= UINT32_MAX / 2)
        cap *= 2;
    if (cap > map->cap)
        resize(map, cap);
}

static struct map_slot *put(struct map *map, str key, bool copy, uint32_t value)
{
    map_reserve(map, (size_t)map->count + 1);
    uint32_t hash = hash_of(key);
    struct map_slot *slot = probe(map, key, hash);
    if (slot->hash == 0) {
        const char *kept = copy ? str_copy(map->arena, key).ptr : key.ptr;
        *slot = (struct map_slot){ kept, (uint32_t)key.len, hash, value };
        map->count++;
    }
    return slot;
}

uint32_t map_put(struct map *map, str key, uint32_t value)
{
    return put(map, key, true, value)->value;
}

uint32_t map_lend(struct map *map, str key, uint32_t value)
{
    return put(map, key, false, value)->value;
}

str map_keep(struct map *map, str text)
{
    const struct map_slot *slot = put(map, text, true, 0);
    return (str){ slot->key, slot->len };
}
