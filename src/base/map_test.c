/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include "tests/test.h"

TEST(a_map_keeps_the_first_value_of_a_key_and_its_own_copy_of_the_key)
{
    AUTO(arena) struct arena arena = { 0 };
    struct map map = { .arena = &arena };
    char key[] = "db1";
    check_int(map_get(&map, S("db1")), MAP_NONE);
    check_int(map_put(&map, str_c(key), 4), 4);
    check_int(map_put(&map, S("db1"), 9), 4);
    key[0] = '?';
    check_int(map_get(&map, S("db1")), 4);
    check_int(map_get(&map, S("db2")), MAP_NONE);
}

TEST(ten_thousand_keys_are_all_found_again)
{
    AUTO(arena) struct arena arena = { 0 };
    struct map map = { .arena = &arena };
    for (uint32_t i = 0; i < 10000; i++)
        map_put(&map, str_printf(&arena, "key %u", i), i);
    check_int(map.count, 10000);
    for (uint32_t i = 0; i < 10000; i++)
        check_int(map_get(&map, str_printf(&arena, "key %u", i)), i);
}

TEST(a_map_keeps_one_copy_of_each_text)
{
    AUTO(arena) struct arena arena = { 0 };
    struct map map = { .arena = &arena };
    char text[] = "again";
    str first = map_keep(&map, (str){ text, 5 });
    text[0] = 'b';
    check_str(first, S("again"));
    check(map_keep(&map, S("again")).ptr == first.ptr);
    check(map_keep(&map, S("begin")).ptr != first.ptr);
    check_int(map_keep(&map, S("")).len, 0);
}

TEST(a_map_to_which_keys_are_lent_holds_them_and_not_copies)
{
    AUTO(arena) struct arena arena = { 0 };
    struct map map = { .arena = &arena };
    map_reserve(&map, 1000);
    uint32_t cap = map.cap;
    for (uint32_t i = 0; i < 1000; i++)
        check_int(map_lend(&map, str_printf(&arena, "key%u", i), i), i);
    check_int(map.cap, cap);
    check_int(map_lend(&map, S("key7"), 99), 7);
    check_int(map_get(&map, S("key999")), 999);
    check_int(map_get(&map, S("key1000")), MAP_NONE);
    check_int(map.count, 1000);
}
