/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/stack.h"

static const struct stack stacks[] = {
#define ROW(id, built_on, completes_, by_issuer_, version_, what_) \
    [STACK_##id] = { .name = #id,                                  \
                     .library = LIBRARY_##built_on,                \
                     .base = STACK_##built_on,                     \
                     .completes = completes_,                      \
                     .by_issuer = by_issuer_,                      \
                     .version = version_,                          \
                     .what = what_ },
    STACKS(ROW)
#undef ROW
};

const struct stack *stack_row(enum stack_id id)
{
    return &stacks[id];
}

enum stack_id stack_named(str name)
{
    for (size_t i = 0; i < COUNT(stacks); i++)
        if (str_eq(name, str_c(stacks[i].name)))
            return (enum stack_id)i;
    return STACK_openssl;
}
