/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stack.h - the programs and libraries that judge certificates, one row each.
 *
 * A stack is what a service's `stack` names. How its library builds a path is in path.h, in which
 * order it asks its questions and where an answer departs from the rule, in rules.h; here is what
 * it does besides.
 */
#ifndef TRUST_STACK_H
#define TRUST_STACK_H

#include "base/str.h"

// clang-format off
/* id, library, completes, by_issuer, version, what it is */
#define STACKS(X)                                                                               \
    X(openssl, openssl, true,  false, "OpenSSL 3.0", "a program of OpenSSL's with its defaults")\
    X(gnutls,  gnutls,  false, false, "GnuTLS 3.7",  "a program of GnuTLS's, priority NORMAL")  \
    X(go,      go,      false, true,  "Go 1.19",     "crypto/tls of Go")                        \
    X(jsse,    jsse,    false, true,  "OpenJDK 17",  "Java's own TLS, PKIX trust manager")      \
    X(nginx,   openssl, false, false, "nginx 1.22",  "nginx")
// clang-format on

#define LIBRARIES(X)     X(openssl) X(gnutls) X(go) X(jsse)

#define LIBRARY_ENUM(id) LIBRARY_##id,
enum library { LIBRARIES(LIBRARY_ENUM) LIBRARY_COUNT };
#undef LIBRARY_ENUM

#define STACK_ENUM(id, ...) STACK_##id,
enum stack_id { STACKS(STACK_ENUM) STACK_COUNT }; /* 0, openssl: where none is named */
#undef STACK_ENUM

struct stack {
    const char *name;
    enum library library;
    enum stack_id base; /* the row of that library alone: what holds where nothing else is said */
    bool completes; /* a lone leaf is sent with what its own trust store has above it: present.h */
    bool by_issuer; /* a client shows the first identity of an issuer that the server names */
    const char *version; /* that the table was measured with */
    const char *what;
};

const struct stack *stack_row(enum stack_id id);

/* The stack that `name` names; openssl when it is empty or unknown. */
enum stack_id stack_named(str name);

#endif
