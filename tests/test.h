/* SPDX-License-Identifier: Apache-2.0 */
/* test.h - cmocka with the boilerplate taken away: `TEST(name) { check(...); }` */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include "base/err.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

void test_register(const char *name, CMUnitTestFunction run);

/* mkdtemp for a folder that is removed, with what is in it, when every test has run. */
void test_dir(char *pattern);

#define TEST(name)                                                 \
    static void test_##name(void **cmocka_state);                  \
    __attribute__((constructor)) static void register_##name(void) \
    {                                                              \
        test_register(#name, test_##name);                         \
    }                                                              \
    static void test_##name(void **cmocka_state __attribute__((unused)))

#define check(cond)          assert_true(cond)
#define check_int(got, want) assert_int_equal((got), (want))
#define check_str(got, want)                                                        \
    do {                                                                            \
        str got_ = (got), want_ = (want);                                           \
        if (!str_eq(got_, want_))                                                   \
            fail_msg("got \"%.*s\", want \"%.*s\"", STR_ARG(got_), STR_ARG(want_)); \
    } while (0)
#define check_ok(call, err)                        \
    do {                                           \
        if (!(call))                               \
            fail_msg("%s: %s", #call, (err)->msg); \
    } while (0)
#define check_err(call, err, want)               \
    do {                                         \
        check(!(call));                          \
        assert_string_equal((err)->msg, (want)); \
    } while (0)

#endif
