/* SPDX-License-Identifier: Apache-2.0 */
#include "system/systems.h"

#include "system/generic/driver.h"
#include "system/postgresql/driver.h"

const struct driver *const systems[] = {
    &driver_generic,
    &driver_postgresql,
    NULL,
};
