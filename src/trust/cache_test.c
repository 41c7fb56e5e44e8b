/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/cache.h"

#include "tests/test.h"

static struct path_key key_of(uint32_t number)
{
    return (struct path_key){ number / 6, number % 3, number / 3 % 2, number % 2 };
}

TEST(every_key_has_a_row_of_its_own_that_stays_where_it_is)
{
    enum { ROWS = 6000 };
    AUTO(arena) struct arena arena = { 0 };
    struct path_cache cache = { .arena = &arena };
    struct judged *rows[ROWS];
    size_t fresh = 0;
    bool new;
    for (uint32_t i = 0; i < ROWS; i++) {
        rows[i] = cache_row(&cache, key_of(i), &new);
        if (new) {
            fresh++;
            check_int(rows[i]->known, 0);
            rows[i]->known = i + 1;
        }
    }
    check_int(fresh, cache.count);
    for (uint32_t i = 0; i < ROWS; i++) {
        check(cache_row(&cache, key_of(i), &new) == rows[i]);
        check(!new);
        struct path_key want = key_of(i), got = key_of(rows[i]->known - 1);
        check(want.chain == got.chain && want.own_anchors == got.own_anchors);
        check(want.anchors == got.anchors && want.judged_as == got.judged_as);
    }
}

TEST(each_of_the_four_numbers_tells_keys_apart)
{
    AUTO(arena) struct arena arena = { 0 };
    struct path_cache cache = { .arena = &arena };
    const struct path_key keys[] = {
        {1,  1, 1, 1},
        { 2, 1, 1, 1},
        { 1, 2, 1, 1},
        { 1, 1, 2, 1},
        { 1, 1, 1, 2},
    };
    bool new;
    for (size_t i = 0; i < COUNT(keys); i++) {
        (void)cache_row(&cache, keys[i], &new);
        check(new);
    }
    (void)cache_row(&cache, keys[0], &new);
    check(!new);
}
