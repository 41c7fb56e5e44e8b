/* SPDX-License-Identifier: Apache-2.0 */
/* Covers cells.c and search.c. */
#include "trust/rules.h"

#include "tests/test.h"
#include "trust/situations_test.h"

TEST(every_stack_answers_as_the_real_one_did_when_it_was_asked)
{
    int wrong = 0;
    for (size_t i = 0; i < COUNT(situations); i++)
        for (size_t k = 0; k < COUNT(measured); k++) {
            AUTO(arena) struct arena arena = { 0 };
            struct scene scene;
            scene_make(&scene, &arena, &situations[i]);
            struct verdict verdict = scene_judge(&scene, &situations[i], measured[k]);
            if (verdict.ok == (situations[i].answers[k] == 'y'))
                continue;
            wrong++;
            print_message("%s: %s %s\n", situations[i].name, stack_row(measured[k])->name,
                          verdict.ok ? "accepted it" : rules[verdict.rule].id);
        }
    check_int(wrong, 0);
}

TEST(a_cell_says_what_holds_and_where_that_is_written)
{
    size_t cells = 0;
    for (enum stack_id stack = 0; stack < STACK_COUNT; stack++)
        for (enum rule_id rule = 0; rule < RULE_COUNT; rule++) {
            const struct cell *cell = rules_cell(stack, rule);
            cells += cell != NULL;
            check(cell == NULL || (cell->text != NULL && cell->source != NULL));
        }
    check(cells > 20);
}
