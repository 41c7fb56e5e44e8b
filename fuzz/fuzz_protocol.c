/* SPDX-License-Identifier: Apache-2.0 */
/* Covers src/node/protocol.c */
/*
 * Hostile bytes as what comes through a worker's pipe: cut into lines, each read as a request and
 * as an answer. What was read is written as the protocol writes it, and must come back the same.
 */
#include "base/sink.h"
#include "node/protocol.h"

#include <assert.h>
#include <string.h>

#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same_text(const char *a, const char *b)
{
    return str_eq(str_c(a), str_c(b)) && (a == NULL) == (b == NULL);
}

static void write_error(const struct err *err)
{
    AUTO(err) struct err bad = { 0 }, back = { 0 };
    AUTO(json) json_t *object = NULL;
    AUTO(sink) struct sink sink = { 0 };
    assert(sink_open(&sink, &bad));
    answer_error(sink.file, 1, err);
    str line = sink_text(&sink);
    assert(str_ends(line, S("\n")));
    assert(protocol_parse((str){ line.ptr, line.len - 1 }, &object, &bad));
    assert(!answer_check(object, &back));
    assert(back.kind == err->kind && same_text(back.msg, err->msg));
    assert(same_text(back.where, err->where) && same_text(back.next, err->next));
}

/* Two ways to write a base64 text are one too many: what is read is what would be written. */
static void write_bytes(struct arena *arena, str text, str bytes)
{
    AUTO(err) struct err bad = { 0 };
    AUTO(sink) struct sink sink = { 0 };
    assert(sink_open(&sink, &bad));
    struct emit emit = { .out = sink.file, .one_line = true };
    emit_object(&emit, NULL);
    emit_bytes(&emit, "bytes", bytes);
    emit_object_end(&emit);
    AUTO(json) json_t *object = NULL;
    str back, again;
    assert(protocol_parse(sink_text(&sink), &object, &bad));
    assert(need_bytes(arena, object, "bytes", &back, &bad) && str_eq(back, bytes));
    assert(take_text(object, "bytes", &again, &bad) && again.len == text.len);
    /* The last four may hold bits that no byte has. */
    assert(text.len < 4 || memcmp(again.ptr, text.ptr, text.len - 4) == 0);
}

static void read_line(struct arena *arena, str line)
{
    AUTO(err) struct err err = { 0 }, bad = { 0 };
    AUTO(request) struct request request = { 0 };
    AUTO(json) json_t *answer = NULL;
    str bytes, text;
    str_list texts;
    int64_t number;
    if (protocol_parse(line, &answer, &err) && !answer_check(answer, &err))
        write_error(&err);
    if (!request_parse(line, &request, &bad))
        return;
    assert(request.id > 0 && request.op.len > 0);
    if (need_bytes(arena, request.body, "bytes", &bytes, &bad) &&
        take_text(request.body, "bytes", &text, &bad))
        write_bytes(arena, text, bytes);
    (void)!take_text(request.body, "bytes", &text, &bad);
    (void)!need_texts(arena, request.body, "paths", &texts, &bad);
    (void)!take_int(request.body, "token", 0, &number, &bad);
}

/* The lines of `rest` that the reader has whole are its next ones, byte for byte. */
static void take_lines(struct arena *arena, struct line_reader *reader, str *rest)
{
    for (str line; line_next(reader, &line) == LINE_READY;) {
        assert(memchr(rest->ptr, '\n', rest->len) != NULL);
        assert(str_eq(line, str_cut(rest, '\n')));
        read_line(arena, line);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena) struct arena arena = { 0 };
    str rest = { (const char *)data, size };
    int pipes[2];
    if (size == 0 || pipe(pipes) < 0)
        return 0;
    struct line_reader reader = { .fd = pipes[0], .arena = &arena };
    size_t step = 1 + size / 5; /* so that reads end in the middle of lines; a pipe has room */
    step = step < 4096 ? step : 4096;
    for (size_t at = 0; at < size; at += step) {
        size_t len = size - at < step ? size - at : step;
        assert(write(pipes[1], data + at, len) == (ssize_t)len);
        assert(line_fill(&reader) == LINE_NEEDS_MORE);
        take_lines(&arena, &reader, &rest);
    }
    close(pipes[1]);
    assert(line_fill(&reader) == LINE_END);
    close(pipes[0]);
    assert(rest.len == 0 || memchr(rest.ptr, '\n', rest.len) == NULL);
    read_line(&arena, rest);
    return 0;
}
