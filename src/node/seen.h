/* SPDX-License-Identifier: Apache-2.0 */
/* seen.h - whether a service shows on the wire what its store holds. */
#ifndef NODE_SEEN_H
#define NODE_SEEN_H

#include "node/driver.h"

/* Connects to the service's own address from its own node. OBSERVED_AFTER when the certificate that
   it presents is the first one in its first identity's store, or when it does not listen at all. */
MUST_CHECK bool seen_is_stored(const struct driver_call *call, const struct service_conf *service,
                               enum observed *ret_observed, str *ret_evidence, struct err *err);

#endif
