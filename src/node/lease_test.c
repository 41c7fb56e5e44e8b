/* SPDX-License-Identifier: Apache-2.0 */
#include "node/lease.h"

#include "tests/test.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static struct lease_place place_new(struct arena *arena)
{
    char dir[] = "/tmp/reseal-lease-XXXXXX";
    test_dir(dir);
    return (struct lease_place){ str_copy(arena, str_c(dir)), S("c-1"), 50 };
}

static struct lease_holder self(struct arena *arena, const char *name)
{
    return (struct lease_holder){ str_c(name), lease_host(arena), lease_machine(arena), getpid(),
                                  lease_process(arena, getpid()) };
}

static bool take(const struct lease_place *place, const struct lease_holder *holder, int64_t token,
                 str take_over, int64_t *ret_token, struct err *err)
{
    struct lease_claim claim = { *holder, token, take_over, 0 };
    return lease_take(place, &claim, ret_token, err);
}

TEST(a_second_holder_is_refused_and_told_who_the_first_is)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct lease_place place = place_new(&arena);
    struct lease_holder first = self(&arena, "alice"), second = self(&arena, "bob");
    first.pid = getppid();
    first.started = lease_process(&arena, getppid());
    int64_t token;
    check_ok(take(&place, &first, 0, S(""), &token, &err), &err);
    check_int(token, 1);
    check(!take(&place, &second, 0, S(""), &token, &err));
    check_int(err.kind, ERR_CONFLICT);
    check(strstr(err.msg, "alice (process") != NULL);
    err_clear(&err);
    check(!take(&place, &second, 0, S("carol"), &token, &err));
    err_clear(&err);
    check_ok(take(&place, &second, 0, S("alice"), &token, &err), &err);
    check_int(token, 2);
}

TEST(a_holder_that_died_on_this_host_is_taken_over_silently)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct lease_place place = place_new(&arena);
    pid_t pid = fork();
    if (pid == 0)
        pause();
    struct lease_holder gone = self(&arena, "gone"), next = self(&arena, "next");
    gone.pid = pid;
    gone.started = lease_process(&arena, pid);
    check(gone.started.len > 0);
    int64_t token;
    check_ok(take(&place, &gone, 0, S(""), &token, &err), &err);
    check(!take(&place, &next, 0, S(""), &token, &err));
    err_clear(&err);
    kill(pid, SIGKILL);
    check_int(waitpid(pid, NULL, 0), pid);
    check_ok(take(&place, &next, 0, S(""), &token, &err), &err);
    check_int(token, 2);
}

/* A process of that machine and host which is not here. */
static bool is_replaced(struct arena *arena, str host, str machine)
{
    AUTO(err) struct err err = { 0 };
    struct lease_place place = place_new(arena);
    struct lease_holder far = { S("far"), host, machine, 1, S("x/1") };
    struct lease_holder near = self(arena, "near");
    int64_t token;
    check_ok(take(&place, &far, 0, S(""), &token, &err), &err);
    if (take(&place, &near, 0, S(""), &token, &err))
        return true;
    check_int(err.kind, ERR_CONFLICT);
    return false;
}

TEST(a_holder_that_is_not_seen_is_dead_only_where_host_and_machine_are_ours)
{
    AUTO(arena) struct arena arena = { 0 };
    str host = lease_host(&arena), machine = lease_machine(&arena);
    check(is_replaced(&arena, host, machine));
    check(!is_replaced(&arena, S("elsewhere.example"), machine));
    check(!is_replaced(&arena, host, S("0123456789abcdef/pid:[1]")));
    check(!is_replaced(&arena, host, S("")));
}

TEST(who_is_dead_where_the_claim_was_made_is_replaced_and_nobody_else)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct lease_place place = place_new(&arena);
    struct lease_holder far = { S("far"), S("elsewhere.example"), S("m"), 1, S("x/1") };
    struct lease_claim claim = { self(&arena, "near"), 0, S(""), 4 };
    int64_t token;
    check_ok(take(&place, &far, 5, S(""), &token, &err), &err);
    check(!lease_take(&place, &claim, &token, &err));
    check_int(err.kind, ERR_CONFLICT);
    err_clear(&err);
    claim.dead = 5;
    check_ok(lease_take(&place, &claim, &token, &err), &err);
    check_int(token, 6);
}

TEST(only_the_newest_token_may_write_and_tokens_only_rise)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct lease_place place = place_new(&arena);
    struct lease_holder me = self(&arena, "me");
    int64_t token;
    int fd = -1;
    check(!lease_check(&place, 1, &fd, &err));
    err_clear(&err);
    check_ok(take(&place, &me, 7, S(""), &token, &err), &err);
    check_ok(take(&place, &me, 0, S(""), &token, &err), &err);
    check_int(token, 8);
    check(!lease_check(&place, 7, &fd, &err));
    check_int(err.kind, ERR_CONFLICT);
    err_clear(&err);
    check(!take(&place, &me, 8, S(""), &token, &err));
    err_clear(&err);
    check_ok(lease_check(&place, 8, &fd, &err), &err);
    close(fd);
    check_ok(lease_release(&place, 8, &err), &err);
    check(!lease_check(&place, 8, &fd, &err));
    err_clear(&err);
    check_ok(take(&place, &me, 0, S(""), &token, &err), &err);
    check_int(token, 9);
}

/* A process that holds the lock, and a child of its own that outlives it with all it had open. */
static pid_t hold_lock(const struct lease_place *place, int64_t token, bool with_child)
{
    int ready[2];
    char byte;
    check_int(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        AUTO(err) struct err err = { 0 };
        int fd = -1;
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nobody behind */
        bool held = lease_check(place, token, &fd, &err);
        pid_t child = with_child ? fork() : 1;
        if (child == 0)
            (void)!alarm(60);
        if (child != 0)
            (void)!write(ready[1], held ? "y" : "n", 1);
        for (;;)
            pause();
    }
    check_int(read(ready[0], &byte, 1), 1);
    check_int(byte, 'y');
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    check_int(waitpid(pid, NULL, 0), pid);
}

TEST(whoever_waits_in_vain_for_the_lock_learns_which_process_has_it)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct lease_place place = place_new(&arena);
    struct lease_holder me = self(&arena, "me");
    int64_t token;
    check_ok(take(&place, &me, 0, S(""), &token, &err), &err);
    pid_t pid = hold_lock(&place, token, false);
    check(!take(&place, &me, 0, S("me"), &token, &err));
    check_int(err.kind, ERR_CONFLICT);
    check_str(str_c(err.msg),
              str_printf(&arena, "process %d is writing to this node right now", (int)pid));
    end(pid);
}

TEST(a_killed_holders_lock_is_free_though_a_child_of_it_lives)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct lease_place place = place_new(&arena);
    struct lease_holder me = self(&arena, "me");
    int64_t token;
    check_ok(take(&place, &me, 0, S(""), &token, &err), &err);
    end(hold_lock(&place, token, true));
    check_ok(take(&place, &me, 0, S("me"), &token, &err), &err);
    check_int(token, 2);
}

TEST(a_cluster_id_that_would_leave_the_folder_is_refused)
{
    AUTO(arena) struct arena arena = { 0 };
    const str ids[] = { S(""), S("../x"), S("a/b"), S("a\0b"), S(".") };
    for (size_t i = 0; i < COUNT(ids); i++) {
        AUTO(err) struct err err = { 0 };
        struct lease_place place = place_new(&arena);
        place.cluster = ids[i];
        struct lease lease;
        check(!lease_read(&arena, &place, &lease, &err));
        check_int(err.kind, ERR_FORMAT);
    }
}
