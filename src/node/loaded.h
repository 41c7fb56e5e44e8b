/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loaded.h - what each service was last made to load, for services that nothing can ask: which
 * anchors nginx checks its back ends by shows nowhere.
 *
 * Certificates alone, in `state`/loaded/SERVICE:STORE.pem. The record begins when a store is about
 * to be changed, with what is in it then; it follows when a service has loaded. A crash in between
 * so leaves a service that is known to run on with what it had.
 */
#ifndef NODE_LOADED_H
#define NODE_LOADED_H

#include "node/driver.h"

/* `store` is about to change: whoever has nothing on record runs with what is in it. */
MUST_CHECK bool loaded_keep(const struct driver_call *call, const struct store_conf *store,
                            struct err *err);

/* `service` has loaded every store of its node. */
MUST_CHECK bool loaded_note(const struct driver_call *call, const struct service_conf *service,
                            struct err *err);

/* What `service` has loaded of `store`; *ret_known is false when nothing is on record. */
MUST_CHECK bool loaded_read(const struct driver_call *call, const struct service_conf *service,
                            const struct store_conf *store, cert_list *ret_certs, bool *ret_known,
                            struct err *err);

/* Whether a store has something else than `service` has on record; then `ret_store` is it. */
MUST_CHECK bool loaded_differs(const struct driver_call *call, const struct service_conf *service,
                               bool *ret_differs, str *ret_store, struct err *err);

#endif
