/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include "tests/test.h"

#include <errno.h>
#include <string.h>

TEST(an_error_keeps_its_innermost_reason_behind_every_context)
{
    AUTO(err) struct err err = { 0 };
    check(!err_set(&err, ERR_FORMAT, "line %d: bad digest", 3));
    check(!err_wrap(&err, "pin store %s", "pins"));
    for (int i = 0; i < 40; i++)
        check(!err_wrap(&err, "a layer with much to say about what it did"));
    check_int(err.kind, ERR_FORMAT);
    check(strstr(err.msg, ": pin store pins: line 3: bad digest") != NULL);
}

TEST(the_innermost_place_and_next_command_win)
{
    AUTO(err) struct err err = { 0 };
    check(!err_set(&err, ERR_USAGE, "no"));
    check(!err_where(&err, "a.yaml:%d", 3));
    check(!err_where(&err, "b.yaml:9"));
    check(!err_next(&err, "reseal check"));
    check(!err_next(&err, "reseal plan"));
    assert_string_equal(err.where, "a.yaml:3");
    assert_string_equal(err.next, "reseal check");
}

TEST(a_system_error_says_what_the_system_said)
{
    AUTO(err) struct err err = { 0 };
    errno = ENOENT;
    check(!err_errno(&err, "open %s", "x"));
    assert_string_equal(err.msg, "open x: No such file or directory");
}

TEST(every_kind_is_found_again_by_its_name)
{
    for (int kind = 0; kind < ERR_KIND_COUNT; kind++) {
        enum err_kind parsed = ERR_NONE;
        check(err_kind_text((enum err_kind)kind)[0] != '\0');
        check(err_kind_parse(err_kind_name((enum err_kind)kind), &parsed));
        check_int(parsed, kind);
    }
    enum err_kind ignored;
    check(!err_kind_parse("ERR_", &ignored));
}
