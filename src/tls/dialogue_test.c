/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/dialogue.h"

#include "tests/test.h"

TEST(every_protocol_that_is_listed_is_found_and_can_confirm)
{
    size_t count = 0;
    for (const char *const *name = probe_protocols(); *name != NULL; name++, count++) {
        const struct dialogue_row *row = dialogue_find(str_c(*name));
        check(row != NULL && row->confirm != NULL);
        check((row->prelude == NULL) ==
              (str_eq(str_c(*name), S("tls")) || str_eq(str_c(*name), S("https"))));
    }
    check_int(count, 9);
    check(dialogue_find(S("smt")) == NULL && dialogue_find(S("")) == NULL);
}
