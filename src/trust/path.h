/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path.h - the paths that a stack tries, from what was presented to an anchor of the judge's. RFC
 * 5280, 6.1, leaves open how they are found, and no two libraries find them alike.
 *
 * OpenSSL 3.0, with its default flags, builds one. Issuers are sought among the anchors first, then
 * among what was presented; once an anchor is on the path only anchors follow. The path is complete
 * when it ends in a self-signed anchor: partial chains are off. Of several issuers that fit, the
 * first that is valid at the time is taken, else the one that ends last. There is no way back: a
 * wrong choice fails.
 *
 * Of anchors that both fit (the same name and key: a root that was issued again, or was signed by
 * another root too) OpenSSL takes the first in the file, and so do we.
 *
 * The others take any anchor, self-signed or not, and the leaf itself:
 *
 *   Go      searches: anchors before what was presented, every certificate with the issuer's name,
 *           until all rules hold on one path.
 *   JSSE    takes what was presented as it comes, up to the first that is an anchor or has an
 *           anchor's name and key, and tries every anchor of the issuer's name above it. Where the
 *           order is not that of signing or no anchor has the name, it searches as Go does, with
 *           no more than five intermediates.
 *   GnuTLS  sorts what was presented up to one whose issuer is an anchor, leaves out a
 *           self-signed certificate at its end, and cuts it at an anchor. It looks among the
 *           anchors with the name of the last one's issuer, then among those with the last one's
 *           own name.
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
    bool
        searched; /* JSSE: not as presented, but by its builder, which looks at an anchor's dates */
    moment since, until; /* the same path at every moment in [since, until) */
};

/* OpenSSL's. `chain` and `anchors` are packed; a chain holds at least its leaf. */
void path_build(struct facts *facts, str chain, str anchors, moment at, struct path *ret_path);

/* Every path that `library` tries, in its order, until `take` returns true: complete ones, or the
   longest that there is when none is. */
struct path_query {
    struct facts *facts;
    enum library library;
    str chain, anchors; /* packed; the chain holds at least its leaf */
    moment at;
    bool (*take)(void *context, const struct path *path);
    void *context;
};
void path_each(const struct path_query *query);

/* The validity boundaries of `cert` narrow [*since, *until) around `at`. */
void path_narrow(const struct cert *cert, moment at, moment *since, moment *until);

/* As OpenSSL compares: a certificate is no longer valid in the second of its notAfter. */
bool path_is_expired(const struct cert *cert, moment at);
bool path_is_early(const struct cert *cert, moment at);

#endif
