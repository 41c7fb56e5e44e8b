/* SPDX-License-Identifier: Apache-2.0 */
/* driver.h - the driver for nodes that name no system: what the cluster file says of them. */
#ifndef SYSTEM_GENERIC_DRIVER_H
#define SYSTEM_GENERIC_DRIVER_H

#include "node/driver.h"

extern const struct driver driver_generic;

#endif
