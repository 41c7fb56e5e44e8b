/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refresh.h - a service is made to use what is stored, with all that the same command refreshes.
 *
 * An etcd member listens for clients and for other members, an nginx at several ports: one process
 * is several services (node_process()). They are refreshed together, and that is done when each of
 * them uses what is stored.
 */
#ifndef NODE_REFRESH_H
#define NODE_REFRESH_H

#include "node/change.h"

MUST_CHECK bool refresh_observe(const struct change_site *site, const struct service_conf *service,
                                enum observed *ret_observed, str *ret_evidence, struct err *err);

/* `role` is the part that it was planned in; empty: none. Refused when a pair does not match, which
   would keep the old one in force now and stop the next start. */
MUST_CHECK bool refresh_do(const struct change_site *site, const struct service_conf *service,
                           str role, str *ret_evidence, struct err *err);

#endif
