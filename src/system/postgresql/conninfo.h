/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conninfo.h - libpq connection strings and service files: which identity and which trust a
 * client uses, and one reference switched to another (PostgreSQL 15 manual, 34.1.1 and 34.17).
 */
#ifndef SYSTEM_POSTGRESQL_CONNINFO_H
#define SYSTEM_POSTGRESQL_CONNINFO_H

#include "base/err.h"
#include "base/str.h"

struct conninfo_pair {
    str name, value;
};

struct conninfo {
    LIST(struct conninfo_pair) pairs; /* in libpq's order; of equal names the last counts */
};

/* Parse "name = value" pairs, or a postgresql:// address, as libpq does. */
MUST_CHECK bool conninfo_parse(struct arena *arena, str text, struct conninfo *ret_conninfo,
                               struct err *err);

/* The value of a name, or the empty string. */
str conninfo_get(const struct conninfo *conninfo, const char *name);

/* Set a name: in its place, or at the end. */
void conninfo_set(struct arena *arena, struct conninfo *conninfo, const char *name, str value);

/* As pairs, each value in quotes where it needs them; parsing it back gives the same pairs. */
str conninfo_format(struct arena *arena, const struct conninfo *conninfo);

/* The section of a connection service file as pairs; ERR_FORMAT when there is no such section. */
MUST_CHECK bool service_file_section(struct arena *arena, str text, str section,
                                     struct conninfo *ret_conninfo, struct err *err);

/* The names of the file's sections, in order. */
void service_file_sections(struct arena *arena, str text, str_list *ret_names);

/* The text of a service file in which, in every section, `name` changes from `from` to `to`;
   every other byte stays. */
str service_file_edit(struct arena *arena, str text, str name, str from, str to);

#endif
