/* SPDX-License-Identifier: Apache-2.0 */
/*
 * groups.h - which members belong to each of n groups: an index that is built once.
 *
 * Built in two rounds of the same groups_add() calls: the first counts, the second fills.
 *
 *     groups_init(&groups, &arena, n);
 *     for (int round = 0; round < 2; round++) {
 *         groups_round(&groups);
 *         for (...)
 *             groups_add(&groups, group, member);
 *     }
 */
#ifndef BASE_GROUPS_H
#define BASE_GROUPS_H

#include "base/arena.h"

#include <stdint.h>

struct groups {
    struct arena *arena; /* borrowed */
    uint32_t *starts;    /* by group, one more than there are: where its members begin */
    uint32_t *members;   /* NULL in the first round */
    uint32_t count;
    int round;
};

void groups_init(struct groups *groups, struct arena *arena, size_t count);
void groups_round(struct groups *groups);

/* A group that is not there (UINT32_MAX, say) has no members. */
void groups_add(struct groups *groups, uint32_t group, uint32_t member);

/* The members of `group`, in the order in which they were added. */
const uint32_t *groups_of(const struct groups *groups, uint32_t group, size_t *ret_count);

#endif
