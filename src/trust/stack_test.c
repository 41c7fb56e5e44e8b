/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/stack.h"

#include "cluster/schema.h"
#include "tests/test.h"

#include <string.h>

static const char *choices_of(const struct section *section, const char *key)
{
    for (size_t i = 0; i < section->count; i++)
        if (strcmp(section->fields[i].key, key) == 0)
            return section->fields[i].choices;
    return "";
}

TEST(a_cluster_file_can_name_every_stack_that_the_judge_knows_and_no_other)
{
    AUTO(arena) struct arena arena = { 0 };
    section_list sections = { 0 };
    schema_sections(&arena, &cluster_section, &sections);
    size_t seen = 0;
    for (size_t i = 0; i < sections.count; i++) {
        str rest = str_c(choices_of(sections.items[i], "stack"));
        while (rest.len > 0) {
            str name = str_cut(&rest, '|');
            check_str(name, str_c(stack_row(stack_named(name))->name));
            seen++;
        }
    }
    check_int(seen, STACK_COUNT);
}

TEST(a_service_that_names_no_stack_is_taken_for_one_of_openssl)
{
    check_int(stack_named(S("")), STACK_openssl);
    check_int(stack_named(S("jsse")), STACK_jsse);
}

TEST(a_program_has_the_library_that_it_is_built_on)
{
    for (enum stack_id stack = 0; stack < STACK_COUNT; stack++) {
        const struct stack *row = stack_row(stack), *base = stack_row(row->base);
        check(row->library == base->library && base->base == row->base);
    }
}
