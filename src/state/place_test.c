/* SPDX-License-Identifier: Apache-2.0 */
#include "state/place.h"

#include "tests/test.h"

#include <stdlib.h>
#include <sys/stat.h>

TEST(a_new_state_folder_and_the_nodes_part_of_it_are_the_owners_alone)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    char dir[] = "/tmp/reseal-place-XXXXXX";
    test_dir(dir);
    str given = str_printf(&arena, "%s/a/state", dir), place, node;
    check_ok(state_node_place(&arena, given.ptr, S("db1"), &node, &err), &err);
    check_ok(state_place(&arena, given.ptr, &place, &err), &err);
    check_str(place, given);
    check_str(node, str_printf(&arena, "%s/node", given.ptr));
    struct stat st;
    check_int(stat(node.ptr, &st), -1); /* made when something is first kept in it */
    check_int(stat(place.ptr, &st), 0);
    check_int(st.st_mode & 0777, 0700);
    check(!state_place(&arena, "", &place, &err));
    check_int(err.kind, ERR_USAGE);
}

TEST(a_node_without_a_folder_of_its_own_has_one_by_its_name_in_the_usual_place)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    static const char *const no_names[] = { ".", "..", "a/b", "../x" };
    str place;
    check_ok(state_node_place(&arena, NULL, S("db1"), &place, &err), &err);
    check(str_ends(place, S("/reseal/nodes/db1/node")));
    check_ok(state_node_place(&arena, NULL, S(""), &place, &err), &err);
    check(str_ends(place, S("/reseal/node")));
    for (size_t i = 0; i < COUNT(no_names); i++) {
        check(!state_node_place(&arena, NULL, str_c(no_names[i]), &place, &err));
        check_int(err.kind, ERR_USAGE);
        err_clear(&err);
    }
}
