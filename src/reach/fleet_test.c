/* SPDX-License-Identifier: Apache-2.0 */
#include "reach/fleet.h"

#include "tests/folder.h"
#include "tests/test.h"

/* A worker that says how it was called, and ends when it is told to. */
static const char *const script =
    "#!/bin/sh\nwhile read l; do case $l in *end*) exit 1 ;; esac\n"
    "printf '{\"id\":%d,\"ok\":true,\"version\":1,\"called\":\"%s\"}\\n' $((n += 1)) \"$*\"\n"
    "done\n";

static str ask(struct arena *arena, struct fleet *fleet, str node, const char *op)
{
    AUTO(err) struct err err = { 0 };
    AUTO(json) json_t *answer = NULL;
    if (!reach_ask(fleet_reach(fleet, node), op, NULL, 60000, &answer, &err))
        return str_c(err_kind_name(err.kind));
    return answer_text(arena, answer, "called");
}

TEST(each_node_has_a_worker_with_its_own_state_and_a_lost_one_is_replaced)
{
    AUTO(folder) struct folder folder;
    folder_open(&folder);
    struct cluster cluster = { .arena = &folder.arena };
    list_push(&folder.arena, &cluster.nodes) = (struct node_conf){ .name = S("db1") };
    list_push(&folder.arena, &cluster.nodes) =
        (struct node_conf){ .name = S("db2"), .state = S("/its/own") };
    AUTO(fleet) struct fleet fleet;
    str program = folder_put(&folder, "worker", str_c(script), 0700);
    fleet_open(&folder.arena, &cluster, program.ptr, &fleet);
    check_str(ask(&folder.arena, &fleet, S("db1"), "x"), S("node -- db1"));
    check_str(ask(&folder.arena, &fleet, S("db2"), "x"), S("node --state /its/own -- db2"));
    check(fleet_reach(&fleet, S("db3")) == NULL);
    check_str(ask(&folder.arena, &fleet, S("db2"), "end"), S("ERR_UNCERTAIN"));
    check_str(ask(&folder.arena, &fleet, S("db2"), "x"), S("node --state /its/own -- db2"));
    check_str(ask(&folder.arena, &fleet, S("db1"), "x"), S("node -- db1"));
}

TEST(a_worker_that_never_answered_is_not_tried_again)
{
    AUTO(folder) struct folder folder;
    folder_open(&folder);
    struct cluster cluster = { .arena = &folder.arena };
    list_push(&folder.arena, &cluster.nodes) = (struct node_conf){ .name = S("db1") };
    AUTO(fleet) struct fleet fleet;
    str program = folder_put(&folder, "worker", S("#!/bin/sh\necho x >>$0.times\n"), 0700);
    fleet_open(&folder.arena, &cluster, program.ptr, &fleet);
    check_str(ask(&folder.arena, &fleet, S("db1"), "x"), S("ERR_NETWORK"));
    check_str(ask(&folder.arena, &fleet, S("db1"), "x"), S("ERR_NETWORK"));
    check_str(folder_text(&folder, folder_at(&folder, "worker.times")), S("x\n"));
}

TEST(what_is_typed_for_a_node_elsewhere_goes_by_ssh)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct cluster cluster;
    check_ok(cluster_parse(&arena, "/x/c.yaml",
                           S("cluster: a\n"
                             "nodes:\n"
                             "  near: {}\n"
                             "  far: {reach: 'ssh://root@127.0.0.1:1'}\n"),
                           false, &cluster, &err),
             &err);
    AUTO(fleet) struct fleet fleet;
    fleet_open(&arena, &cluster, "/bin/false", &fleet);
    check_str(fleet_line(&arena, &fleet, S("near"), S("df -h /srv")), S("df -h /srv"));
    check_str(fleet_line(&arena, &fleet, S("far"), S("df -h /srv")),
              S("ssh -p 1 root@127.0.0.1 'df -h /srv'"));
}

TEST(a_nodes_text_is_a_cluster_file_with_that_node_alone)
{
    AUTO(arena) struct arena arena = { 0 };
    struct node_conf node = { .name = S("db1"), .system = S("postgresql"), .data = S("/d") };
    check_str(fleet_node_text(&arena, &node),
              S("nodes:\n  db1:\n    system: postgresql\n    data: /d\n"));
}
