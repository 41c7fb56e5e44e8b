/* SPDX-License-Identifier: Apache-2.0 */
#include "reach/fleet.h"

#include "base/io.h"
#include "tests/folder.h"
#include "tests/test.h"

/* A worker that says which state folder it was given, and ends when it is told to. */
static const char *const script =
    "#!/bin/sh\nwhile read l; do case $l in *end*) exit 1 ;; esac\n"
    "printf '{\"id\":%d,\"ok\":true,\"state\":\"%s\"}\\n' $((n += 1)) \"$3\"; done\n";

static str ask(struct arena *arena, struct fleet *fleet, str node, const char *op)
{
    AUTO(err) struct err err = { 0 };
    AUTO(json) json_t *answer = NULL;
    if (!reach_ask(fleet_reach(fleet, node), op, NULL, 60000, &answer, &err))
        return str_c(err_kind_name(err.kind));
    return answer_text(arena, answer, "state");
}

TEST(each_node_has_a_worker_with_its_own_state_and_a_lost_one_is_replaced)
{
    AUTO(folder) struct folder folder;
    AUTO(err) struct err err = { 0 };
    folder_open(&folder);
    str program = io_join(&folder.arena, folder.path, S("worker"));
    check_ok(io_replace(program.ptr, str_c(script), (struct io_owner){ (uid_t)-1, (gid_t)-1, 0700 },
                        &err),
             &err);
    struct cluster cluster = { .arena = &folder.arena };
    list_push(&folder.arena, &cluster.nodes) = (struct node_conf){ .name = S("db1") };
    list_push(&folder.arena, &cluster.nodes) =
        (struct node_conf){ .name = S("db2"), .state = S("/its/own") };
    AUTO(fleet) struct fleet fleet;
    fleet_open(&folder.arena, &cluster, program.ptr, S("/usual"), &fleet);
    check_str(ask(&folder.arena, &fleet, S("db1"), "x"), S("/usual/db1"));
    check_str(ask(&folder.arena, &fleet, S("db2"), "x"), S("/its/own"));
    check(fleet_reach(&fleet, S("db3")) == NULL);
    check_str(ask(&folder.arena, &fleet, S("db2"), "end"), S("ERR_UNCERTAIN"));
    check_str(ask(&folder.arena, &fleet, S("db2"), "x"), S("ERR_NETWORK"));
    fleet_restart(&fleet, S("db2"));
    check_str(ask(&folder.arena, &fleet, S("db2"), "x"), S("/its/own"));
    check_str(ask(&folder.arena, &fleet, S("db1"), "x"), S("/usual/db1"));
}

TEST(a_nodes_text_is_a_cluster_file_with_that_node_alone)
{
    AUTO(arena) struct arena arena = { 0 };
    struct node_conf node = { .name = S("db1"), .system = S("postgresql"), .data = S("/d") };
    check_str(fleet_node_text(&arena, &node),
              S("nodes:\n  db1:\n    system: postgresql\n    data: /d\n"));
}
