/* SPDX-License-Identifier: Apache-2.0 */
/* Covers files.c, kind.c, lab.c, record.c, server.c and status.c: what every kind of lab has. */
#include "lab/server.h"

#include "base/io.h"
#include "lab/files.h"
#include "lab/record.h"
#include "tests/test.h"

#include <stdlib.h>
#include <unistd.h>

/* Two servers that get ready only when both run; the second one's first port is taken. */
static uint16_t first_ports[2];
static struct lab_process first_server;

static void name_node(struct arena *arena, struct lab *lab, size_t index)
{
    lab->nodes[index].name = str_printf(arena, "s%zu", index + 1);
}

static bool prepare(struct arena *arena, const struct lab *lab, size_t index,
                    struct lab_command *ret_command, struct err *err)
{
    static const char *const taken[] = { "/bin/sh", "-c", "echo bind: address already in use", 0 };
    static const char *const runs[] = { "/bin/sleep", "1000", 0 };
    const struct lab_node *node = &lab->nodes[index];
    bool first = first_ports[index] == 0;
    (void)arena;
    (void)err;
    if (first)
        first_ports[index] = node->port;
    *ret_command = (struct lab_command){ .argv = first && index == 1 ? taken : runs,
                                         .log = node->log.ptr,
                                         .cwd = lab->dir.ptr,
                                         .server = true };
    return true;
}

static bool ready(struct arena *arena, const struct lab *lab, size_t index)
{
    (void)arena;
    if (first_server.pid == 0)
        first_server = lab->nodes[0].server;
    return lab_process_alive(&lab->nodes[1 - index].server) &&
           lab->nodes[index].port != first_ports[index];
}

static bool not_running(struct arena *arena, const struct lab_node *node,
                        struct lab_process *ret_process)
{
    (void)arena;
    (void)node;
    (void)ret_process;
    return false;
}

static const struct lab_kind pair = { .name = "pair",
                                      .nodes_least = 2,
                                      .nodes_most = 2,
                                      .nodes_usual = 2,
                                      .states = 1U << LAB_HEALTHY,
                                      .ports = 2,
                                      .name_node = name_node,
                                      .prepare = prepare,
                                      .ready = ready,
                                      .running = not_running };

TEST(servers_that_need_each_other_start_together_and_again_with_other_ports_where_one_was_taken)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    char dir[] = "/tmp/lab-pair-XXXXXX";
    test_dir(dir);
    struct lab lab = { .kind = &pair, .dir = str_c(dir), .count = 2 };
    str text;
    lab_name_nodes(&arena, &lab);
    for (size_t i = 0; i < 2; i++)
        check_ok(lab_make_dir(&lab, lab.nodes[i].home, 0755, LAB_OURS, &err), &err);
    check_ok(lab_start(&arena, &lab, 0, 2, &err), &err);
    check(!lab_process_alive(&first_server));
    for (size_t i = 0; i < 2; i++) {
        check(lab.nodes[i].port != first_ports[i] && lab.nodes[i].other_port != 0);
        check(lab.nodes[i].port < 32768 && lab.nodes[i].other_port < 32768);
        check(lab_server_of(&arena, &lab, i).pid == lab.nodes[i].server.pid);
    }
    check_ok(io_read(&arena, str_printf(&arena, "%s/lab.json", dir).ptr, 65536, &text, &err), &err);
    str pid = str_printf(&arena, "\"pid\": %d", (int)lab.nodes[1].server.pid);
    check(str_find(text, pid) < text.len);
    for (size_t i = 0; i < 2; i++) {
        check_ok(lab_process_stop(&lab.nodes[i].server, &err), &err);
        check(lab_server_of(&arena, &lab, i).pid == 0);
    }
}

TEST(a_kind_of_lab_says_how_many_nodes_and_which_states_it_has_before_anything_is_made)
{
    static const struct {
        size_t nodes;
        enum lab_state state;
        bool verify_full;
        const char *says;
    } cases[] = {
        {3,  LAB_HEALTHY, true,  "the lab pair has 2 nodes"          },
        { 2, LAB_EXPIRED, true,  "the lab pair has no state expired" },
        { 2, LAB_HEALTHY, false, "the lab pair always verifies names"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(arena) struct arena arena = { 0 };
        AUTO(err) struct err err = { 0 };
        struct lab lab;
        struct lab_options options = { &pair,          S("/tmp/lab-never-made"), cases[i].nodes,
                                       cases[i].state, cases[i].verify_full,     "reseal" };
        check_err(lab_up(&arena, &options, &lab, &err), &err, cases[i].says);
        check_int(err.kind, ERR_USAGE);
        check(access("/tmp/lab-never-made", F_OK) != 0);
    }
}

TEST(every_kind_is_found_by_its_name_and_no_other)
{
    for (size_t i = 0; lab_kinds[i] != NULL; i++)
        check(lab_kind_find(str_c(lab_kinds[i]->name)) == lab_kinds[i]);
    check(lab_kind_find(S("oracle")) == NULL);
}
