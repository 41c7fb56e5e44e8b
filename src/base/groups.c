/* SPDX-License-Identifier: Apache-2.0 */
#include "base/groups.h"

#include <assert.h>

void groups_init(struct groups *groups, struct arena *arena, size_t count)
{
    *groups = (struct groups){ .arena = arena, .count = (uint32_t)count };
    groups->starts = arena_alloc(arena, count + 2, sizeof(uint32_t));
}

/* While members are counted and filled in, starts[group + 1] is where the group's next one goes:
   in the end that is where the next group starts. */
void groups_round(struct groups *groups)
{
    uint32_t total = 0;
    assert(groups->round < 2);
    if (groups->round++ == 0)
        return;
    for (uint32_t group = 0; group < groups->count; group++) {
        uint32_t size = groups->starts[group + 1];
        groups->starts[group + 1] = total;
        total += size;
    }
    groups->members = arena_alloc(groups->arena, (size_t)total + 1, sizeof(uint32_t));
}

void groups_add(struct groups *groups, uint32_t group, uint32_t member)
{
    if (group >= groups->count)
        return;
    uint32_t at = groups->starts[group + 1]++;
    if (groups->round == 2)
        groups->members[at] = member;
}

const uint32_t *groups_of(const struct groups *groups, uint32_t group, size_t *ret_count)
{
    *ret_count = 0;
    if (group >= groups->count)
        return NULL;
    *ret_count = groups->starts[group + 1] - groups->starts[group];
    return &groups->members[groups->starts[group]];
}
