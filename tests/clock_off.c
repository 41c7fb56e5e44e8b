/* SPDX-License-Identifier: Apache-2.0 */
/* The wall clock of a program that this is preloaded into, off by $CLOCK_OFF seconds; what measures
   time that passes stays right. A time namespace leaves the wall clock alone, and libfaketime does
   not get along with AddressSanitizer. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long long offset(void)
{
    const char *text = getenv("CLOCK_OFF");
    return text == NULL ? 0 : strtoll(text, NULL, 10);
}

int clock_gettime(clockid_t clock, struct timespec *ts)
{
    int failed = (int)syscall(SYS_clock_gettime, clock, ts);
    if (failed == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        ts->tv_sec += offset();
    return failed;
}

time_t time(time_t *ret_time)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    if (ret_time != NULL)
        *ret_time = ts.tv_sec;
    return ts.tv_sec;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    struct timespec ts;
    (void)zone;
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    *tv = (struct timeval){ ts.tv_sec, ts.tv_nsec / 1000 };
    return 0;
}
