/* SPDX-License-Identifier: Apache-2.0 */
/* The unit test program: runs every TEST() that is linked in, or those whose name has argv[1]. */
#include "tests/test.h"

static struct CMUnitTest tests[4096];
static size_t count;

void test_register(const char *name, CMUnitTestFunction run)
{
    assert_true(count < COUNT(tests));
    tests[count++] = (struct CMUnitTest){ .name = name, .test_func = run };
}

int main(int argc, char **argv)
{
    AUTO(arena) struct arena arena = { 0 };
    if (argc > 1)
        cmocka_set_test_filter(str_printf(&arena, "*%s*", argv[1]).ptr);
    return _cmocka_run_group_tests("unit", tests, count, NULL, NULL);
}
