/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h - moments in seconds since 1970-01-01T00:00:00Z, and their texts (RFC 3339). */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/str.h"

#include <stdint.h>

typedef int64_t moment;

moment clock_now(void);
int64_t clock_monotonic_ms(void); /* for durations and deadlines only */

/* "2026-11-24T05:15:31Z" */
str clock_format(struct arena *arena, moment at);

/* RFC 3339 with any offset, or a date alone (its first second, UTC); false for anything else. */
bool clock_parse(str text, moment *ret_at);

/* "30d", "12h", "15m", "90s", "2w" or "1y" (365 days) in seconds; false for anything else. */
bool clock_parse_duration(str text, int64_t *ret_seconds);

/* A duration for people: "in 10 days", "3 hours ago", "now". */
str clock_relative(struct arena *arena, moment at, moment now);

#endif
