/* SPDX-License-Identifier: Apache-2.0 */
#include "base/window.h"

#include "tests/test.h"

static moment at(const char *text)
{
    moment at = 0;
    check(clock_parse(str_c(text), &at));
    return at;
}

TEST(a_window_is_open_from_its_first_minute_up_to_its_last_over_midnight_too)
{
    static const struct {
        const char *window, *at;
        bool open;
    } cases[] = {
        {"Sat 22:00-04:00",      "2026-11-28T21:59:59Z", false},
        { "Sat 22:00-04:00",     "2026-11-28T22:00:00Z", true },
        { "Sat 22:00-04:00",     "2026-11-29T03:59:59Z", true },
        { "Sat 22:00-04:00",     "2026-11-29T04:00:00Z", false},
        { "Sat 22:00-04:00",     "2026-11-28T03:00:00Z", false},
        { "daily 02:00-03:00",   "2026-11-24T02:30:00Z", true },
        { "Tue,Thu 00:00-24:00", "2026-11-24T23:59:59Z", true },
        { "Tue,Thu 00:00-24:00", "2026-11-25T00:00:00Z", false},
        { "Mon 23:00-23:00",     "2026-11-24T22:59:00Z", true },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct window window;
        check(window_parse(str_c(cases[i].window), &window));
        check_int(window_has(&window, at(cases[i].at)), cases[i].open);
    }
}

TEST(what_is_no_window_is_refused)
{
    static const char *const texts[] = { "",
                                         "Sat",
                                         "Sat 22:00",
                                         "Sat 22:00-",
                                         "sat 22:00-23:00",
                                         "Sat 2:00-3:00",
                                         "Sat 22:60-23:00",
                                         "Sat 25:00-26:00",
                                         "Sat 24:00-24:00",
                                         "Sat,, 22:00-23:00",
                                         "Sat  22:00-23:00",
                                         "Sat 22:00-24:30" };
    struct window window;
    for (size_t i = 0; i < COUNT(texts); i++)
        check(!window_parse(str_c(texts[i]), &window));
}

TEST(the_next_opening_is_now_or_the_first_that_comes)
{
    struct window window;
    check(window_parse(S("Mon,Sat 22:00-04:00"), &window));
    check_int(window_next(&window, at("2026-11-28T23:00:00Z")), at("2026-11-28T23:00:00Z"));
    check_int(window_next(&window, at("2026-11-24T12:00:00Z")), at("2026-11-28T22:00:00Z"));
    check_int(window_next(&window, at("2026-11-29T04:00:00Z")), at("2026-11-30T22:00:00Z"));
}
