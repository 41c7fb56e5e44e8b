/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/judge.h"

static bool same(struct verdict a, struct verdict b)
{
    return a.ok == b.ok && a.cause == b.cause && a.certificate == b.certificate &&
           a.client_side == b.client_side;
}

/* Each verdict names the next boundary that can change it, so nothing in between is judged. */
moment forecast_link(struct judge *judge, const struct link *link, struct ends ends, moment at)
{
    struct verdict now = judge_link(judge, link, ends, at);
    struct verdict then = now;
    moment when = at;
    while (same(now, then) && then.until != INT64_MAX) {
        when = then.until;
        then = judge_link(judge, link, ends, when);
    }
    return same(now, then) ? INT64_MAX : when;
}
