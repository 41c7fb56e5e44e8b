/* SPDX-License-Identifier: Apache-2.0 */
/* requests.h - `reseal issuer` where the cluster's issuer is an authority that is sent requests. */
#ifndef CMD_REQUESTS_H
#define CMD_REQUESTS_H

#include "apply/awaited.h"
#include "cmd/open.h"

/* The cluster file in use, if there is one and it declares an issuer. A certificate that was named
   on the command line is what is meant instead. */
MUST_CHECK bool requests_cluster(struct cmd *cmd, const char *certificate,
                                 struct cluster *ret_cluster, bool *ret_found, struct err *err);

/* What is waited for, and what came; the exit code. */
int requests_list(struct cmd *cmd, const struct cluster *cluster, struct err *err);

/* The steps that wait for a certificate which is here, and is what was asked for: the next run goes
   on with them. Of a cluster whose issuer signs by itself there are none. */
MUST_CHECK bool requests_delivered(struct cmd *cmd, const struct cluster *cluster,
                                   str_list *ret_steps, struct err *err);

extern const struct command command_deliver, command_forget;

#endif
