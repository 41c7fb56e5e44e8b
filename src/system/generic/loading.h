/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loading.h - how a declared service is made to load its files, and how it is known that it has.
 *
 * Its refresh command is run, or HAProxy's admin socket is told. That is over when, of each service
 * of the process (node_process()): the wire shows what is stored, nobody who answered before the
 * command still does (node/holders.h), HAProxy says so where it can be asked, and the health
 * command succeeds.
 */
#ifndef SYSTEM_GENERIC_LOADING_H
#define SYSTEM_GENERIC_LOADING_H

#include "node/driver.h"

/* These are rows of driver.h. */
bool loading_refresh(const struct driver_call *call, const struct service_conf *service,
                     str *ret_evidence, struct err *err);
bool loading_loaded(const struct driver_call *call, const struct service_conf *service,
                    enum observed *ret_observed, str *ret_evidence, struct err *err);
bool loading_memory(const struct driver_call *call, const struct service_conf *service,
                    const struct store_conf *store, cert_list *ret_certs, bool *ret_known,
                    struct err *err);
bool loading_health(const struct driver_call *call, const struct service_conf *service,
                    bool *ret_healthy, str *ret_text, struct err *err);

#endif
