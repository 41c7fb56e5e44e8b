/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <time.h>

moment clock_now(void)
{
    return (moment)time(NULL);
}

int64_t clock_monotonic_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

str clock_format(struct arena *arena, moment at)
{
    struct tm tm;
    time_t seconds = (time_t)at;
    if (gmtime_r(&seconds, &tm) == NULL)
        return str_printf(arena, "@%lld", (long long)at);
    return str_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
                      tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* `digits` decimal digits off the front of `rest`. */
static bool cut_number(str *rest, size_t digits, int *ret_number)
{
    uint64_t number;
    if (rest->len < digits || !str_to_u64((str){ rest->ptr, digits }, 9999, &number))
        return false;
    *rest = (str){ rest->ptr + digits, rest->len - digits };
    *ret_number = (int)number;
    return true;
}

static bool cut_char(str *rest, const char *any)
{
    for (const char *c = any; *c != '\0' && rest->len > 0; c++)
        if (rest->ptr[0] == *c) {
            *rest = (str){ rest->ptr + 1, rest->len - 1 };
            return true;
        }
    return false;
}

static bool cut_date(str *rest, struct tm *tm)
{
    if (!cut_number(rest, 4, &tm->tm_year) || !cut_char(rest, "-") ||
        !cut_number(rest, 2, &tm->tm_mon) || !cut_char(rest, "-") ||
        !cut_number(rest, 2, &tm->tm_mday))
        return false;
    tm->tm_year -= 1900;
    tm->tm_mon -= 1;
    return tm->tm_mon >= 0 && tm->tm_mon < 12 && tm->tm_mday >= 1 && tm->tm_mday <= 31;
}

static bool cut_time(str *rest, struct tm *tm)
{
    return cut_number(rest, 2, &tm->tm_hour) && cut_char(rest, ":") &&
           cut_number(rest, 2, &tm->tm_min) && cut_char(rest, ":") &&
           cut_number(rest, 2, &tm->tm_sec) && tm->tm_hour < 24 && tm->tm_min < 60 &&
           tm->tm_sec <= 60;
}

/* RFC 3339, 5.6: time-offset = "Z" / ("+" / "-") hh:mm */
static bool cut_offset(str *rest, int *ret_seconds)
{
    if (cut_char(rest, "Zz")) {
        *ret_seconds = 0;
        return true;
    }
    int sign = rest->len > 0 && rest->ptr[0] == '-' ? -1 : 1;
    int hours, minutes;
    if (!cut_char(rest, "+-") || !cut_number(rest, 2, &hours) || !cut_char(rest, ":") ||
        !cut_number(rest, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

bool clock_parse(str text, moment *ret_at)
{
    struct tm tm = { 0 };
    int offset = 0, ignored;
    if (!cut_date(&text, &tm))
        return false;
    if (text.len > 0) {
        if (!cut_char(&text, "Tt ") || !cut_time(&text, &tm))
            return false;
        if (cut_char(&text, "."))
            while (cut_number(&text, 1, &ignored))
                ;
        if (!cut_offset(&text, &offset) || text.len > 0)
            return false;
    }
    int day = tm.tm_mday;
    time_t seconds = timegm(&tm);
    if (tm.tm_mday != day && tm.tm_sec < 60) /* 31 February */
        return false;
    *ret_at = (moment)seconds - offset;
    return true;
}

static const struct unit {
    char letter;
    int64_t seconds;
    const char *name;
} units[] = {
    {'y',  365 * 86400, "year"  },
    { 'w', 7 * 86400,   "week"  },
    { 'd', 86400,       "day"   },
    { 'h', 3600,        "hour"  },
    { 'm', 60,          "minute"},
    { 's', 1,           "second"},
};

bool clock_parse_duration(str text, int64_t *ret_seconds)
{
    uint64_t number;
    if (text.len < 2 || !str_to_u64((str){ text.ptr, text.len - 1 }, 100000000, &number))
        return false;
    for (size_t i = 0; i < COUNT(units); i++)
        if (units[i].letter == text.ptr[text.len - 1]) {
            *ret_seconds = (int64_t)number * units[i].seconds;
            return true;
        }
    return false;
}

str clock_relative(struct arena *arena, moment at, moment now)
{
    int64_t away = at < now ? now - at : at - now;
    for (size_t i = 0; i < COUNT(units); i++) {
        if (units[i].letter == 'w' || away < units[i].seconds)
            continue;
        /* "366 days" says more than "1 year" near the boundary. */
        if (units[i].letter == 'y' && away < 2 * units[i].seconds)
            continue;
        long long count = away / units[i].seconds;
        const char *plural = count == 1 ? "" : "s";
        return at < now ? str_printf(arena, "%lld %s%s ago", count, units[i].name, plural)
                        : str_printf(arena, "in %lld %s%s", count, units[i].name, plural);
    }
    return S("now");
}
