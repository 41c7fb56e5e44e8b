/* SPDX-License-Identifier: Apache-2.0 */
/* The unit test program: runs every TEST() that is linked in, or those whose name has argv[1]. */
#include "tests/test.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct CMUnitTest tests[4096];
static size_t count;

void test_register(const char *name, CMUnitTestFunction run)
{
    assert_true(count < COUNT(tests));
    tests[count++] = (struct CMUnitTest){ .name = name, .test_func = run };
}

static char dirs[1024][64];
static size_t dir_count;

void test_dir(char *pattern)
{
    assert_true(dir_count < COUNT(dirs) && strlen(pattern) < sizeof(dirs[0]));
    assert_non_null(mkdtemp(pattern));
    snprintf(dirs[dir_count++], sizeof(dirs[0]), "%s", pattern);
}

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *at)
{
    (void)stat, (void)kind, (void)at;
    return remove(path);
}

int main(int argc, char **argv)
{
    AUTO(arena) struct arena arena = { 0 };
    if (argc > 1)
        cmocka_set_test_filter(str_printf(&arena, "*%s*", argv[1]).ptr);
    int failed = _cmocka_run_group_tests("unit", tests, count, NULL, NULL);
    while (dir_count > 0)
        (void)nftw(dirs[--dir_count], remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return failed;
}
