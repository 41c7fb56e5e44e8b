/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hba.h - pg_hba.conf: which connections must be TLS and show a client certificate, and for whom
 * (PostgreSQL 15 manual, 21.1).
 *
 * Only what trust depends on is kept: the type, the lists, the method and the options. The first
 * line that matches a connection decides.
 */
#ifndef SYSTEM_POSTGRESQL_HBA_H
#define SYSTEM_POSTGRESQL_HBA_H

#include "base/err.h"
#include "base/str.h"

struct hba_line {
    int line;
    str type; /* local | host | hostssl | hostnossl | hostgssenc | hostnogssenc */
    str_list databases, users;
    str address; /* with its mask as "a.b.c.d/m.m.m.m" when that is a field of its own; empty: local
                  */
    str method;
    str clientcert; /* "", "verify-ca" or "verify-full"; method cert implies verify-full */
    str map;        /* user name map, or empty */
};

struct hba {
    LIST(struct hba_line) lines;
};

/* Parse the whole file. Errors name the line. */
MUST_CHECK bool hba_parse(struct arena *arena, str path, str text, struct hba *ret_hba,
                          struct err *err);

/* What the file asks of clients that come over TLS. */
struct hba_demand {
    bool any;        /* some line lets TLS clients in */
    bool required;   /* every such line demands a client certificate */
    bool optional;   /* some, but not every */
    bool user_is_cn; /* some line ties the certificate's CN to the user */
    str_list mapped; /* users whose line does that through a user name map (21.2) */
};
struct hba_demand hba_demand(struct arena *arena, const struct hba *hba);

/* The first line that a TLS connection of `user` to `database` ("replication" for a walreceiver)
   can meet whatever its address, or NULL. */
const struct hba_line *hba_match(const struct hba *hba, str database, str user);

#endif
