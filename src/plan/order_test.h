/* SPDX-License-Identifier: Apache-2.0 */
/* order_test.h - a goal for tests of plans, and a plan in a form that can be compared. */
#ifndef PLAN_ORDER_TEST_H
#define PLAN_ORDER_TEST_H

#include "plan/state.h"

#include "tests/test.h"
#include "tests/world.h"

static inline struct plan_goal goal_of(const struct world *world, uint32_t issuer)
{
    (void)world;
    return (struct plan_goal){ .cluster = S("test"),
                               .now = PKI_NOW,
                               .renew_before = 30 * PKI_DAY,
                               .lifetime = 90 * PKI_DAY,
                               .issuer = issuer,
                               .anchor = issuer,
                               .max_unavailable = 1 };
}

/* "wave: kind node/service:store; …" for comparing a whole plan. */
static inline str outline(struct arena *arena, const struct plan *plan)
{
    struct buf out = { 0 };
    buf_add(arena, &out, S(""));
    for (size_t i = 0; i < plan->waves.count; i++) {
        const struct wave *wave = &plan->waves.items[i];
        for (size_t j = 0; j < wave->steps.count; j++) {
            const struct step *step = &plan->steps.items[wave->steps.items[j]];
            buf_printf(arena, &out, "%s%s %.*s/%.*s", j == 0 ? "" : ", ",
                       step_kind_name(step->kind), STR_ARG(step->node),
                       STR_ARG(step->store.len > 0 ? step->store : step->service));
        }
        buf_add(arena, &out, S("\n"));
    }
    return buf_str(&out);
}

static inline size_t count_kind(const struct plan *plan, enum step_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->steps.count; i++)
        count += plan->steps.items[i].kind == kind;
    return count;
}

#endif
