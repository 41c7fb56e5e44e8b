/* SPDX-License-Identifier: Apache-2.0 */
#include "node/driver.h"

#include "tests/test.h"

TEST(a_node_that_names_no_system_has_the_generic_driver)
{
    static const struct driver one = { .name = "one" }, generic = { .name = "generic" };
    static const struct driver *const drivers[] = { &one, &generic, NULL };
    check(driver_find(drivers, S("one")) == &one);
    check(driver_find(drivers, S("")) == &generic);
    check(driver_find(drivers, S("two")) == NULL);
}
