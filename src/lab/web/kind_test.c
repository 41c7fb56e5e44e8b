/* SPDX-License-Identifier: Apache-2.0 */
/* Covers config.c, kind.c and server.c. */
#include "lab/kind.h"

#include "base/clock.h"
#include "base/io.h"
#include "lab/server.h"
#include "lab/web/server.h"
#include "node/run.h"
#include "tests/test.h"

#include <stdlib.h>
#include <sys/stat.h>

/* A lab in a folder with a blank in its name; down() is owed for each that came up. */
static void up(struct arena *arena, enum lab_state state, struct lab *ret_lab)
{
    AUTO(err) struct err err = { 0 };
    char space[] = "/tmp/lab web XXXXXX";
    if (!lab_web_find(arena, &(struct lab){ 0 }, &err))
        skip();
    check(mkdtemp(space) != NULL);
    struct lab_options options = { &lab_web, str_printf(arena, "%s/l", space), 0, state, true,
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

static struct lab_status look(struct arena *arena, const struct lab *lab)
{
    AUTO(err) struct err err = { 0 };
    struct lab_status status;
    check_ok(lab_status(arena, lab->dir, &status, &err), &err);
    return status;
}

/* One request of the client app, through the front to one of the others. */
static struct run_result ask(struct arena *arena, const struct lab *lab)
{
    AUTO(err) struct err err = { 0 };
    struct run_result result;
    str_list argv = { 0 };
    list_push(arena, &argv) = S("/usr/bin/curl");
    list_push(arena, &argv) = S("-K");
    list_push(arena, &argv) = str_printf(arena, "%s/app/curl.conf", lab->dir.ptr);
    check_ok(run_as(arena, &argv, S(""), 30000, &result, &err), &err);
    return result;
}

TEST(requests_to_a_healthy_web_lab_are_answered_by_each_nginx_in_turn)
{
    AUTO(arena) struct arena arena = { 0 };
    struct lab lab = { 0 };
    up(&arena, LAB_HEALTHY, &lab);
    struct lab_status status = look(&arena, &lab);
    static const char *const roles[] = { "nginx", "nginx", "HAProxy" };
    static const size_t certificates[] = { 1, 1, 2 };
    for (size_t i = 0; i < 3; i++) {
        check(status.nodes[i].answered);
        check_str(status.nodes[i].role, str_c(roles[i]));
        check_int(status.nodes[i].certificates.count, certificates[i]);
    }
    check_int(status.app.count, 1);
    if (access("/usr/bin/curl", X_OK) == 0) {
        struct run_result first = ask(&arena, &lab), second = ask(&arena, &lab);
        check_int(first.exit_code, 0);
        check_int(second.exit_code, 0);
        check(str_starts(first.output, S("web")) && str_starts(second.output, S("web")));
        check(!str_eq(first.output, second.output));
    }
    down(&arena, &lab);
}

TEST(an_expired_web_lab_runs_and_answers_nobody)
{
    AUTO(arena) struct arena arena = { 0 };
    struct lab lab = { 0 };
    up(&arena, LAB_EXPIRED, &lab);
    struct lab_status status = look(&arena, &lab);
    for (size_t i = 0; i < 3; i++) {
        check(status.nodes[i].running);
        check(status.nodes[i].certificates.items[0].not_after < clock_now());
    }
    if (access("/usr/bin/curl", X_OK) == 0)
        check(ask(&arena, &lab).exit_code != 0);
    down(&arena, &lab);
}
