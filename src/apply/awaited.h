/* SPDX-License-Identifier: Apache-2.0 */
/*
 * awaited.h - the certificates that an authority was asked for: which have come, and whether each
 * is what was asked for.
 *
 * Only a cluster whose issuer is of kind `csr` has any.
 */
#ifndef APPLY_AWAITED_H
#define APPLY_AWAITED_H

#include "issue/delivered.h"
#include "survey/survey.h"

struct awaited {
    struct csr csr;
    bool here;      /* its certificate came */
    bool used;      /* and its node has it in use */
    str problem;    /* it is not what was asked for, or cannot be read: why. Empty: nothing */
    cert_list sent; /* here: the leaf, and without a problem what follows it */
    str pem;        /* the same, without a problem */
};
typedef LIST(struct awaited) awaited_list;

bool awaited_any(const struct cluster *cluster); /* whether the cluster's issuer is of that kind */

/* Every request of the cluster, with what came for it. */
MUST_CHECK bool awaited_read(struct arena *arena, const struct cluster *cluster,
                             const struct delivery_terms *terms, awaited_list *ret_list,
                             struct err *err);

/* A certificate that its node presents already is taken as it is: what was asked of it then may not
   hold any more. */
void awaited_look(awaited_list *list, const struct model *model);

/* ERR_REFUSED when something came that is not what was asked for: every file with its reason, a
   line each. */
MUST_CHECK bool awaited_check(struct arena *arena, const awaited_list *list, struct err *err);

/* The one that the issue step `step` waits for, or NULL. */
const struct awaited *awaited_find(const awaited_list *list, str step);

#endif
