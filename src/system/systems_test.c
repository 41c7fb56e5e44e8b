/* SPDX-License-Identifier: Apache-2.0 */
#include "system/systems.h"

#include "tests/test.h"

TEST(every_driver_is_found_by_the_name_that_a_node_gives_as_its_system)
{
    for (size_t i = 0; systems[i] != NULL; i++)
        check(driver_find(systems, str_c(systems[i]->name)) == systems[i]);
    check(driver_find(systems, S("postgresq")) == NULL);
}
