/* SPDX-License-Identifier: Apache-2.0 */
/*
 * haproxy.h - files loaded into a running HAProxy through its admin socket, without a reload (its
 * Management Guide, 9.3: set, commit, abort and show ssl cert, ca-file and crl-file).
 *
 * HAProxy knows a file by the name that its configuration has. A certificate and its key are one
 * file there. A payload ends with an empty line and must fit its buffer (tune.bufsize, 16 KiB).
 */
#ifndef SYSTEM_GENERIC_HAPROXY_H
#define SYSTEM_GENERIC_HAPROXY_H

#include "node/driver.h"

/* Load every file of the node's stores that HAProxy has loaded before. */
MUST_CHECK bool haproxy_load(const struct driver_call *call, const struct service_conf *service,
                             str *ret_evidence, struct err *err);

/* Whether each of those is loaded as it is stored; lists of revoked certificates are not compared.
   Where not, `ret_store` is the store that differs. */
MUST_CHECK bool haproxy_has_loaded(const struct driver_call *call,
                                   const struct service_conf *service, bool *ret_loaded,
                                   str *ret_store, struct err *err);

/* What HAProxy has loaded from the store's file, each certificate as haproxy_digest(): of a pair
   its leaf alone. *ret_known is false when it knows no such file. */
MUST_CHECK bool haproxy_digests(const struct driver_call *call, const struct service_conf *service,
                                const struct store_conf *store, str_list *ret_digests,
                                bool *ret_known, struct err *err);
str haproxy_digest(struct arena *arena, const struct cert *cert); /* SHA-1, upper-case hex */

#endif
