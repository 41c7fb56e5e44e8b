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

/* Load every file of the node's stores that HAProxy has loaded before and that is another now,
   under each name that it knows the file by. */
MUST_CHECK bool haproxy_load(const struct driver_call *call, const struct service_conf *service,
                             size_t *ret_count, struct err *err);

/* What of those only a reload can load as a whole; OF_NOTHING: nothing. Seen with 2.6.12: once a CA
   file was changed, certificates of the same line are "Unused", and a new one would be taken and
   never shown, and crash it later (HAProxy issue 3165); and clients go on being asked for the
   issuers of before. */
enum haproxy_need { OF_NOTHING, OF_CLIENT_ISSUERS, OF_CERTIFICATE };
MUST_CHECK bool haproxy_needs_reload(const struct driver_call *call,
                                     const struct service_conf *service,
                                     enum haproxy_need *ret_need, str *ret_name, struct err *err);

/* Whether each of those is loaded as it is stored; if not, `ret_store` is one that differs. */
MUST_CHECK bool haproxy_has_loaded(const struct driver_call *call,
                                   const struct service_conf *service, bool *ret_loaded,
                                   str *ret_store, struct err *err);

/* What HAProxy has loaded from the store's file, each certificate as haproxy_digest(): of a pair
   its leaf alone. Of several names for the file, of one that lags behind what is stored. *ret_known
   is false when it knows no such file. */
MUST_CHECK bool haproxy_digests(const struct driver_call *call, const struct service_conf *service,
                                const struct store_conf *store, str_list *ret_digests,
                                bool *ret_known, struct err *err);
str haproxy_digest(struct arena *arena, const struct cert *cert); /* SHA-1, upper-case hex */

#endif
