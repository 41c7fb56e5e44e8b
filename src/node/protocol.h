/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protocol.h - what coordinator and node say to each other: JSON lines, version 1.
 *
 *     {"id":7,"op":"hello"}
 *     {"id":7,"ok":true,"version":1,…}
 *     {"id":7,"ok":false,"error":{"kind":"ERR_CONFLICT","text":"…","where":null,"next":null}}
 *
 * One request is answered by one line, in order. A line that is no request is answered with
 * `"id":0`; bytes travel in base64. A private key or a password never does.
 */
#ifndef NODE_PROTOCOL_H
#define NODE_PROTOCOL_H

#include "base/emit.h"
#include "base/err.h"
#include "base/str.h"

#include <jansson.h>

enum {
    PROTOCOL_VERSION = 1,
    PROTOCOL_LINE_MAX = 16 * 1024 * 1024,
    PROTOCOL_DEPTH_MAX = 32 /* of nested objects and arrays */
};

DEFINE_AUTO(json, json_t *, json_decref(*handle))

struct request {
    int64_t id; /* 0 when the line has none */
    str op;     /* borrowed from `body` */
    json_t *body;
};
void request_clear(struct request *request);
DEFINE_AUTO(request, struct request, request_clear(handle))

/* One line, without its line feed, as an object; duplicate names, unpaired surrogates and what
   is behind the object are errors. The caller owns *ret_object. */
MUST_CHECK bool protocol_parse(str line, json_t **ret_object, struct err *err);

/* The same as a request. On failure request->id is still the one that could be read. */
MUST_CHECK bool request_parse(str line, struct request *ret_request, struct err *err);

/* Members of an object. The `need` forms are errors where the member is missing or of another
   type, the others only where it is of another type; a missing text is empty, a missing number
   is `otherwise`. Texts are borrowed from the object and followed by a NUL. */
MUST_CHECK bool need_text(const json_t *object, const char *name, str *ret_text, struct err *err);
MUST_CHECK bool take_text(const json_t *object, const char *name, str *ret_text, struct err *err);
MUST_CHECK bool take_int(const json_t *object, const char *name, int64_t otherwise,
                         int64_t *ret_number, struct err *err);
MUST_CHECK bool need_texts(struct arena *arena, const json_t *object, const char *name,
                           str_list *ret_texts, struct err *err);
MUST_CHECK bool take_texts(struct arena *arena, const json_t *object, const char *name,
                           str_list *ret_texts, struct err *err);
MUST_CHECK bool need_bytes(struct arena *arena, const json_t *object, const char *name,
                           str *ret_bytes, struct err *err); /* base64 */

void emit_bytes(struct emit *emit, const char *name, str bytes); /* base64 */
json_t *json_bytes(str bytes);                                   /* the same; the caller owns it */

/* The whole answer to a request that failed, line feed included. */
void answer_error(FILE *out, int64_t id, const struct err *err);

/* An answer's object: true when it says ok, else `err` as the node had set it. */
MUST_CHECK bool answer_check(const json_t *answer, struct err *err);

/* Lines from a descriptor. */
struct line_reader {
    int fd;
    struct arena *arena; /* borrowed; owns what was read */
    struct buf pending;
    size_t taken; /* of pending, by lines already returned */
};

enum line_state { LINE_READY, LINE_NEEDS_MORE, LINE_END, LINE_TOO_LONG };

/* The next line that is wholly here, without its line feed. It is good until line_fill(). */
enum line_state line_next(struct line_reader *reader, str *ret_line);

/* One read(). LINE_NEEDS_MORE: go on; LINE_END: no more will come; LINE_TOO_LONG: give up. */
enum line_state line_fill(struct line_reader *reader);

#endif
