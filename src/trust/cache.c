/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/cache.h"

#include <assert.h>
#include <string.h>

struct cache_slot {
    uint32_t hash;
    uint32_t row; /* its number and one; 0: empty */
};

static_assert(sizeof(struct path_key) == 4 * sizeof(uint32_t), "keys are compared byte by byte");

/* The keys are numbers of ours, dense and small: a multiplication spreads each of them. */
static uint32_t hash_of(struct path_key key)
{
    uint64_t hash = key.chain * 0x9e3779b97f4a7c15U;
    hash = (hash ^ key.own_anchors) * 0xbf58476d1ce4e5b9U;
    hash = (hash ^ key.anchors) * 0x94d049bb133111ebU;
    hash = (hash ^ hash >> 29 ^ key.judged_as) * 0x9e3779b97f4a7c15U;
    return (uint32_t)(hash >> 32);
}

static struct judged *row_at(const struct path_cache *cache, uint32_t number)
{
    return &cache->chunks.items[number / CACHE_CHUNK][number % CACHE_CHUNK];
}

static void grow(struct path_cache *cache)
{
    uint32_t cap = cache->cap == 0 ? CACHE_CHUNK : cache->cap * 2;
    struct cache_slot *slots = arena_alloc(cache->arena, cap, sizeof(*slots));
    for (uint32_t i = 0; i < cache->cap; i++) {
        uint32_t at = cache->slots[i].hash & (cap - 1);
        while (cache->slots[i].row != 0 && slots[at].row != 0)
            at = (at + 1) & (cap - 1);
        if (cache->slots[i].row != 0)
            slots[at] = cache->slots[i];
    }
    arena_drop(cache->arena, cache->slots, cache->cap, sizeof(*slots));
    cache->slots = slots;
    cache->cap = cap;
}

static struct judged *row_new(struct path_cache *cache, struct path_key key)
{
    if (cache->count % CACHE_CHUNK == 0)
        list_push(cache->arena, &cache->chunks) =
            arena_alloc(cache->arena, CACHE_CHUNK, sizeof(struct judged));
    struct judged *row = row_at(cache, cache->count++);
    row->key = key;
    return row;
}

struct judged *cache_row(struct path_cache *cache, struct path_key key, bool *ret_new)
{
    if (cache->count + 1 > cache->cap / 4 * 3)
        grow(cache);
    uint32_t hash = hash_of(key), at = hash & (cache->cap - 1);
    for (; cache->slots[at].row != 0; at = (at + 1) & (cache->cap - 1)) {
        if (cache->slots[at].hash != hash)
            continue;
        struct judged *row = row_at(cache, cache->slots[at].row - 1);
        if (memcmp(&row->key, &key, sizeof(key)) == 0) {
            *ret_new = false;
            return row;
        }
    }
    *ret_new = true;
    cache->slots[at] = (struct cache_slot){ hash, cache->count + 1 };
    return row_new(cache, key);
}
