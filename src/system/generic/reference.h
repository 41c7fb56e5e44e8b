/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reference.h - the one file of a service that names its identities: a libpq service file, or any
 * file with the two paths as whole words (words.h).
 *
 * It, and not the cluster file, says which certificate is in use. A file in which a section has an
 * sslcert is a libpq service file; it names the first identity of its service.
 */
#ifndef SYSTEM_GENERIC_REFERENCE_H
#define SYSTEM_GENERIC_REFERENCE_H

#include "node/driver.h"

/* The files that the service's reference names for `store`; both empty when it has no reference, or
   one that names neither of them. */
MUST_CHECK bool reference_files(const struct driver_call *call, const struct service_conf *service,
                                const struct store_conf *store, struct identity_files *ret_files,
                                struct err *err);

/* The edit that makes it name `files` for `store`; an empty path when it names none. */
MUST_CHECK bool reference_edit(const struct driver_call *call, const struct service_conf *service,
                               const struct store_conf *store, const struct identity_files *files,
                               struct file_edit *ret_edit, struct err *err);

#endif
