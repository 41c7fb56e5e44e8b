/* SPDX-License-Identifier: Apache-2.0 */
#include "base/emit.h"

#include "tests/test.h"

#include <stdlib.h>

static void write_all(struct emit *emit)
{
    emit_object(emit, NULL);
    emit_str(emit, "a", S("x\"\\\n\x01\xff\xc3\xa9"));
    emit_array(emit, "b");
    emit_int(emit, NULL, -1);
    emit_bool(emit, NULL, true);
    emit_text(emit, NULL, NULL);
    emit_array_end(emit);
    emit_object(emit, "c");
    emit_object_end(emit);
    emit_moment(emit, "d", 0);
    emit_object_end(emit);
    emit_end(emit);
}

static str written(struct arena *arena, bool one_line)
{
    char *text = NULL;
    size_t len = 0;
    AUTO(file) FILE *out = open_memstream(&text, &len);
    write_all(&(struct emit){ .out = out, .one_line = one_line });
    fflush(out);
    str copy = str_copy(arena, (str){ text, len });
    fclose(TAKE(out));
    free(text);
    return copy;
}

TEST(a_document_is_written_on_one_line_or_indented_and_bad_utf8_is_replaced)
{
    AUTO(arena) struct arena arena = { 0 };
    check_str(written(&arena, true),
              S("{\"a\":\"x\\\"\\\\\\n\\u0001\xef\xbf\xbd\xc3\xa9\",\"b\":[-1,true,null],\"c\":{},"
                "\"d\":\"1970-01-01T00:00:00Z\"}\n"));
    check_str(written(&arena, false),
              S("{\n  \"a\": \"x\\\"\\\\\\n\\u0001\xef\xbf\xbd\xc3\xa9\",\n  \"b\": [\n    -1,\n"
                "    true,\n    null\n  ],\n  \"c\": {},\n  \"d\": \"1970-01-01T00:00:00Z\"\n}\n"));
}

TEST(overlong_surrogate_and_cut_utf8_is_replaced_byte_by_byte)
{
    static const char *const cases[] = { "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80",
                                         "\xe2\x82" };
    static const size_t bad[] = { 2, 3, 4, 2 };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *text = NULL;
        size_t len = 0;
        FILE *out = open_memstream(&text, &len);
        emit_text(&(struct emit){ .out = out }, NULL, cases[i]);
        fclose(out);
        check_int(len, 2 + 3 * bad[i]);
        free(text);
    }
}
