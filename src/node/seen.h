/* SPDX-License-Identifier: Apache-2.0 */
/* seen.h - whether a service shows on the wire what its store holds. */
#ifndef NODE_SEEN_H
#define NODE_SEEN_H

#include "node/driver.h"

/* What a service shows to one who connects to its address from its own node. */
struct seen_wire {
    bool listens;     /* somebody takes connections there */
    struct cert leaf; /* what is presented; `shown` is false when nothing was */
    bool shown;
    str_list acceptable; /* names of issuers that it asks for */
    str text;            /* the evidence in one sentence */
};
MUST_CHECK bool seen_wire(const struct driver_call *call, const struct service_conf *service,
                          struct seen_wire *ret_wire, struct err *err);

/* Connects to the service's own address from its own node. OBSERVED_AFTER when the certificate that
   it presents is the first one in its first identity's store, or when it does not listen at all. */
MUST_CHECK bool seen_is_stored(const struct driver_call *call, const struct service_conf *service,
                               enum observed *ret_observed, str *ret_evidence, struct err *err);

#endif
