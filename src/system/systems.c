/* SPDX-License-Identifier: Apache-2.0 */
#include "system/systems.h"

#include "system/postgresql/driver.h"

const struct driver *const systems[] = {
    &driver_postgresql,
    NULL,
};
