/* SPDX-License-Identifier: Apache-2.0 */
/* Covers config.c, kind.c and server.c. */
#include "lab/kind.h"

#include "base/clock.h"
#include "base/io.h"
#include "lab/etcd/server.h"
#include "lab/server.h"
#include "node/run.h"
#include "tests/test.h"

#include <stdlib.h>
#include <sys/stat.h>

/* A lab in a folder with a blank in its name; down() is owed for each that came up. */
static void up(struct arena *arena, enum lab_state state, struct lab *ret_lab)
{
    AUTO(err) struct err err = { 0 };
    char space[] = "/tmp/lab etcd XXXXXX";
    if (!lab_etcd_find(arena, &(struct lab){ 0 }, &err))
        skip();
    check(mkdtemp(space) != NULL);
    struct lab_options options = { &lab_etcd, str_printf(arena, "%s/l", space), 0, state, true,
                                   "reseal" };
    check(chmod(space, 0755) == 0);
    check_ok(lab_up(arena, &options, ret_lab, &err), &err);
    check_int(ret_lab->count, 3);
}

static void down(struct arena *arena, const struct lab *lab)
{
    AUTO(err) struct err err = { 0 };
    struct lab_process servers[LAB_NODES_MAX];
    for (size_t i = 0; i < lab->count; i++)
        servers[i] = lab_server_of(arena, lab, i);
    check_ok(lab_down(arena, lab->dir, false, &err), &err);
    check(access(lab->dir.ptr, F_OK) != 0);
    for (size_t i = 0; i < lab->count; i++)
        check(!lab_process_alive(&servers[i]));
    check(rmdir(str_cstr(arena, io_dir_of(arena, lab->dir))) == 0);
}

/* A script of a member, as its user. */
static struct run_result script(struct arena *arena, const struct lab *lab, size_t node,
                                const char *name, const char *word, const char *more)
{
    AUTO(err) struct err err = { 0 };
    struct run_result result;
    str_list argv = { 0 };
    list_push(arena, &argv) = S("/bin/sh");
    list_push(arena, &argv) = str_printf(arena, "%s/%s", lab->nodes[node].home.ptr, name);
    if (word != NULL)
        list_push(arena, &argv) = str_c(word);
    if (more != NULL)
        list_push(arena, &argv) = str_c(more);
    check_ok(run_as(arena, &argv, lab->user.name, 60000, &result, &err), &err);
    return result;
}

static struct lab_status look(struct arena *arena, const struct lab *lab)
{
    AUTO(err) struct err err = { 0 };
    struct lab_status status;
    check_ok(lab_status(arena, lab->dir, &status, &err), &err);
    return status;
}

TEST(a_healthy_etcd_lab_has_one_leader_and_a_member_that_is_restarted_is_found_again)
{
    AUTO(arena) struct arena arena = { 0 };
    struct lab lab = { 0 };
    up(&arena, LAB_HEALTHY, &lab);
    struct lab_status status = look(&arena, &lab);
    size_t leaders = 0;
    for (size_t i = 0; i < 3; i++) {
        check(status.nodes[i].answered);
        check_int(status.nodes[i].certificates.count, 2);
        check(str_ends(status.nodes[i].certificates.items[1].path, S("/tls/peer.crt")));
        leaders += str_eq(status.nodes[i].role, S("leader"));
    }
    check_int(leaders, 1);
    check_int(status.app.count, 1);
    struct lab_process before = lab_server_of(&arena, &lab, 1);
    check_int(script(&arena, &lab, 1, "restart", NULL, NULL).exit_code, 0);
    check(!lab_process_alive(&before));
    struct lab_process now = lab_server_of(&arena, &lab, 1);
    check(now.pid > 0 && now.pid != before.pid);
    int code = 1;
    for (int i = 0; i < 100 && code != 0; i++) {
        code = script(&arena, &lab, 1, "ctl", "endpoint", "health").exit_code;
        lab_pause(100);
    }
    check_int(code, 0);
    down(&arena, &lab);
}

TEST(members_of_an_expired_etcd_lab_run_and_know_of_no_leader)
{
    AUTO(arena) struct arena arena = { 0 };
    struct lab lab = { 0 };
    up(&arena, LAB_EXPIRED, &lab);
    struct lab_status status = look(&arena, &lab);
    for (size_t i = 0; i < 3; i++) {
        check(status.nodes[i].running && !status.nodes[i].answered);
        check(status.nodes[i].why_not.len > 0);
        check(status.nodes[i].certificates.items[0].not_after < clock_now());
    }
    down(&arena, &lab);
}
