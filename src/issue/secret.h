/* SPDX-License-Identifier: Apache-2.0 */
/* secret.h - a passphrase from where the cluster file says, and never from an argument. */
#ifndef ISSUE_SECRET_H
#define ISSUE_SECRET_H

#include "cluster/cluster.h"

/* No passphrase is longer. */
enum { SECRET_MAX = 4096 };

/*
 * The secret of `source`, without the line break at its end, in `arena`, whose `wipe` must be set.
 * A source that names nothing asks on the terminal with `prompt`, without echo; with `prompt` NULL
 * or no terminal that is an error (ERR_PASSWORD). An empty secret is an error too.
 */
MUST_CHECK bool secret_read(struct arena *arena, const struct secret_source *source,
                            const char *prompt, str *ret_secret, struct err *err);

#endif
