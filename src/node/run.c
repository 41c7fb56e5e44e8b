/* SPDX-License-Identifier: Apache-2.0 */
#include "node/run.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct account {
    bool change;
    uid_t uid;
    gid_t gid;
    const char *name, *home;
};

static bool account_of(struct arena *arena, str user, struct account *ret_account, struct err *err)
{
    const struct passwd *entry =
        user.len == 0 ? getpwuid(geteuid()) : getpwnam(str_cstr(arena, user));
    if (entry == NULL && user.len > 0)
        return err_set(err, ERR_USAGE, "there is no user \"%.*s\" here", STR_ARG(user));
    *ret_account = (struct account){ .uid = geteuid(), .gid = getegid(), .name = "", .home = "/" };
    if (entry == NULL)
        return true;
    ret_account->name = str_copy(arena, str_c(entry->pw_name)).ptr;
    ret_account->home = str_copy(arena, str_c(entry->pw_dir)).ptr;
    ret_account->change = entry->pw_uid != geteuid();
    if (!ret_account->change)
        return true;
    ret_account->uid = entry->pw_uid;
    ret_account->gid = entry->pw_gid;
    return geteuid() == 0 ||
           err_set(err, ERR_REFUSED, "only root can act as user \"%.*s\"", STR_ARG(user));
}

static bool become(const struct account *account)
{
    return !account->change || (initgroups(account->name, account->gid) == 0 &&
                                setresgid(account->gid, account->gid, account->gid) == 0 &&
                                setresuid(account->uid, account->uid, account->uid) == 0);
}

/* A command that runs: what it says goes to `out`, its complaints to `errors`. */
struct command {
    const str_list *argv, *environment; /* NAME=VALUE, beside what every command has */
    struct account account;
    int out, errors;
};

__attribute__((noreturn)) static void be_command(struct arena *arena, const struct command *command)
{
    const struct account *account = &command->account;
    const char **args = arena_alloc(arena, command->argv->count + 1, sizeof(*args));
    for (size_t i = 0; i < command->argv->count; i++)
        args[i] = str_cstr(arena, command->argv->items[i]);
    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, 0) < 0 || dup2(command->out, 1) < 0 ||
        dup2(command->errors, 2) < 0 || setpgid(0, 0) < 0 || !become(account))
        _exit(126);
    (void)close_range(3, ~0U, 0);
    signal(SIGPIPE, SIG_DFL);
    (void)clearenv();
    (void)setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
    (void)setenv("HOME", account->home, 1);
    (void)setenv("USER", account->name, 1);
    (void)setenv("LC_ALL", "C", 1);
    for (size_t i = 0; command->environment != NULL && i < command->environment->count; i++)
        (void)putenv((char *)(uintptr_t)str_cstr(arena, command->environment->items[i]));
    if (chdir("/") == 0)
        execvp(args[0], (char *const *)(uintptr_t)args);
    dprintf(2, "%s: %s\n", args[0], strerror(errno));
    _exit(127);
}

/* False when the deadline passed first. The command is over when it has exited: a daemon that it
   started may keep the pipe. */
static bool collect(struct arena *arena, pid_t pid, int in, int64_t deadline, struct buf *output,
                    int *ret_status)
{
    bool open = true;
    for (;;) {
        bool over = waitpid(pid, ret_status, WNOHANG) == pid;
        struct pollfd wait = { .fd = open ? in : -1, .events = POLLIN };
        while (poll(&wait, 1, over ? 0 : 20) > 0) {
            char block[4096];
            ssize_t got = read(in, block, sizeof(block));
            open = got > 0;
            if (!open)
                break;
            if (output->bytes.count + (size_t)got <= RUN_PRINT_MAX)
                buf_add(arena, output, (str){ block, (size_t)got });
            if (clock_monotonic_ms() >= deadline)
                break;
        }
        if (over)
            return true;
        if (clock_monotonic_ms() >= deadline)
            return false;
    }
}

/* Wait for a child that writes to `in`; past the deadline its whole group is killed. */
static bool await(struct arena *arena, pid_t pid, int in, int timeout_ms, const char *what,
                  struct run_result *ret_result, struct err *err)
{
    int64_t deadline = clock_monotonic_ms() + timeout_ms;
    struct buf output = { 0 };
    int status = 0;
    if (!collect(arena, pid, in, deadline, &output, &status)) {
        kill(-pid, SIGKILL);
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        return err_set(err, ERR_UNCERTAIN, "%s did not end within %d ms", what, timeout_ms);
    }
    ret_result->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    ret_result->output = output.bytes.count == 0 ? S("") : buf_str(&output);
    return true;
}

static bool start(struct arena *arena, struct command *command, str user, int timeout_ms,
                  struct run_result *ret_result, struct err *err)
{
    int pipes[2];
    const str_list *argv = command->argv;
    if (argv->count == 0 || argv->items[0].len == 0)
        return err_set(err, ERR_FORMAT, "an empty command");
    if (!account_of(arena, user, &command->account, err))
        return false;
    if (pipe2(pipes, O_CLOEXEC) < 0)
        return err_errno(err, "pipe");
    AUTO(fd) int in = pipes[0];
    command->out = pipes[1];
    if (command->errors < 0)
        command->errors = pipes[1];
    pid_t pid = fork();
    if (pid == 0)
        be_command(arena, command);
    close(pipes[1]);
    if (pid < 0)
        return err_errno(err, "fork");
    return await(arena, pid, in, timeout_ms, str_cstr(arena, argv->items[0]), ret_result, err);
}

bool run_as(struct arena *arena, const str_list *argv, str user, int timeout_ms,
            struct run_result *ret_result, struct err *err)
{
    struct command command = { .argv = argv, .errors = -1 };
    if (!start(arena, &command, user, timeout_ms, ret_result, err))
        return false;
    if (ret_result->output.len > RUN_OUTPUT_MAX)
        ret_result->output.len = RUN_OUTPUT_MAX;
    return true;
}

bool run_print(struct arena *arena, const str_list *argv, const str_list *environment,
               int timeout_ms, str *ret_output, struct err *err)
{
    AUTO(fd) int errors = memfd_create("errors", MFD_CLOEXEC);
    struct command command = { .argv = argv, .environment = environment, .errors = errors };
    struct run_result result;
    char said[256];
    if (errors < 0)
        return err_errno(err, "memfd_create");
    if (!start(arena, &command, S(""), timeout_ms, &result, err))
        return false;
    *ret_output = result.output;
    if (result.exit_code == 0 && result.output.len < RUN_PRINT_MAX)
        return true;
    ssize_t len = pread(errors, said, sizeof(said), 0);
    str text = str_trim((str){ said, len > 0 ? (size_t)len : 0 }), first = str_cut(&text, '\n');
    return err_set(err, ERR_SYSTEM, "%.*s ended with %d%s%.*s", STR_ARG(argv->items[0]),
                   result.exit_code, first.len > 0 ? ": " : "", STR_ARG(first));
}

/* A question dies with whoever asked it: one that is left over would act for a worker that was
   ended because another took its place. The kernel forgets this when a process changes its user. */
static bool die_with(pid_t asker)
{
    return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == asker;
}

bool run_call(struct arena *arena, str user, int timeout_ms, int (*work)(int out, void *context),
              void *context, struct run_result *ret_result, struct err *err)
{
    struct account account;
    int pipes[2];
    if (!account_of(arena, user, &account, err))
        return false;
    if (pipe2(pipes, O_CLOEXEC) < 0)
        return err_errno(err, "pipe");
    AUTO(fd) int in = pipes[0];
    pid_t asker = getpid(), pid = fork();
    if (pid == 0)
        _exit(setpgid(0, 0) == 0 && become(&account) && die_with(asker) ? work(pipes[1], context)
                                                                        : 126);
    close(pipes[1]);
    if (pid < 0)
        return err_errno(err, "fork");
    return await(arena, pid, in, timeout_ms, "the question", ret_result, err);
}

str run_owner(struct arena *arena, str path)
{
    struct stat st;
    const struct passwd *entry = stat(str_cstr(arena, path), &st) == 0 ? getpwuid(st.st_uid) : NULL;
    return entry == NULL ? S("") : str_copy(arena, str_c(entry->pw_name));
}

str run_home(struct arena *arena, str user)
{
    const struct passwd *entry = user.len == 0 ? NULL : getpwnam(str_cstr(arena, user));
    return entry == NULL ? S("") : str_copy(arena, str_c(entry->pw_dir));
}

bool run_can_read(str path, str user, bool *ret_can, struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    struct account account;
    int status = 0;
    const char *name = str_cstr(&arena, path);
    if (!account_of(&arena, user, &account, err))
        return false;
    pid_t pid = fork();
    if (pid == 0)
        _exit(!become(&account) ? 2 : access(name, R_OK) == 0 ? 0 : 1);
    if (pid < 0)
        return err_errno(err, "fork");
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
        return err_set(err, ERR_SYSTEM, "could not become user \"%.*s\"", STR_ARG(user));
    *ret_can = WEXITSTATUS(status) == 0;
    return true;
}
