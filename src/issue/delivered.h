/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delivered.h - what came for a request, and whether it is what was asked for.
 *
 * Pure but for the reading of files: certificates and a request -> a chain that can be installed,
 * or why not, in one sentence.
 */
#ifndef ISSUE_DELIVERED_H
#define ISSUE_DELIVERED_H

#include "issue/csr.h"

/* What is expected of every certificate that comes. */
struct delivery_terms {
    cert_list authority; /* who is to sign comes first, then its chain; may end in a root. Empty:
                            who that is is not known here, and not asked */
    moment now;
    int64_t renew_before; /* seconds: what ends sooner would be due at once */
};

struct delivered {
    cert_list chain; /* the leaf, then what it is sent with, in order: no root */
    str pem;
};

/* The certificates of a file, in whatever order and format. ERR_FORMAT when there is none in it,
   with what there is instead. */
MUST_CHECK bool delivered_read(struct arena *arena, const char *path, cert_list *ret_certs,
                               struct err *err);

/* The certificate for the request's key among `certs`, which may hold its chain too; `others` are
   the requests that wait as well. ERR_REFUSED: it is for another key, misses names or usages, is
   out of date, too short, or not from the authority. */
MUST_CHECK bool delivered_match(struct arena *arena, const struct csr *csr, const csr_list *others,
                                const cert_list *certs, const struct delivery_terms *terms,
                                struct delivered *ret_delivered, struct err *err);

/* The one in `certs` for the request's key, or NULL. */
const struct cert *delivered_leaf(const struct csr *csr, const cert_list *certs);

#endif
