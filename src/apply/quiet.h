/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quiet.h - whether anybody still needs an anchor that is to go.
 *
 * It is in use while a declared service presents what it vouches for, stored or loaded or in a
 * session that runs on, and while anybody undeclared is connected with a certificate to a service
 * that trusts it. When all is quiet it still stays for `policy.hold` after the last certificate was
 * changed.
 */
#ifndef APPLY_QUIET_H
#define APPLY_QUIET_H

#include "apply/run.h"

/* Look at the cluster now. *ret_evidence says who uses it, until when it stays, or that nobody
   does. */
MUST_CHECK bool quiet_check(struct apply *apply, const struct step *step, bool *ret_quiet,
                            str *ret_evidence, struct err *err);

#endif
