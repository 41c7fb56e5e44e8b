/* SPDX-License-Identifier: Apache-2.0 */
#include "reach/reach.h"

#include "base/io.h"
#include "tests/test.h"

#include <stdlib.h>
#include <sys/stat.h>

/* A worker that is a shell script: what it answers is in the test. */
static void start(struct arena *arena, const char *script, struct reach *reach)
{
    AUTO(err) struct err err = { 0 };
    char dir[] = "/tmp/reseal-reach-XXXXXX";
    test_dir(dir);
    str program = str_printf(arena, "%s/worker", dir);
    str text = str_printf(arena, "#!/bin/sh\n%s\n", script);
    check_ok(io_replace(program.ptr, text, (struct io_owner){ (uid_t)-1, (gid_t)-1, 0700 }, &err),
             &err);
    check_ok(reach_local(program.ptr, S("db1"), str_c(dir), reach, &err), &err);
}

TEST(several_workers_are_asked_side_by_side_and_fail_one_by_one)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(reach) struct reach good = { 0 }, dead = { 0 }, mute = { 0 }, odd = { 0 };
    start(&arena, "read l; echo '{\"id\":1,\"ok\":true,\"n\":5}'; read l", &good);
    start(&arena, "read l; exit 1", &dead);
    start(&arena, "read l; read l", &mute);
    start(&arena, "read l; echo '{\"id\":1'; read l", &odd);
    struct reach *all[] = { &good, &dead, &mute, &odd };
    static const enum err_kind kinds[] = { ERR_NONE, ERR_UNCERTAIN, ERR_UNCERTAIN, ERR_FORMAT };
    struct ask asks[4] = { 0 };
    for (size_t i = 0; i < COUNT(asks); i++)
        asks[i] = (struct ask){ .reach = all[i], .op = "x", .timeout_ms = i == 2 ? 200 : 60000 };
    reach_ask_all(asks, COUNT(asks));
    for (size_t i = 0; i < COUNT(asks); i++) {
        check_int(asks[i].err.kind, kinds[i]);
        check_int(asks[i].ok, i == 0);
    }
    check_int(json_integer_value(json_object_get(asks[0].answer, "n")), 5);
    assert_string_equal(asks[1].err.msg, "node db1: x: the worker ended");
    for (size_t i = 0; i < COUNT(asks); i++)
        ask_clear(&asks[i]);
    AUTO(err) struct err err = { 0 };
    json_t *answer = NULL;
    check(!reach_ask(&mute, "y", NULL, 1000, &answer, &err));
    check_int(err.kind, ERR_NETWORK);
}
