/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

void err_clear(struct err *err)
{
    arena_free(&err->arena);
    *err = (struct err){ 0 };
}

bool err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    err->msg = str_vprintf(&err->arena, fmt, ap).ptr;
    va_end(ap);
    err->kind = kind;
    err->where = err->next = NULL;
    return false;
}

bool err_errno(struct err *err, const char *fmt, ...)
{
    int saved = errno;
    va_list ap;
    va_start(ap, fmt);
    str what = str_vprintf(&err->arena, fmt, ap);
    va_end(ap);
    return err_set(err, ERR_SYSTEM, "%s: %s", what.ptr, strerror(saved));
}

bool err_wrap(struct err *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    str outer = str_vprintf(&err->arena, fmt, ap);
    va_end(ap);
    err->msg = str_printf(&err->arena, "%s: %s", outer.ptr, err->msg == NULL ? "" : err->msg).ptr;
    return false;
}

__attribute__((format(printf, 3, 0))) static void set_once(struct err *err, const char **field,
                                                           const char *fmt, va_list ap)
{
    if (*field == NULL)
        *field = str_vprintf(&err->arena, fmt, ap).ptr;
}

bool err_where(struct err *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set_once(err, &err->where, fmt, ap);
    va_end(ap);
    return false;
}

bool err_next(struct err *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set_once(err, &err->next, fmt, ap);
    va_end(ap);
    return false;
}

const char *err_kind_text(enum err_kind kind)
{
#define ERR_TEXT(id, text) [id] = text,
    static const char *const texts[] = { ERR_KINDS(ERR_TEXT) };
#undef ERR_TEXT
    return texts[kind];
}

/* The protocol's names are the enum's, so that a new kind needs one row and nothing else. */
const char *err_kind_name(enum err_kind kind)
{
#define ERR_NAME(id, text) [id] = #id,
    static const char *const names[] = { ERR_KINDS(ERR_NAME) };
#undef ERR_NAME
    return names[kind];
}

bool err_kind_parse(const char *name, enum err_kind *ret_kind)
{
    for (int kind = 0; kind < ERR_KIND_COUNT; kind++)
        if (strcmp(err_kind_name((enum err_kind)kind), name) == 0) {
            *ret_kind = (enum err_kind)kind;
            return true;
        }
    return false;
}
