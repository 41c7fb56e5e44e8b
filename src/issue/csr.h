/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csr.h - requests to an authority that answers in its own time: files in the issuer's directory.
 *
 *     NAME.csr    the request, PKCS#10 in PEM: what is sent
 *     NAME.txt    what it is for and where the answer goes, for people
 *     NAME.json   the same for programs; written last, so what it speaks of is there
 *     NAME.crt    the answer, put there by a person or by `issuer deliver`
 *     old/        the same files of what is over
 *
 * A request is for one `issue` step and one key. One that is asked for again is the one that is
 * there, bytes and all: what somebody has sent stays what is waited for.
 */
#ifndef ISSUE_CSR_H
#define ISSUE_CSR_H

#include "x509/cert.h"

struct csr {
    str name;                       /* of its files, without their endings */
    str cluster, node, store, step; /* the cluster's id; the issue step's id */
    moment since;                   /* when it was written */
    str spki_sha256;                /* hex: what the answer is told by */
    str key;                        /* "EC 256" */
    str subject, common_name;
    str_list san, key_usages, extended_key_usage; /* empty: none was asked for */
};
typedef LIST(struct csr) csr_list;

/* What the request `der` (PKCS#10) asks for, which is to stand in for `replaced`. Cluster, node,
   store, step and since are the caller's to fill in before the rest is used. */
MUST_CHECK bool csr_parse(struct arena *arena, str der, const struct cert *replaced,
                          struct csr *ret_csr, struct err *err);

/* Write it, unless it is there for the same key: then that one is *ret_kept, as it was. `der` is
   the request, `authority` who is to sign (may be empty). */
MUST_CHECK bool csr_keep(struct arena *arena, const char *directory, const struct csr *csr, str der,
                         str authority, struct csr *ret_kept, struct err *err);

/* The requests of a cluster (all when the id is empty), oldest first; none where there is no such
   folder. */
MUST_CHECK bool csr_read(struct arena *arena, const char *directory, str cluster,
                         csr_list *ret_list, struct err *err);

/* The file of a request with this ending: ".csr", ".crt". */
str csr_path(struct arena *arena, const char *directory, const struct csr *csr, const char *ending);

/* It is over: its files go to old/. */
MUST_CHECK bool csr_retire(const char *directory, const struct csr *csr, struct err *err);

/* A folder that requests can be written to, made if it is not there. */
MUST_CHECK bool csr_prepare(const char *directory, struct err *err);

#endif
