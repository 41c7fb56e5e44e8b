/* SPDX-License-Identifier: Apache-2.0 */
#include "cause/catalogue.h"

#include "tests/test.h"

#include <stdlib.h>

TEST(every_cause_says_what_it_means_how_to_confirm_it_and_what_to_do)
{
    check(cause_row(CAUSE_none) == NULL && cause_code(CAUSE_none) == NULL);
    for (int cause = CAUSE_none + 1; cause < CAUSE_COUNT; cause++) {
        const struct cause_row *row = cause_row((enum cause)cause);
        enum cause parsed = CAUSE_none;
        check(row->title[0] && row->meaning[0] && row->confirm[0] && row->remedy[0]);
        check(cause_parse(str_c(row->code), &parsed));
        check_int(parsed, cause);
    }
}

TEST(every_finding_is_found_by_its_code_and_an_unknown_code_is_not)
{
    enum finding_code code;
    for (int row = 0; row < FINDING_COUNT; row++) {
        check(finding_parse(str_c(finding_row((enum finding_code)row)->code), &code));
        check_int(code, row);
    }
    check(!finding_parse(S("expire"), &code));
}

TEST(a_finding_keeps_its_own_copy_of_its_texts_and_is_written_with_its_cause)
{
    AUTO(arena) struct arena arena = { 0 };
    finding_list list = { 0 };
    char where[] = "db1/server";
    finding_add(&arena, &list, FINDING_expired, str_c(where), S("over"))->next = S("reseal renew");
    where[0] = '?';

    char *text = NULL;
    size_t len = 0;
    AUTO(file) FILE *out = open_memstream(&text, &len);
    struct emit emit = { .out = out, .one_line = true };
    finding_emit(&emit, &list.items[0]);
    fflush(out);
    check_str(str_copy(&arena, (str){ text, len }),
              S("{\"code\":\"expired\",\"cause\":\"leaf_expired\",\"severity\":\"critical\","
                "\"where\":\"db1/server\",\"text\":\"over\",\"next\":\"reseal renew\"}"));
    fclose(TAKE(out));
    free(text);
}
