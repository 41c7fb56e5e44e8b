/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/postgresql/config.h"

#include "tests/test.h"

TEST(a_setting_doubles_its_quotes_and_a_connection_string_escapes_them)
{
    AUTO(arena) struct arena arena = { 0 };
    check_str(lab_quote_setting(&arena, S("/a b/it's\\")), S("'/a b/it''s\\\\'"));
    check_str(lab_quote_conninfo(&arena, S("/a b/it's\\")), S("'/a b/it\\'s\\\\'"));
}
