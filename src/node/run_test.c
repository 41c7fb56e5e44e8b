/* SPDX-License-Identifier: Apache-2.0 */
#include "node/run.h"

#include "tests/folder.h"
#include "tests/test.h"

#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATIENCE_MS = 30 * 1000 };

static struct run_result shell(struct arena *arena, const char *script, str user)
{
    AUTO(err) struct err err = { 0 };
    struct run_result result;
    str_list argv = { 0 };
    list_push(arena, &argv) = S("/bin/sh");
    list_push(arena, &argv) = S("-c");
    list_push(arena, &argv) = str_c(script);
    check_ok(run_as(arena, &argv, user, PATIENCE_MS, &result, &err), &err);
    return result;
}

TEST(a_command_gives_its_exit_code_and_all_that_it_said)
{
    AUTO(arena) struct arena arena = { 0 };
    struct run_result result = shell(&arena, "echo out; echo err >&2; exit 3", S(""));
    check_int(result.exit_code, 3);
    check_str(result.output, S("out\nerr\n"));
    result = shell(&arena, "kill -TERM $$", S(""));
    check_int(result.exit_code, 128 + 15);
    check_str(result.output, S(""));
}

TEST(a_command_goes_through_no_shell_and_sees_nothing_of_our_environment)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct run_result result;
    str_list argv = { 0 };
    list_push(&arena, &argv) = S("/bin/echo");
    list_push(&arena, &argv) = S("$HOME; `id` *");
    check_ok(run_as(&arena, &argv, S(""), PATIENCE_MS, &result, &err), &err);
    check_str(result.output, S("$HOME; `id` *\n"));
    check_int(setenv("RESEAL_TEST_SECRET", "hunter2", 1), 0);
    argv.count = 0;
    list_push(&arena, &argv) = S("/usr/bin/env");
    check_ok(run_as(&arena, &argv, S(""), PATIENCE_MS, &result, &err), &err);
    check_int(unsetenv("RESEAL_TEST_SECRET"), 0);
    const struct passwd *self = getpwuid(geteuid());
    check_str(result.output,
              str_printf(&arena,
                         "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
                         "HOME=%s\nUSER=%s\nLC_ALL=C\n",
                         self->pw_dir, self->pw_name));
}

TEST(a_command_inherits_no_file_and_reads_nothing)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(fd) int secret = dup2(STDERR_FILENO, 77); /* not closed on exec */
    check_int(secret, 77);
    check_str(shell(&arena, "test -e /proc/$$/fd/77 && echo open; cat; echo end", S("")).output,
              S("end\n"));
}

TEST(a_command_that_is_not_there_says_so)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct run_result result;
    str_list argv = { 0 };
    check(!run_as(&arena, &argv, S(""), PATIENCE_MS, &result, &err));
    check_int(err.kind, ERR_FORMAT);
    err_clear(&err);
    list_push(&arena, &argv) = S("/nowhere/pg_ctl");
    check_ok(run_as(&arena, &argv, S(""), PATIENCE_MS, &result, &err), &err);
    check_int(result.exit_code, 127);
    check_str(result.output, S("/nowhere/pg_ctl: No such file or directory\n"));
    check(!run_as(&arena, &argv, S("no-such-user"), PATIENCE_MS, &result, &err));
    check_int(err.kind, ERR_USAGE);
}

TEST(more_output_than_is_kept_is_read_and_dropped)
{
    AUTO(arena) struct arena arena = { 0 };
    struct run_result result = shell(&arena, "head -c 1000000 /dev/zero; exit 4", S(""));
    check_int(result.exit_code, 4);
    check(result.output.len > 0 && result.output.len <= RUN_OUTPUT_MAX);
}

/* Everything that the command started holds the FIFO; it hangs up when the last one is gone. */
TEST(past_its_time_a_command_is_killed_with_all_that_it_started_and_the_outcome_is_uncertain)
{
    AUTO(folder) struct folder folder;
    AUTO(err) struct err err = { 0 };
    folder_open(&folder);
    str fifo = folder_at(&folder, "alive");
    check_int(mkfifo(fifo.ptr, 0600), 0);
    AUTO(fd) int reader = open(fifo.ptr, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    check(reader >= 0);
    struct run_result result;
    str_list argv = { 0 };
    str script =
        str_printf(&folder.arena, "exec 9>'%.*s'; echo >&9; sleep 1000 & wait", STR_ARG(fifo));
    list_push(&folder.arena, &argv) = S("/bin/sh");
    list_push(&folder.arena, &argv) = S("-c");
    list_push(&folder.arena, &argv) = script;
    check(!run_as(&folder.arena, &argv, S(""), 500, &result, &err));
    check_int(err.kind, ERR_UNCERTAIN);
    struct pollfd wait = { .fd = reader, .events = POLLIN };
    char byte;
    check_int(poll(&wait, 1, PATIENCE_MS), 1);
    check_int(read(reader, &byte, 1), 1);
    check_int(poll(&wait, 1, PATIENCE_MS), 1);
    check_int(read(reader, &byte, 1), 0);
}

TEST(a_daemon_that_keeps_the_output_open_does_not_keep_its_starter)
{
    AUTO(arena) struct arena arena = { 0 };
    struct run_result result = shell(&arena, "sleep 1000 & echo $!", S(""));
    uint64_t pid;
    check_int(result.exit_code, 0);
    check(str_to_u64(str_trim(result.output), INT32_MAX, &pid));
    check_int(kill((pid_t)pid, SIGKILL), 0);
}

TEST(root_runs_a_command_as_the_user_with_their_groups_alone)
{
    AUTO(arena) struct arena arena = { 0 };
    if (geteuid() != 0)
        skip();
    const struct passwd *nobody = getpwnam("nobody");
    struct run_result result =
        shell(&arena, "id -un; id -u; id -ru; id -G; echo $HOME", S("nobody"));
    check_str(result.output, str_printf(&arena, "nobody\n%d\n%d\n%d\n%s\n", (int)nobody->pw_uid,
                                        (int)nobody->pw_uid, (int)nobody->pw_gid, nobody->pw_dir));
}

static int answer(int out, void *context)
{
    dprintf(out, "%s %d", (const char *)context, (int)geteuid());
    return 7;
}

static int hang(int out, void *context)
{
    (void)out, (void)context;
    return pause();
}

static int die(int out, void *context)
{
    (void)out, (void)context;
    return raise(SIGKILL);
}

TEST(a_question_is_answered_by_a_child_that_may_hang_or_die)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct run_result result;
    char text[] = "asked";
    check_ok(run_call(&arena, S(""), PATIENCE_MS, answer, text, &result, &err), &err);
    check_int(result.exit_code, 7);
    check_str(result.output, str_printf(&arena, "asked %d", (int)geteuid()));
    check_ok(run_call(&arena, S(""), PATIENCE_MS, die, NULL, &result, &err), &err);
    check_int(result.exit_code, 128 + 9);
    check(!run_call(&arena, S(""), 100, hang, NULL, &result, &err));
    check_int(err.kind, ERR_UNCERTAIN);
    err_clear(&err);
    check(!run_call(&arena, S("no-such-user"), 100, answer, text, &result, &err));
    check_int(err.kind, ERR_USAGE);
    if (geteuid() != 0)
        return;
    check_ok(run_call(&arena, S("nobody"), PATIENCE_MS, answer, text, &result, &err), &err);
    check_str(result.output, str_printf(&arena, "asked %d", (int)getpwnam("nobody")->pw_uid));
}

static bool can_read(str path, const char *user)
{
    AUTO(err) struct err err = { 0 };
    bool can;
    check_ok(run_can_read(path, str_c(user), &can, &err), &err);
    return can;
}

TEST(whether_a_user_can_read_a_file_depends_on_it_and_on_the_folders_above)
{
    AUTO(folder) struct folder folder;
    AUTO(err) struct err err = { 0 };
    folder_open(&folder);
    str open = folder_put(&folder, "open", S("x"), 0644);
    str closed = folder_put(&folder, "closed", S("x"), 0600);
    str inside = folder_put(&folder, "folder/open", S("x"), 0644);
    check_int(chmod(folder_at(&folder, "folder").ptr, 0700), 0);
    check(can_read(open, "") && can_read(closed, "") && can_read(inside, ""));
    check(!can_read(folder_at(&folder, "none"), ""));
    bool can;
    check(!run_can_read(open, S("no-such-user"), &can, &err));
    check_int(err.kind, ERR_USAGE);
    if (geteuid() != 0)
        return;
    check(can_read(open, "nobody"));
    check(!can_read(closed, "nobody") && !can_read(inside, "nobody"));
}

TEST(the_owner_of_a_file_is_named)
{
    AUTO(folder) struct folder folder;
    folder_open(&folder);
    str path = folder_put(&folder, "f", S("x"), 0600);
    check_str(run_owner(&folder.arena, path), str_c(getpwuid(geteuid())->pw_name));
    check_str(run_owner(&folder.arena, folder_at(&folder, "none")), S(""));
    if (geteuid() != 0)
        return;
    check_int(chown(path.ptr, getpwnam("nobody")->pw_uid, 0), 0);
    check_str(run_owner(&folder.arena, path), S("nobody"));
}

TEST(what_a_command_prints_is_apart_from_what_it_complains_about)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    str_list argv = { 0 }, environment = { 0 };
    str output;
    list_push(&arena, &argv) = S("/bin/sh");
    list_push(&arena, &argv) = S("-c");
    list_push(&arena, &argv) = S("echo no >&2; printf %s \"$A $HOME\"");
    list_push(&arena, &environment) = S("A=a b");
    check_ok(run_print(&arena, &argv, &environment, 10000, &output, &err), &err);
    check(str_starts(output, S("a b /")));
    argv.items[2] = S("echo yes; echo no >&2; exit 3");
    check(!run_print(&arena, &argv, &environment, 10000, &output, &err));
    check_str(str_c(err.msg), S("/bin/sh ended with 3: no"));
}
