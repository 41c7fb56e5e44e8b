/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include "tests/test.h"

#include <stdalign.h>
#include <string.h>

TEST(memory_from_an_arena_is_zeroed_aligned_and_its_own)
{
    AUTO(arena) struct arena arena = { 0 };
    unsigned char *before = NULL;
    for (size_t size = 1; size < 40000; size = size * 3 + 1) {
        unsigned char *memory = arena_alloc(&arena, size, 1);
        check_int((uintptr_t)memory % alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            check(memory[i] == 0);
        memset(memory, 0xff, size);
        check(memory != before);
        before = memory;
    }
}

TEST(a_list_grows_and_keeps_what_was_pushed)
{
    AUTO(arena) struct arena arena = { 0 };
    LIST(int) list = { 0 };
    for (int i = 0; i < 1000; i++)
        list_push(&arena, &list) = i;
    check_int(list.count, 1000);
    for (int i = 0; i < 1000; i++)
        check_int(list.items[i], i);
}

TEST(a_list_with_room_stays_where_it_is_until_that_is_used)
{
    AUTO(arena) struct arena arena = { 0 };
    LIST(int) list = { 0 };
    list_push(&arena, &list) = 7;
    list_reserve(&arena, &list, 100000);
    const int *items = list.items;
    for (int i = 1; i < 100000; i++)
        list_push(&arena, &list) = 7 + i;
    check(list.items == items);
    list_reserve(&arena, &list, 50);
    check(list.items == items);
    list_push(&arena, &list) = -1;
    check_int(list.items[0], 7);
    check_int(list.items[99999], 7 + 99999);
    check_int(list.items[100000], -1);
}

TEST(an_arena_may_be_freed_twice)
{
    struct arena arena = { .wipe = true };
    memset(arena_alloc(&arena, 1, 1), 1, 1);
    arena_free(&arena);
    arena_free(&arena);
    check(arena.head == NULL);
}

TEST(an_arena_that_was_reset_gives_zeroed_memory_again)
{
    AUTO(arena) struct arena arena = { 0 };
    arena_reset(&arena);
    unsigned char *first = NULL;
    for (size_t round = 0; round < 3; round++) {
        unsigned char *small = arena_alloc(&arena, 1000, 1);
        unsigned char *large = arena_alloc(&arena, 100000, 1);
        unsigned char *more = arena_alloc(&arena, 15000, 1);
        for (size_t i = 0; i < 1000; i++)
            check_int(small[i], 0);
        for (size_t i = 0; i < 15000; i++)
            check_int(more[i], 0);
        check_int(large[99999], 0);
        memset(small, 1, 1000);
        memset(large, 1, 100000);
        memset(more, 1, 15000);
        check(first == NULL || small == first);
        first = small;
        arena_reset(&arena);
    }
}

TEST(large_memory_is_given_back_and_the_rest_stays)
{
    AUTO(arena) struct arena arena = { 0 };
    unsigned char *large[4], *small = NULL;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT(large); i++) {
            large[i] = arena_alloc(&arena, 50000 + i, 1);
            memset(large[i], (int)i + 1, 50000 + i);
            small = arena_alloc(&arena, 100, 1);
            memset(small, 9, 100);
        }
        arena_drop(&arena, small, 100, 1);
        check_int(small[99], 9);
        arena_drop(&arena, large[round], 50000 + (size_t)round, 1);
        arena_drop(&arena, large[3], 50003, 1);
        for (size_t i = 0; i < 3; i++)
            if (i != (size_t)round)
                check(large[i][0] == i + 1 && large[i][49999] == i + 1);
    }
    arena_drop(&arena, NULL, 50000, 1);
}

TEST(the_first_memory_of_an_arena_can_be_given_back_too)
{
    AUTO(arena) struct arena arena = { 0 };
    arena_drop(&arena, arena_alloc(&arena, 50000, 1), 50000, 1);
    check(arena.head == NULL);
}
