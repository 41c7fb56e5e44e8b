/* SPDX-License-Identifier: Apache-2.0 */
/* driver.h - the postgresql driver's row. */
#ifndef SYSTEM_POSTGRESQL_DRIVER_H
#define SYSTEM_POSTGRESQL_DRIVER_H

#include "node/driver.h"

extern const struct driver driver_postgresql;

#endif
