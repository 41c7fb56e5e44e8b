/* SPDX-License-Identifier: Apache-2.0 */
#include "base/groups.h"

#include "tests/test.h"

TEST(each_group_holds_its_members_in_the_order_in_which_they_came)
{
    AUTO(arena) struct arena arena = { 0 };
    struct groups groups;
    const uint32_t of[] = { 2, 0, 2, UINT32_MAX, 2, 4, 5, 0 };
    groups_init(&groups, &arena, 5);
    for (int round = 0; round < 2; round++) {
        groups_round(&groups);
        for (uint32_t i = 0; i < COUNT(of); i++)
            groups_add(&groups, of[i], 100 + i);
    }
    static const struct {
        uint32_t group;
        size_t count;
        uint32_t members[3];
    } rows[] = {
        {0,           2, { 101, 107 }     },
        { 1,          0, { 0 }            },
        { 2,          3, { 100, 102, 104 }},
        { 3,          0, { 0 }            },
        { 4,          1, { 105 }          },
        { 5,          0, { 0 }            },
        { UINT32_MAX, 0, { 0 }            },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t count;
        const uint32_t *members = groups_of(&groups, rows[i].group, &count);
        check_int(count, rows[i].count);
        for (size_t k = 0; k < count; k++)
            check_int(members[k], rows[i].members[k]);
    }
}

TEST(no_groups_have_no_members)
{
    AUTO(arena) struct arena arena = { 0 };
    struct groups groups;
    size_t count = 7;
    groups_init(&groups, &arena, 0);
    groups_round(&groups);
    groups_round(&groups);
    (void)groups_of(&groups, 0, &count);
    check_int(count, 0);
}
