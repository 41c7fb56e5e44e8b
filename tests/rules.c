/* SPDX-License-Identifier: Apache-2.0 */
/* The planner's rules less one, WITHOUT: a program linked with this table must fail its tests, or
   the rule is not needed. The program that is shipped has no such switch. */
#include "plan/plan.h"

const bool order_rule_active[ORDER_RULE_COUNT] = {
    [ORDER_TRUST_FIRST] = ORDER_TRUST_FIRST != WITHOUT,
    [ORDER_PRIMARY_LAST] = ORDER_PRIMARY_LAST != WITHOUT,
    [ORDER_MAX_UNAVAILABLE] = ORDER_MAX_UNAVAILABLE != WITHOUT,
    [ORDER_ONE_REFERENCE] = ORDER_ONE_REFERENCE != WITHOUT,
    [ORDER_DISTRUST_LAST] = ORDER_DISTRUST_LAST != WITHOUT,
    [ORDER_HOLD] = ORDER_HOLD != WITHOUT,
    [ORDER_PIN_FIRST] = ORDER_PIN_FIRST != WITHOUT,
    [ORDER_FORGET_LAST] = ORDER_FORGET_LAST != WITHOUT,
    [ORDER_PINNED_KEY] = ORDER_PINNED_KEY != WITHOUT,
    [ORDER_SHARED_STORE] = ORDER_SHARED_STORE != WITHOUT,
    [ORDER_ONE_ANCHOR] = ORDER_ONE_ANCHOR != WITHOUT,
};
