/* SPDX-License-Identifier: Apache-2.0 */
#include "node/protocol.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

void request_clear(struct request *request)
{
    json_decref(request->body);
    request->body = NULL;
}

/* Brackets outside of texts: jansson's own ceiling is far above what emit can write. */
static bool too_deep(str line)
{
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < line.len; i++) {
        char c = line.ptr[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '{' || c == '['))
            depth++;
        else if (!quoted && (c == '}' || c == ']'))
            depth--;
        if (depth >= PROTOCOL_DEPTH_MAX)
            return true;
    }
    return false;
}

bool protocol_parse(str line, json_t **ret_object, struct err *err)
{
    *ret_object = NULL;
    if (line.len > PROTOCOL_LINE_MAX)
        return err_set(err, ERR_FORMAT, "a line is longer than %d bytes", PROTOCOL_LINE_MAX);
    if (too_deep(line))
        return err_set(err, ERR_FORMAT, "nested deeper than %d", PROTOCOL_DEPTH_MAX);
    json_error_t error;
    AUTO(json) json_t *value = json_loadb(line.ptr, line.len, JSON_REJECT_DUPLICATES, &error);
    if (value == NULL)
        return err_set(err, ERR_FORMAT, "no JSON at byte %d: %s", error.position, error.text);
    if (!json_is_object(value))
        return err_set(err, ERR_FORMAT, "not a JSON object");
    *ret_object = TAKE(value);
    return true;
}

bool request_parse(str line, struct request *ret_request, struct err *err)
{
    *ret_request = (struct request){ 0 };
    AUTO(json) json_t *body = NULL;
    if (!protocol_parse(line, &body, err))
        return false;
    json_t *id = json_object_get(body, "id");
    if (!json_is_integer(id) || json_integer_value(id) < 1)
        return err_set(err, ERR_FORMAT, "\"id\" must be a positive whole number");
    ret_request->id = json_integer_value(id);
    if (!need_text(body, "op", &ret_request->op, err))
        return false;
    ret_request->body = TAKE(body);
    return true;
}

bool take_text(const json_t *object, const char *name, str *ret_text, struct err *err)
{
    const json_t *value = json_object_get(object, name);
    *ret_text = S("");
    if (value == NULL || json_is_null(value))
        return true;
    if (!json_is_string(value))
        return err_set(err, ERR_FORMAT, "\"%s\" must be a text", name);
    *ret_text = (str){ json_string_value(value), json_string_length(value) };
    return true;
}

bool need_text(const json_t *object, const char *name, str *ret_text, struct err *err)
{
    if (!take_text(object, name, ret_text, err))
        return false;
    return ret_text->len > 0 || err_set(err, ERR_FORMAT, "\"%s\" is missing", name);
}

bool take_int(const json_t *object, const char *name, int64_t otherwise, int64_t *ret_number,
              struct err *err)
{
    const json_t *value = json_object_get(object, name);
    *ret_number = otherwise;
    if (value == NULL || json_is_null(value))
        return true;
    if (!json_is_integer(value))
        return err_set(err, ERR_FORMAT, "\"%s\" must be a whole number", name);
    *ret_number = json_integer_value(value);
    return true;
}

bool take_texts(struct arena *arena, const json_t *object, const char *name, str_list *ret_texts,
                struct err *err)
{
    const json_t *array = json_object_get(object, name);
    *ret_texts = (str_list){ 0 };
    if (array == NULL || json_is_null(array))
        return true;
    if (!json_is_array(array))
        return err_set(err, ERR_FORMAT, "\"%s\" must be a list of texts", name);
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *item = json_array_get(array, i);
        if (!json_is_string(item))
            return err_set(err, ERR_FORMAT, "\"%s\" must be a list of texts", name);
        list_push(arena, ret_texts) = (str){ json_string_value(item), json_string_length(item) };
    }
    return true;
}

bool need_texts(struct arena *arena, const json_t *object, const char *name, str_list *ret_texts,
                struct err *err)
{
    if (!take_texts(arena, object, name, ret_texts, err))
        return false;
    return ret_texts->count > 0 || err_set(err, ERR_FORMAT, "\"%s\" is missing", name);
}

/* EVP_DecodeBlock() alone would skip blanks at the ends, and take padding for bytes elsewhere. */
static bool is_base64(str text)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (text.len % 4 != 0)
        return false;
    for (int i = 0; i < 2 && str_ends(text, S("=")); i++)
        text.len--;
    for (size_t i = 0; i < text.len; i++)
        if (memchr(alphabet, text.ptr[i], sizeof(alphabet) - 1) == NULL)
            return false;
    return true;
}

bool need_bytes(struct arena *arena, const json_t *object, const char *name, str *ret_bytes,
                struct err *err)
{
    str text;
    *ret_bytes = S("");
    if (!json_is_string(json_object_get(object, name)))
        return err_set(err, ERR_FORMAT, "\"%s\" is missing", name);
    if (!take_text(object, name, &text, err) || text.len == 0)
        return err->kind == ERR_NONE;
    if (!is_base64(text) || text.len > PROTOCOL_LINE_MAX)
        return err_set(err, ERR_FORMAT, "\"%s\" is not base64", name);
    unsigned char *bytes = arena_alloc(arena, text.len / 4 * 3 + 1, 1);
    int len = EVP_DecodeBlock(bytes, (const unsigned char *)text.ptr, (int)text.len);
    if (len < 0)
        return err_set(err, ERR_FORMAT, "\"%s\" is not base64", name);
    /* EVP_DecodeBlock() counts the padding as bytes. */
    size_t padding = text.ptr[text.len - 1] != '=' ? 0 : text.ptr[text.len - 2] != '=' ? 1 : 2;
    *ret_bytes = (str){ (const char *)bytes, (size_t)len - padding };
    return true;
}

static str base64(struct arena *arena, str bytes)
{
    unsigned char *text = arena_alloc(arena, bytes.len / 3 * 4 + 5, 1);
    int len = EVP_EncodeBlock(text, (const unsigned char *)bytes.ptr, (int)bytes.len);
    return (str){ (const char *)text, (size_t)len };
}

void emit_bytes(struct emit *emit, const char *name, str bytes)
{
    AUTO(arena) struct arena arena = { 0 };
    emit_str(emit, name, base64(&arena, bytes));
}

json_t *json_bytes(str bytes)
{
    AUTO(arena) struct arena arena = { 0 };
    str text = base64(&arena, bytes);
    return json_stringn(text.ptr, text.len);
}

void answer_error(FILE *out, int64_t id, const struct err *err)
{
    struct emit emit = { .out = out, .one_line = true };
    emit_object(&emit, NULL);
    emit_int(&emit, "id", id);
    emit_bool(&emit, "ok", false);
    emit_object(&emit, "error");
    emit_text(&emit, "kind", err_kind_name(err->kind));
    emit_text(&emit, "text", err->msg);
    emit_text(&emit, "where", err->where);
    emit_text(&emit, "next", err->next);
    emit_object_end(&emit);
    emit_object_end(&emit);
    emit_end(&emit);
}

bool answer_check(const json_t *answer, struct err *err)
{
    const json_t *ok = json_object_get(answer, "ok");
    if (json_is_true(ok))
        return true;
    const json_t *error = json_object_get(answer, "error");
    const char *kind_name = json_string_value(json_object_get(error, "kind"));
    const char *text = json_string_value(json_object_get(error, "text"));
    const char *where = json_string_value(json_object_get(error, "where"));
    const char *next = json_string_value(json_object_get(error, "next"));
    enum err_kind kind;
    if (!json_is_false(ok) || kind_name == NULL || text == NULL ||
        !err_kind_parse(kind_name, &kind) || kind == ERR_NONE)
        return err_set(err, ERR_FORMAT, "the node's answer is not in its protocol");
    (void)err_set(err, kind, "%s", text);
    if (where != NULL)
        (void)err_where(err, "%s", where);
    if (next != NULL)
        (void)err_next(err, "%s", next);
    return false;
}

enum line_state line_next(struct line_reader *reader, str *ret_line)
{
    struct buf *pending = &reader->pending;
    size_t left = pending->bytes.count - reader->taken;
    if (left == 0)
        return LINE_NEEDS_MORE;
    const char *start = pending->bytes.items + reader->taken;
    const char *end = memchr(start, '\n', left);
    if (end == NULL)
        return left > PROTOCOL_LINE_MAX ? LINE_TOO_LONG : LINE_NEEDS_MORE;
    *ret_line = (str){ start, (size_t)(end - start) };
    reader->taken += ret_line->len + 1;
    return LINE_READY;
}

enum line_state line_fill(struct line_reader *reader)
{
    struct buf *pending = &reader->pending;
    if (reader->taken > 0) {
        size_t left = pending->bytes.count - reader->taken;
        memmove(pending->bytes.items, pending->bytes.items + reader->taken, left);
        pending->bytes.count = left;
        reader->taken = 0;
    }
    if (pending->bytes.count > PROTOCOL_LINE_MAX)
        return LINE_TOO_LONG;
    char block[16 * 1024];
    ssize_t got = read(reader->fd, block, sizeof(block));
    if (got < 0)
        return errno == EINTR || errno == EAGAIN ? LINE_NEEDS_MORE : LINE_END;
    if (got == 0)
        return LINE_END;
    buf_add(reader->arena, pending, (str){ block, (size_t)got });
    return LINE_NEEDS_MORE;
}
