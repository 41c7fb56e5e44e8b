/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf.h - postgresql.conf as the server reads it: includes, quoting, precedence, and where each
 * value stands (PostgreSQL 15 manual, 20.1.2 and 20.1.5).
 *
 * The last setting of a name wins; postgresql.auto.conf is read after postgresql.conf. Names do
 * not depend on case. Reading is pure: files come through a callback, so that a test or a fuzzer
 * can give any bytes, and a server's own user can be the one who reads.
 */
#ifndef SYSTEM_POSTGRESQL_CONF_H
#define SYSTEM_POSTGRESQL_CONF_H

#include "base/err.h"
#include "base/str.h"

struct pgconf_setting {
    str name;  /* lower case */
    str value; /* unquoted */
    str file;
    int line;
};

struct pgconf {
    LIST(struct pgconf_setting) settings; /* every one, in the order read */
    str_list files;                       /* every file read, in order */
};

/* Where files come from. `list` gives the names of the ".conf" files of a folder, sorted, without
   those that start with a dot. A missing file is ERR_SYSTEM. */
struct pgconf_source {
    str home; /* of the server's user, where libpq looks for what nobody named; empty: unknown */
    void *context;
    bool (*read)(void *context, struct arena *arena, str path, str *ret_text, struct err *err);
    bool (*list)(void *context, struct arena *arena, str folder, str_list *ret_names,
                 struct err *err);
};

/* Read `path` and what it includes into `conf`, behind what is there. Errors name file and line.
   Includes deeper than 10 are refused, as the server does. */
MUST_CHECK bool pgconf_read(struct arena *arena, const struct pgconf_source *source, str path,
                            struct pgconf *conf, struct err *err);

/* The setting in force, or NULL. */
const struct pgconf_setting *pgconf_find(const struct pgconf *conf, const char *name);

/* A value as it must be written: in quotes, quotes inside doubled. */
str pgconf_quote(struct arena *arena, str value);

/*
 * The text of one file with `names[i]` set to `values[i]`: a line that sets a name is replaced in
 * place (its comment stays), of several the last one; a name that the file does not set is added
 * at the end. Everything else stays byte for byte.
 */
struct pgconf_change {
    str name, value;
};
str pgconf_edit(struct arena *arena, str text, const struct pgconf_change *changes, size_t count);

#endif
