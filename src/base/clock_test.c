/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include "tests/test.h"

TEST(a_moment_is_written_and_read_as_rfc_3339_says)
{
    // clang-format off
    static const struct { const char *text; moment want; } cases[] = {
        { "1970-01-01T00:00:00Z",          0 },
        { "2026-11-24",                    1795478400 },
        { "2026-11-24T01:00:00+01:00",     1795478400 },
        { "2026-11-23t23:00:00.123-01:00", 1795478400 },
        { "9999-12-31T23:59:59Z",          253402300799 },
        { "1950-01-01T00:00:00Z",          -631152000 },
    };
    // clang-format on
    for (size_t i = 0; i < COUNT(cases); i++) {
        moment at = 1;
        check(clock_parse(str_c(cases[i].text), &at));
        check_int(at, cases[i].want);
    }
    AUTO(arena) struct arena arena = { 0 };
    check_str(clock_format(&arena, 253402300799), S("9999-12-31T23:59:59Z"));
    check_str(clock_format(&arena, -631152000), S("1950-01-01T00:00:00Z"));
}

TEST(what_is_not_a_time_is_refused)
{
    static const char *const cases[] = { "",
                                         "noon",
                                         "2026-13-01",
                                         "2026-02-30",
                                         "2026-11-24T",
                                         "2026-11-24T10:00:00",
                                         "2026-11-24T25:00:00Z",
                                         "2026-11-24T10:00:00Zx",
                                         "2026-11-24T10:00:00+99:00" };
    for (size_t i = 0; i < COUNT(cases); i++) {
        moment at = 7;
        check(!clock_parse(str_c(cases[i]), &at));
        check_int(at, 7);
    }
}

TEST(a_duration_is_a_number_and_a_unit)
{
    int64_t seconds = 0;
    check(clock_parse_duration(S("30d"), &seconds) && seconds == 30 * 86400);
    check(clock_parse_duration(S("1y"), &seconds) && seconds == 365 * 86400);
    check(!clock_parse_duration(S("30"), &seconds));
    check(!clock_parse_duration(S("d"), &seconds));
    check(!clock_parse_duration(S("3 d"), &seconds));
}

TEST(a_distance_in_time_is_said_in_the_largest_unit_that_fits)
{
    AUTO(arena) struct arena arena = { 0 };
    check_str(clock_relative(&arena, 10 * 86400, 0), S("in 10 days"));
    check_str(clock_relative(&arena, 0, 86400), S("1 day ago"));
    check_str(clock_relative(&arena, 400 * 86400, 0), S("in 400 days"));
    check_str(clock_relative(&arena, 3 * 365 * 86400, 0), S("in 3 years"));
    check_str(clock_relative(&arena, 5, 5), S("now"));
}
