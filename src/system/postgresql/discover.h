/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discover.h - one PostgreSQL server's stores, service and upstream link, from its own files.
 *
 * Reads postgresql.conf with its includes, postgresql.auto.conf, pg_hba.conf and standby.signal
 * (PostgreSQL 15 manual, 20.1, 21.1, 27.2). What it finds, by name on the node:
 *
 *   store server     ssl_cert_file and ssl_key_file
 *   store clients    ssl_ca_file and ssl_crl_file: judges client certificates
 *   store upstream   sslcert and sslkey of primary_conninfo: what the walreceiver presents
 *   store primary    sslrootcert of primary_conninfo: judges the primary
 *   service postgres
 *
 * The upstream link's `to` is "HOST:PORT" as primary_conninfo has it: which node that is, only
 * the coordinator can tell.
 */
#ifndef SYSTEM_POSTGRESQL_DISCOVER_H
#define SYSTEM_POSTGRESQL_DISCOVER_H

#include "cluster/cluster.h"
#include "system/postgresql/conf.h"

/* Where the files of a server are; all absolute. */
struct pg_place {
    str data;        /* data folder */
    str config_file; /* postgresql.conf */
    str hba_file;
    struct pgconf conf;
};

/* Find and read the configuration of `node` (its data folder or its postgresql.conf is given). */
MUST_CHECK bool pg_place_read(struct arena *arena, const struct pgconf_source *source,
                              const struct node_conf *node, struct pg_place *ret_place,
                              struct err *err);

/* The fragment for this node. ERR_FORMAT and ERR_SYSTEM name the file and the line. */
MUST_CHECK bool pg_discover(struct arena *arena, const struct pgconf_source *source,
                            const struct node_conf *node, struct cluster *ret_fragment,
                            struct err *err);

#endif
