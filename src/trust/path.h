/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path.h - the path that OpenSSL 3.0 builds with its default flags (RFC 5280, 6.1, leaves it open).
 *
 * Issuers are sought among the anchors first, then among what was presented; once an anchor is on
 * the path only anchors follow. The path is complete when it ends in a self-signed anchor: partial
 * chains are off. Of several issuers that fit, the first that is valid at the time is taken, else
 * the one that ends last. There is no way back: a wrong choice fails.
 *
 * Of anchors that both fit (the same name and key: a root that was issued again, or was signed by
 * another root too) OpenSSL takes the first in the file, and so do we.
 */
#ifndef TRUST_PATH_H
#define TRUST_PATH_H

#include "trust/facts.h"

enum { PATH_LONGEST = 100, PATH_CERTS = PATH_LONGEST + 2 };

struct path {
    uint32_t certs[PATH_CERTS]; /* leaf first */
    size_t count;
    size_t untrusted; /* how many of them, from the leaf, come from the other end */
    bool complete;
    moment since, until; /* the same path at every moment in [since, until) */
};

/* `chain` and `anchors` are packed; a chain holds at least its leaf. */
void path_build(struct facts *facts, str chain, str anchors, moment at, struct path *ret_path);

/* The validity boundaries of `cert` narrow [*since, *until) around `at`. */
void path_narrow(const struct cert *cert, moment at, moment *since, moment *until);

/* As OpenSSL compares: a certificate is no longer valid in the second of its notAfter. */
bool path_is_expired(const struct cert *cert, moment at);
bool path_is_early(const struct cert *cert, moment at);

#endif
