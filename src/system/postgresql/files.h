/* SPDX-License-Identifier: Apache-2.0 */
/* files.h - a server's configuration files on this machine, as conf.h wants to read them. */
#ifndef SYSTEM_POSTGRESQL_FILES_H
#define SYSTEM_POSTGRESQL_FILES_H

#include "system/postgresql/conf.h"

/* Reads files and folders of this machine; needs no context. */
extern const struct pgconf_source pgconf_files;

#endif
