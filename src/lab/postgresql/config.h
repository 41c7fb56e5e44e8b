/* SPDX-License-Identifier: Apache-2.0 */
/* config.h - the texts that the lab writes: PostgreSQL's settings, a service file, cluster.yaml. */
#ifndef LAB_POSTGRESQL_CONFIG_H
#define LAB_POSTGRESQL_CONFIG_H

#include "lab/lab.h"

str lab_config_postgresql(struct arena *arena, const struct lab *lab, size_t node);
str lab_config_hba(struct arena *arena);

/* postgresql.auto.conf of a standby: its primary_conninfo. */
str lab_config_standby(struct arena *arena, const struct lab *lab, size_t node);

/* Services db1, db2, … for the role app. A service file knows no quotes and no escapes. */
str lab_config_services(struct arena *arena, const struct lab *lab);

str lab_config_cluster(struct arena *arena, const struct lab *lab);

/* As postgresql.conf and as a connection string quote a text. */
str lab_quote_setting(struct arena *arena, str text);
str lab_quote_conninfo(struct arena *arena, str text);

#endif
