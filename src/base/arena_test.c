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

TEST(an_arena_may_be_freed_twice)
{
    struct arena arena = { .wipe = true };
    memset(arena_alloc(&arena, 1, 1), 1, 1);
    arena_free(&arena);
    arena_free(&arena);
    check(arena.head == NULL);
}
