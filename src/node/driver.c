/* SPDX-License-Identifier: Apache-2.0 */
#include "node/driver.h"

const struct driver *driver_find(const struct driver *const *drivers, str name)
{
    str wanted = name.len == 0 ? S("generic") : name;
    for (; *drivers != NULL; drivers++)
        if (str_eq(str_c((*drivers)->name), wanted))
            return *drivers;
    return NULL;
}

static const char *const observed_names[] = {
    [OBSERVED_BEFORE] = "before",
    [OBSERVED_AFTER] = "after",
    [OBSERVED_NEITHER] = "neither",
    [OBSERVED_UNKNOWN] = "unknown",
};

const char *observed_name(enum observed observed)
{
    return observed_names[observed];
}
