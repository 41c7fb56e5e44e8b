/* SPDX-License-Identifier: Apache-2.0 */
/* window.h - times of the week in which something may be done, in UTC. */
#ifndef BASE_WINDOW_H
#define BASE_WINDOW_H

#include "base/clock.h"

#include <stdbool.h>

/* "Sat 22:00-04:00": from the first time of the named days, up to and without the second, which is
   of the next day where it is not later. */
struct window {
    unsigned days;  /* bit 0 is Monday */
    int start, end; /* minutes from the day's beginning; end is after start, at most 2 days */
};

/* Days are "daily", or Mon to Sun with commas between them. */
bool window_parse(str text, struct window *ret_window);

bool window_has(const struct window *window, moment at);

/* The first moment from `at` on that is in the window. */
moment window_next(const struct window *window, moment at);

#endif
