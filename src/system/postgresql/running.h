/* SPDX-License-Identifier: Apache-2.0 */
/*
 * running.h - what a running server has loaded, who is connected to it, and making it load.
 *
 * A reload changes files for new connections only, and says nothing when it fails; a walreceiver
 * reads its files when it connects and at no other time (PostgreSQL 15 manual, 19.9.2 and 27.2.6).
 * So loading is looked for in three places: the time of the last reload, the certificate on the
 * wire, and the connection string and start of the walreceiver.
 */
#ifndef SYSTEM_POSTGRESQL_RUNNING_H
#define SYSTEM_POSTGRESQL_RUNNING_H

#include "node/driver.h"

MUST_CHECK bool pg_refresh(const struct driver_call *call, const struct service_conf *service,
                           str *ret_evidence, struct err *err);
MUST_CHECK bool pg_loaded(const struct driver_call *call, const struct service_conf *service,
                          enum observed *ret_observed, str *ret_evidence, struct err *err);
MUST_CHECK bool pg_role(const struct driver_call *call, const struct service_conf *service,
                        str *ret_role, struct err *err);
MUST_CHECK bool pg_peers(const struct driver_call *call, const struct service_conf *service,
                         peer_list *ret_peers, struct err *err);

#endif
