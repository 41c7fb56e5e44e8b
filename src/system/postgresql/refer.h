/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refer.h - the one setting that names an identity, switched in one write.
 *
 * ssl_cert_file and ssl_key_file both go into the file of higher precedence (PostgreSQL 15 manual,
 * 20.1.2); sslcert and sslkey are parts of primary_conninfo (27.2.6).
 */
#ifndef SYSTEM_POSTGRESQL_REFER_H
#define SYSTEM_POSTGRESQL_REFER_H

#include "node/driver.h"
#include "system/postgresql/discover.h"

/* Of the stores `server` and `upstream`; any other has no reference, and the edit's path is empty.
 */
MUST_CHECK bool pg_refer(struct arena *arena, const struct pgconf_source *source,
                         const struct node_conf *node, str store,
                         const struct identity_files *files, struct file_edit *ret_edit,
                         struct err *err);

#endif
