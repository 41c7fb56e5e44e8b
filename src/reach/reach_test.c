/* SPDX-License-Identifier: Apache-2.0 */
#include "reach/reach.h"

#include "base/io.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* How a worker greets; what comes behind it is its second request. */
#define HELLO "read l; echo '{\"id\":1,\"ok\":true,\"version\":1,\"program\":\"x\"}'; "

static str script_at(struct arena *arena, const char *script)
{
    AUTO(err) struct err err = { 0 };
    char dir[] = "/tmp/reseal-reach-XXXXXX";
    test_dir(dir);
    str program = str_printf(arena, "%s/worker", dir);
    str text = str_printf(arena, "#!/bin/sh\n%s\n", script);
    check_ok(io_replace(program.ptr, text, (struct io_owner){ (uid_t)-1, (gid_t)-1, 0700 }, &err),
             &err);
    return program;
}

/* A worker that is a shell script: what it answers is in the test. */
static void start(struct arena *arena, const char *script, struct reach *reach)
{
    AUTO(err) struct err err = { 0 };
    check_ok(reach_local(script_at(arena, script).ptr, S("db1"), S("/s"), reach, &err), &err);
}

/* The error of one question to a worker that is this script, or to one behind a client that is. */
static void fails(const char *script, bool elsewhere, int timeout_ms, struct err *ret_err)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(reach) struct reach reach = { 0 };
    json_t *answer = NULL;
    struct ssh_way way = {
        .address = {.user = S("root"), .host = S("h")},
        .client = script_at(&arena, script).ptr,
        .node = S("db1")
    };
    if (elsewhere)
        check_ok(reach_ssh(&way, &reach, ret_err), ret_err);
    else
        start(&arena, script, &reach);
    check(!reach_ask(&reach, "x", NULL, timeout_ms, &answer, ret_err));
}

TEST(several_workers_are_asked_side_by_side_and_fail_one_by_one)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(reach) struct reach good = { 0 }, dead = { 0 }, mute = { 0 }, odd = { 0 };
    start(&arena, HELLO "read l; echo '{\"id\":2,\"ok\":true,\"n\":5}'; read l", &good);
    start(&arena, HELLO "read l; exit 1", &dead);
    start(&arena, HELLO "read l; read l", &mute);
    start(&arena, HELLO "read l; echo '{\"id\":2'; read l", &odd);
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
    check(!reach_is_over(&good));
    check(reach_is_over(&dead));
    for (size_t i = 0; i < COUNT(asks); i++)
        ask_clear(&asks[i]);
    AUTO(err) struct err err = { 0 };
    json_t *answer = NULL;
    check(!reach_ask(&mute, "y", NULL, 1000, &answer, &err));
    check_int(err.kind, ERR_NETWORK);
}

TEST(before_its_hello_a_worker_is_asked_for_nothing)
{
    // clang-format off
    static const struct { const char *script; enum err_kind kind; const char *says; } cases[] = {
        { "read l; exit 1", ERR_NETWORK, "node db1: the worker ended" },
        { "echo Welcome to db1; read l; read l", ERR_FORMAT,
          "node db1: it prints \"Welcome to db1\" where reseal's answer should be" },
        { "read l; echo '{\"id\":1,\"ok\":true,\"version\":2,\"program\":\"9\"}'; read l", ERR_REFUSED,
          "node db1: reseal 9 there speaks version 2 of the protocol, reseal " RESEAL_VERSION
          " here version 1: both must be the same" },
        { "read l; echo '{\"id\":1,\"ok\":false,\"error\":{\"kind\":\"ERR_USAGE\",\"text\":\"no\"}}'",
          ERR_USAGE, "node db1: no" },
    };
    // clang-format on
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(err) struct err err = { 0 };
        str script = S("");
        AUTO(arena) struct arena arena = { 0 };
        script = str_printf(&arena, "%s\ncat >>$0.asked", cases[i].script);
        fails(script.ptr, false, 60000, &err);
        check_int(err.kind, cases[i].kind);
        check_str(str_c(err.msg), str_c(cases[i].says));
    }
}

TEST(a_client_that_ends_before_the_hello_is_explained_and_one_that_ends_after_it_is_uncertain)
{
    AUTO(err) struct err early = { 0 }, late = { 0 }, absent = { 0 };
    fails("echo 'ssh: connect to host h port 22: Connection refused' >&2; exit 255", true, 60000,
          &early);
    check_int(early.kind, ERR_NETWORK);
    check_str(str_c(early.msg), S("node db1: ssh: connect to host h port 22: Connection refused"));
    fails(HELLO "read l; echo 'Timeout, server h not responding.' >&2; exit 255", true, 60000,
          &late);
    check_int(late.kind, ERR_UNCERTAIN);
    check_str(str_c(late.msg),
              S("node db1: x: the connection was lost: Timeout, server h not responding."));
    fails("exit 127", true, 60000, &absent);
    check_int(absent.kind, ERR_REFUSED);
    check_str(str_c(absent.next), S("ssh root@h 'reseal --version'"));
}

TEST(what_a_node_elsewhere_says_to_type_is_typed_here)
{
    AUTO(err) struct err err = { 0 };
    fails(HELLO "read l; echo '{\"id\":2,\"ok\":false,\"error\":{\"kind\":\"ERR_REFUSED\","
                "\"text\":\"full\",\"next\":\"df -h /srv\"}}'; read l",
          true, 60000, &err);
    check_int(err.kind, ERR_REFUSED);
    check_str(str_c(err.msg), S("node db1: full"));
    check_str(str_c(err.next), S("ssh root@h 'df -h /srv'"));
}

TEST(a_client_that_talks_without_end_and_a_worker_that_hangs_have_their_deadline)
{
    AUTO(err) struct err err = { 0 };
    fails(HELLO "read l; while echo 'debug1: and so on, for longer than any pipe holds' >&2; "
                "do :; done",
          true, 300, &err);
    check_int(err.kind, ERR_UNCERTAIN);
    check(str_starts(str_c(err.msg), S("node db1: x: no answer in time")));
}
