/* SPDX-License-Identifier: Apache-2.0 */
/* map.h - bytes to a dense index: interning of fingerprints, names and states. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/str.h"

#include <stdint.h>

#define MAP_NONE UINT32_MAX

struct map {
    struct arena *arena; /* borrowed; owns slots and copied keys, each shorter than 4 GiB */
    struct map_slot *slots;
    uint32_t count, cap; /* cap is a power of two, or 0 */
};

/* The value stored under `key`, or MAP_NONE. */
uint32_t map_get(const struct map *map, str key);

/* Store `value` under `key` (copied) if the key is new; returns the value that is there now. */
uint32_t map_put(struct map *map, str key, uint32_t value);

/* The same without a copy: `key` must live as long as the map. */
uint32_t map_lend(struct map *map, str key, uint32_t value);

/* Room for `room` keys in all. */
void map_reserve(struct map *map, size_t room);

/* The map's own copy of `text`, the same for every equal text: for texts that come again and
   again. */
str map_keep(struct map *map, str text);

#endif
