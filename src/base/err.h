/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err.h - the one error type: what kind of failure, the path that led to it, and what to do.
 *
 * An error is set once, where it happens, and wrapped once per layer with what that layer was
 * doing; the innermost reason is never lost. It is printed once, by the command. A *finding*
 * (expired, mismatched, refused) is a result and never an error: an error means "we could not
 * tell" or "we could not do it".
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/arena.h"

#include <stdbool.h>

/* On every function that can fail: dropping its answer is a compile error. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* Callers branch on the kind and print the message; nobody parses the message. */
// clang-format off
#define ERR_KINDS(X)                                                                  \
    X(ERR_NONE,      "ok")                                                            \
    X(ERR_USAGE,     "wrong usage")                                                   \
    X(ERR_SYSTEM,    "system call failed")                                            \
    X(ERR_FORMAT,    "malformed input")                                               \
    X(ERR_CRYPTO,    "cryptographic operation failed")                                \
    X(ERR_PASSWORD,  "wrong or missing password")                                     \
    X(ERR_NETWORK,   "could not be reached")                                          \
    X(ERR_TIMEOUT,   "no answer in time")                                             \
    X(ERR_CONFLICT,  "state changed underneath us")                                   \
    X(ERR_REFUSED,   "refused before anything was changed")                           \
    X(ERR_UNCERTAIN, "may or may not have happened")
// clang-format on

#define ERR_ENUM(id, text) id,
enum err_kind { ERR_KINDS(ERR_ENUM) ERR_KIND_COUNT };
#undef ERR_ENUM

/* Declare as `AUTO(err) struct err err = { 0 };` - its texts live in its own arena. */
struct err {
    enum err_kind kind;
    const char *msg;   /* outermost context first: "load pins: line 3: bad digest" */
    const char *where; /* file:line, node or endpoint that it happened at; NULL when msg says it */
    const char *next;  /* the next command to type, pasteable; NULL when there is none */
    struct arena arena;
};
void err_clear(struct err *err);
DEFINE_AUTO(err, struct err, err_clear(handle))

/* Record a failure. Always returns false, so a function can `return err_set(...)`. */
bool err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4), cold));

/* As err_set() with ERR_SYSTEM, and the text of errno behind the message. */
bool err_errno(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3), cold));

/* Put the caller's context in front of an error already set. Always returns false. */
bool err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3), cold));

/* Say where it happened or what to type next, unless an inner layer has said so. Returns false. */
bool err_where(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3), cold));
bool err_next(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3), cold));

const char *err_kind_text(enum err_kind kind);
const char *err_kind_name(enum err_kind kind);                  /* "ERR_FORMAT", for the protocol */
bool err_kind_parse(const char *name, enum err_kind *ret_kind); /* the reverse */

#endif
