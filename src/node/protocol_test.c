/* SPDX-License-Identifier: Apache-2.0 */
#include "node/protocol.h"

#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TEST(a_line_that_is_no_request_is_an_error_that_says_why)
{
    // clang-format off
    static const struct { const char *line; int id; const char *says; } cases[] = {
        { "",                                   0, "no JSON" },
        { "{",                                  0, "no JSON" },
        { "{\"id\":1,\"op\":\"hel",             0, "no JSON" },
        { "[]",                                 0, "not a JSON object" },
        { "{\"id\":1,\"id\":2,\"op\":\"x\"}",   0, "no JSON" },
        { "{\"op\":\"hello\"}",                 0, "\"id\"" },
        { "{\"id\":-1,\"op\":\"hello\"}",       0, "\"id\"" },
        { "{\"id\":\"1\",\"op\":\"hello\"}",    0, "\"id\"" },
        { "{\"id\":3}",                         3, "\"op\" is missing" },
        { "{\"id\":3,\"op\":7}",                3, "\"op\" must be a text" },
        { "{\"id\":1,\"op\":\"x\"} x",          0, "no JSON" },
        { "{\"id\":1,\"op\":\"\xff\"}",         0, "no JSON" },
    };
    // clang-format on
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(err) struct err err = { 0 };
        AUTO(request) struct request request = { 0 };
        check(!request_parse(str_c(cases[i].line), &request, &err));
        check_int(request.id, cases[i].id);
        check_int(err.kind, ERR_FORMAT);
        if (strstr(err.msg, cases[i].says) == NULL)
            fail_msg("case %zu: %s", i, err.msg);
    }
}

TEST(brackets_count_as_depth_only_outside_of_texts)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct buf deep = { 0 };
    for (int i = 0; i < PROTOCOL_DEPTH_MAX + 1; i++)
        buf_add(&arena, &deep, S("["));
    str line =
        str_printf(&arena, "{\"id\":1,\"op\":\"x\",\"a\":\"\\\"%.*s\"}", STR_ARG(buf_str(&deep)));
    AUTO(request) struct request request = { 0 };
    check_ok(request_parse(line, &request, &err), &err);
    AUTO(request) struct request second = { 0 };
    line = str_printf(&arena, "{\"id\":1,\"op\":\"x\",\"a\":%.*s", STR_ARG(buf_str(&deep)));
    check(!request_parse(line, &second, &err));
    assert_string_equal(err.msg, "nested deeper than 32");
}

TEST(bytes_survive_the_way_through_base64)
{
    const str cases[] = { S(""), S("a"), S("ab"), S("abc"), S("\0\xff\n") };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(arena) struct arena arena = { 0 };
        AUTO(err) struct err err = { 0 };
        char *text = NULL;
        size_t len = 0;
        FILE *out = open_memstream(&text, &len);
        struct emit emit = { .out = out, .one_line = true };
        emit_object(&emit, NULL);
        emit_bytes(&emit, "b", cases[i]);
        emit_object_end(&emit);
        fclose(out);
        AUTO(json) json_t *object = NULL;
        check_ok(protocol_parse((str){ text, len }, &object, &err), &err);
        str back;
        check_ok(need_bytes(&arena, object, "b", &back, &err), &err);
        check_str(back, cases[i]);
        free(text);
    }
}

TEST(bytes_have_one_spelling_in_base64)
{
    static const char *const cases[] = { "YQ",       "YQ=",      "YQ==\\n\\n\\n\\n",
                                         "    YQ==", "YQ==YQ==", "YQ-=",
                                         "====",     "Y===",     "YW=j",
                                         "YWJ-" };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(arena) struct arena arena = { 0 };
        AUTO(err) struct err err = { 0 };
        AUTO(json) json_t *object = NULL;
        str bytes, line = str_printf(&arena, "{\"b\":\"%s\"}", cases[i]);
        check_ok(protocol_parse(line, &object, &err), &err);
        check_err(need_bytes(&arena, object, "b", &bytes, &err), &err, "\"b\" is not base64");
    }
}

TEST(an_error_comes_out_of_an_answer_as_it_went_in)
{
    AUTO(err) struct err err = { 0 };
    AUTO(err) struct err back = { 0 };
    (void)err_set(&err, ERR_CONFLICT, "held by \"x\"");
    (void)err_next(&err, "reseal apply --take-over x");
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    answer_error(out, 9, &err);
    fclose(out);
    AUTO(json) json_t *answer = NULL;
    check_ok(protocol_parse((str){ text, len }, &answer, &back), &back);
    check(!answer_check(answer, &back));
    check_int(back.kind, ERR_CONFLICT);
    assert_string_equal(back.msg, err.msg);
    assert_string_equal(back.next, err.next);
    free(text);
}

TEST(lines_are_split_wherever_the_reads_fall)
{
    AUTO(arena) struct arena arena = { 0 };
    int pipes[2];
    check_int(pipe(pipes), 0);
    struct line_reader reader = { .fd = pipes[0], .arena = &arena };
    str line;
    check_int(line_next(&reader, &line), LINE_NEEDS_MORE);
    check_int(write(pipes[1], "one\ntw", 6), 6);
    check_int(line_fill(&reader), LINE_NEEDS_MORE);
    check_int(line_next(&reader, &line), LINE_READY);
    check_str(line, S("one"));
    check_int(line_next(&reader, &line), LINE_NEEDS_MORE);
    check_int(write(pipes[1], "o\n\n", 3), 3);
    close(pipes[1]);
    check_int(line_fill(&reader), LINE_NEEDS_MORE);
    check_int(line_next(&reader, &line), LINE_READY);
    check_str(line, S("two"));
    check_int(line_next(&reader, &line), LINE_READY);
    check_str(line, S(""));
    check_int(line_fill(&reader), LINE_END);
    close(pipes[0]);
}
