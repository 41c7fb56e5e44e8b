/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/plan.h"

/* In a file of its own so that a test program can link another table. */
const bool order_rule_active[ORDER_RULE_COUNT] = {
    [ORDER_TRUST_FIRST] = true,   [ORDER_PRIMARY_LAST] = true,  [ORDER_MAX_UNAVAILABLE] = true,
    [ORDER_ONE_REFERENCE] = true, [ORDER_DISTRUST_LAST] = true, [ORDER_HOLD] = true,
    [ORDER_PIN_FIRST] = true,     [ORDER_FORGET_LAST] = true,   [ORDER_PINNED_KEY] = true,
    [ORDER_SHARED_STORE] = true,  [ORDER_ONE_ANCHOR] = true,
};
