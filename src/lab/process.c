/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/process.h"

#include "base/clock.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

enum { FILE_MAX = 1024 * 1024, FAST_MS = 10000, QUIT_MS = 5000, POLL_MS = 20, START_FIELD = 19 };

bool lab_user_find(struct arena *arena, const char *name, const char *packages,
                   struct lab_user *ret_user, struct err *err)
{
    uid_t uid = geteuid();
    struct passwd *entry = uid == 0 ? getpwnam(name) : getpwuid(uid);
    if (entry == NULL && uid == 0) {
        err_set(err, ERR_REFUSED, "there is no user %s, and a lab's servers never run as root",
                name);
        return err_next(err, "apt-get install --no-install-recommends %s", packages);
    }
    if (entry == NULL)
        return err_set(err, ERR_SYSTEM, "user %u has no name", (unsigned)uid);
    *ret_user = (struct lab_user){ .name = str_copy(arena, str_c(entry->pw_name)),
                                   .uid = entry->pw_uid,
                                   .gid = entry->pw_gid,
                                   .change = uid == 0 };
    return true;
}

bool lab_user_become(const struct lab_user *user)
{
    if (!user->change)
        return true;
    return initgroups(user->name.ptr, user->gid) == 0 &&
           setresgid(user->gid, user->gid, user->gid) == 0 &&
           setresuid(user->uid, user->uid, user->uid) == 0;
}

void lab_pause(int ms)
{
    struct timespec time = { ms / 1000, (long)(ms % 1000) * 1000000 };
    nanosleep(&time, NULL);
}

/* Fields of /proc/PID/stat after the command's name, which may hold blanks and brackets. */
static bool read_stat(pid_t pid, char *ret_state, uint64_t *ret_started)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    str text;
    str path = str_printf(&arena, "/proc/%d/stat", (int)pid);
    if (pid <= 0 || !io_read(&arena, path.ptr, FILE_MAX, &text, &err))
        return false;
    while (text.len > 0 && text.ptr[text.len - 1] != ')')
        text.len--;
    str rest = { text.ptr + text.len, strlen(text.ptr + text.len) };
    str_cut(&rest, ' ');
    str state = str_cut(&rest, ' ');
    str field = S("");
    for (int i = 0; i < START_FIELD; i++)
        field = str_cut(&rest, ' ');
    *ret_state = state.len == 1 ? state.ptr[0] : '?';
    return str_to_u64(field, UINT64_MAX, ret_started);
}

bool lab_process_of(pid_t pid, struct lab_process *ret_process)
{
    char state;
    uint64_t started;
    if (!read_stat(pid, &state, &started) || state == 'Z' || state == 'X')
        return false;
    *ret_process = (struct lab_process){ pid, started };
    return true;
}

bool lab_process_alive(const struct lab_process *process)
{
    char state;
    uint64_t started;
    if (!read_stat(process->pid, &state, &started) || started != process->started)
        return false;
    if (state != 'Z' && state != 'X')
        return true;
    waitpid(process->pid, NULL, WNOHANG);
    return false;
}

bool lab_process_of_file(struct arena *arena, str path, str cwd, struct lab_process *ret_process)
{
    AUTO(err) struct err err = { 0 };
    char real[PATH_MAX];
    uint64_t pid;
    str text;
    if (!io_read(arena, str_cstr(arena, path), FILE_MAX, &text, &err) ||
        !str_to_u64(str_trim(str_cut(&text, '\n')), INT_MAX, &pid))
        return false;
    ssize_t len = readlink(str_printf(arena, "/proc/%d/cwd", (int)pid).ptr, real, sizeof(real));
    if (len < 0 || !str_eq((str){ real, (size_t)len }, cwd))
        return false;
    return lab_process_of((pid_t)pid, ret_process);
}

/* How a server is stopped: what is tried, and how long each is waited for, in milliseconds. */
static const struct {
    int signal, ms;
} stop_ways[] = {
    {SIGINT,   FAST_MS},
    { SIGQUIT, QUIT_MS}
};

/* In the child: never returns. */
static void become_command(const struct lab_user *user, const struct lab_command *command)
{
    sigset_t none;
    sigemptyset(&none);
    for (size_t i = 0; i < COUNT(stop_ways); i++)
        signal(stop_ways[i].signal,
               SIG_DFL); /* a shell ignores it in what runs in the background */
    sigprocmask(SIG_SETMASK, &none, NULL);
    umask(077);
    if (command->server)
        setsid();
    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || !lab_user_become(user) || chdir(command->cwd) < 0)
        _exit(126);
    int log = open(command->log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
    if (log < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
        _exit(126);
    close_range(3, ~0U, 0);
    static char *const environment[] = { "PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", NULL };
    execve(command->argv[0], (char *const *)(uintptr_t)command->argv, environment);
    _exit(127);
}

bool lab_spawn(const struct lab_user *user, const struct lab_command *command,
               struct lab_process *ret_process, struct err *err)
{
    /* Blocked, a signal that comes before the child can take it is kept for it. */
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        become_command(user, command);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (pid < 0)
        return err_errno(err, "fork");
    /* A child that has ended already is a zombie until we wait: its start is still there. */
    char state;
    *ret_process = (struct lab_process){ .pid = pid };
    if (!read_stat(pid, &state, &ret_process->started))
        return err_set(err, ERR_SYSTEM, "/proc does not show process %d", (int)pid);
    return true;
}

str lab_log_tail(struct arena *arena, const char *log)
{
    AUTO(err) struct err err = { 0 };
    str text;
    str last = S("");
    if (!io_read(arena, log, IO_FILE_MAX, &text, &err))
        return last;
    while (text.len > 0) {
        str line = str_trim(str_cut(&text, '\n'));
        last = line.len > 0 ? line : last;
    }
    return last;
}

bool lab_wait(const struct lab_process *process, const struct lab_command *command, struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    int status;
    pid_t got;
    do
        got = waitpid(process->pid, &status, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return err_errno(err, "wait for %s", command->argv[0]);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    return err_set(err, ERR_SYSTEM, "%s failed: %.*s", command->argv[0],
                   STR_ARG(lab_log_tail(&arena, command->log)));
}

static bool ended_within(const struct lab_process *process, int ms)
{
    for (int64_t end = clock_monotonic_ms() + ms; clock_monotonic_ms() < end; lab_pause(POLL_MS))
        if (!lab_process_alive(process))
            return true;
    return !lab_process_alive(process);
}

bool lab_process_stop(const struct lab_process *process, struct err *err)
{
    for (size_t i = 0; i < COUNT(stop_ways); i++) {
        if (!lab_process_alive(process))
            return true;
        if (kill(process->pid, stop_ways[i].signal) < 0 && errno != ESRCH)
            return err_errno(err, "stop process %d", (int)process->pid);
        if (ended_within(process, stop_ways[i].ms))
            return true;
    }
    return err_set(err, ERR_TIMEOUT, "process %d does not end", (int)process->pid);
}

str lab_boot_id(struct arena *arena)
{
    AUTO(err) struct err err = { 0 };
    str text;
    if (!io_read(arena, "/proc/sys/kernel/random/boot_id", FILE_MAX, &text, &err))
        return S("");
    return str_trim(text);
}
