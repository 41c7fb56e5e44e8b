/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include "tests/test.h"

TEST(a_slip_of_the_keyboard_finds_the_word_that_was_meant_and_another_word_does_not)
{
    static const char *const words[] = { "check", "plan", "renew" };
    assert_string_equal(str_nearest(S("chekc"), words, 3), "check");
    assert_string_equal(str_nearest(S("renews"), words, 3), "renew");
    check(str_nearest(S("rollback"), words, 3) == NULL);
}

TEST(hex_goes_both_ways_and_odd_or_upper_case_text_is_refused)
{
    AUTO(arena) struct arena arena = { 0 };
    str bytes;
    check(str_unhex(&arena, str_hex(&arena, "\x00\xffz", 3), &bytes));
    check_str(bytes, S("\x00\xffz"));
    check(!str_unhex(&arena, S("abc"), &bytes));
    check(!str_unhex(&arena, S("AB"), &bytes));
}

TEST(a_number_is_digits_alone_and_stops_at_its_maximum)
{
    uint64_t number = 7;
    check(str_to_u64(S("65535"), 65535, &number) && number == 65535);
    check(!str_to_u64(S("65536"), 65535, &number));
    check(!str_to_u64(S("18446744073709551616"), UINT64_MAX, &number));
    check(!str_to_u64(S(""), 9, &number));
    check(!str_to_u64(S("-1"), 9, &number));
}
