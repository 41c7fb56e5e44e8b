/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/process.h"

#include "tests/test.h"

#include <signal.h>
#include <unistd.h>

TEST(a_process_is_known_by_its_start_so_that_a_pid_used_again_is_a_stranger)
{
    struct lab_process self;
    check(lab_process_of(getpid(), &self) && lab_process_alive(&self));
    struct lab_process other = { self.pid, self.started + 1 };
    check(!lab_process_alive(&other));
    check(!lab_process_of(0, &other));
}

TEST(a_server_is_stopped_though_the_lab_was_begun_in_the_background)
{
    AUTO(err) struct err err = { 0 };
    static const char *const argv[] = { "/bin/sleep", "1000", NULL };
    char dir[] = "/tmp/lab-process-XXXXXX";
    test_dir(dir);
    struct lab_command command = { argv, "log", dir, true };
    struct lab_user user = { .name = S("unchanged") };
    struct lab_process process;
    /* What a shell without job control does to what it puts there. */
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    check_ok(lab_spawn(&user, &command, &process, &err), &err);
    signal(SIGINT, SIG_DFL);
    signal(SIGQUIT, SIG_DFL);
    check_ok(lab_process_stop(&process, &err), &err);
    check(!lab_process_alive(&process));
}
