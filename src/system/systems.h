/* SPDX-License-Identifier: Apache-2.0 */
/* systems.h - the drivers that there are, ended by NULL: main hands them to what needs them. */
#ifndef SYSTEM_SYSTEMS_H
#define SYSTEM_SYSTEMS_H

#include "node/driver.h"

extern const struct driver *const systems[];

#endif
