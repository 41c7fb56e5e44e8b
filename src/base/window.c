/* SPDX-License-Identifier: Apache-2.0 */
#include "base/window.h"

enum { DAY_MINUTES = 24 * 60, DAY_SECONDS = 24 * 3600, WEEK = 7 };

static bool parse_days(str text, unsigned *ret_days)
{
    static const char *const names[WEEK] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
    *ret_days = 0;
    if (str_eq(text, S("daily")))
        return *ret_days = (1u << WEEK) - 1, true;
    while (text.len > 0) {
        str name = str_cut(&text, ',');
        unsigned day = 0;
        while (day < WEEK && !str_eq(name, str_c(names[day])))
            day++;
        if (day == WEEK)
            return false;
        *ret_days |= 1u << day;
    }
    return *ret_days != 0;
}

/* "22:00" */
static bool parse_time(str text, int *ret_minutes)
{
    uint64_t hours, minutes;
    if (text.len != 5 || text.ptr[2] != ':' || !str_to_u64((str){ text.ptr, 2 }, 24, &hours) ||
        !str_to_u64((str){ text.ptr + 3, 2 }, 59, &minutes))
        return false;
    *ret_minutes = (int)(hours * 60 + minutes);
    return *ret_minutes <= DAY_MINUTES;
}

bool window_parse(str text, struct window *ret_window)
{
    struct window window;
    str times = text, days = str_cut(&times, ' ');
    str end = times, start = str_cut(&end, '-');
    if (!parse_days(days, &window.days) || !parse_time(start, &window.start) ||
        !parse_time(end, &window.end) || window.start == DAY_MINUTES)
        return false;
    if (window.end <= window.start)
        window.end += DAY_MINUTES;
    *ret_window = window;
    return true;
}

/* 1970-01-01 was a Thursday. */
static unsigned weekday(int64_t day)
{
    return (unsigned)(((day + 3) % WEEK + WEEK) % WEEK);
}

static bool opens_on(const struct window *window, int64_t day)
{
    return (window->days >> weekday(day) & 1) != 0;
}

static int64_t day_of(moment at)
{
    return at >= 0 ? at / DAY_SECONDS : -((DAY_SECONDS - 1 - at) / DAY_SECONDS);
}

bool window_has(const struct window *window, moment at)
{
    int64_t today = day_of(at);
    for (int64_t day = today - 1; day <= today; day++) {
        int64_t since = at - day * DAY_SECONDS;
        if (opens_on(window, day) && since >= window->start * 60 && since < window->end * 60)
            return true;
    }
    return false;
}

moment window_next(const struct window *window, moment at)
{
    if (window_has(window, at))
        return at;
    int64_t day = day_of(at);
    while (!opens_on(window, day) || day * DAY_SECONDS + window->start * 60 < at)
        day++;
    return day * DAY_SECONDS + window->start * 60;
}
