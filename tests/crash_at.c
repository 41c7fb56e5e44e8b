/* SPDX-License-Identifier: Apache-2.0 */
/* crash_at LOG ROOT PROGRAM [ARGUMENT...]: runs a program with all that it starts, and writes each
   system call that changes something into LOG before it happens, as
       ROLE <tab> CALL <tab> PATH <tab> N
   ROLE is "coordinator", or for a worker ("reseal node --state .../db1") the last part of its
   folder; what either forks belongs to it. What counts is below ROOT, or is a signal that is sent,
   or a worker's first answer after a change. N counts what is otherwise the same; random names are
   written as "*", so that a line means the same in every run.

   With CRASH_POINT=LINE (and CRASH_GROUP=1) the role (and all the others) are killed with SIGKILL
   at the entry of that call, which then does not happen: the kernel leaves a call that stopped at
   its entry when a fatal signal waits (ptrace(2), "Syscall-stops"). LOG then ends with "killed".
   Exits as the program did, with 137 when it was killed. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 1024, ROLES = 64, LINES = 8192, NAME = 32, PATH = 4096, LINE = PATH + 256 };
enum { PAGE = 4096, KILLED = 137, BROKEN = 125 };

/* Where a call has the file that it changes: a path in argument n, a folder and a path from
   argument n on, an open file in argument n. */
enum where { AT_PATH, AT_FOLDER, AT_FILE, AT_PROCESS };

static const struct call {
    uint64_t number;
    const char *name;
    enum where where;
    int argument;
} calls[] = {
  // clang-format off
#ifdef SYS_open
    { SYS_open,       "open",     AT_PATH,    0 },
    { SYS_mkdir,      "mkdir",    AT_PATH,    0 },
    { SYS_rename,     "rename",   AT_PATH,    1 },
    { SYS_unlink,     "unlink",   AT_PATH,    0 },
    { SYS_rmdir,      "unlink",   AT_PATH,    0 },
    { SYS_link,       "link",     AT_PATH,    1 },
    { SYS_symlink,    "link",     AT_PATH,    1 },
    { SYS_chmod,      "chmod",    AT_PATH,    0 },
    { SYS_chown,      "chown",    AT_PATH,    0 },
    { SYS_lchown,     "chown",    AT_PATH,    0 },
#endif
    { SYS_openat,     "open",     AT_FOLDER,  0 },
    { SYS_mkdirat,    "mkdir",    AT_FOLDER,  0 },
    { SYS_renameat2,  "rename",   AT_FOLDER,  2 },
    { SYS_unlinkat,   "unlink",   AT_FOLDER,  0 },
    { SYS_linkat,     "link",     AT_FOLDER,  2 },
    { SYS_symlinkat,  "link",     AT_FOLDER,  1 },
    { SYS_fchmodat,   "chmod",    AT_FOLDER,  0 },
    { SYS_fchownat,   "chown",    AT_FOLDER,  0 },
    { SYS_truncate,   "truncate", AT_PATH,    0 },
    { SYS_write,      "write",    AT_FILE,    0 },
    { SYS_writev,     "write",    AT_FILE,    0 },
    { SYS_pwrite64,   "write",    AT_FILE,    0 },
    { SYS_pwritev,    "write",    AT_FILE,    0 },
    { SYS_ftruncate,  "truncate", AT_FILE,    0 },
    { SYS_fallocate,  "truncate", AT_FILE,    0 },
    { SYS_fchmod,     "chmod",    AT_FILE,    0 },
    { SYS_fchown,     "chown",    AT_FILE,    0 },
    { SYS_kill,       "kill",     AT_PROCESS, 0 },
  // clang-format on
};

struct role {
    char name[NAME];
    bool owes; /* an answer about a change */
};

struct process {
    pid_t pid;
    struct role *role; /* NULL until its parent's stop has told */
    bool held, gone;
};

static struct process processes[PROCESSES];
static struct role roles[ROLES];
static struct seen {
    char line[LINE];
    int times;
} seen[LINES];
static size_t process_count, role_count, seen_count;
static const char *root, *point;
static bool everything, fired;
static FILE *output;

__attribute__((noreturn)) static void fail(const char *what)
{
    perror(what);
    exit(BROKEN);
}

static struct process *process_of(pid_t pid)
{
    for (size_t i = process_count; i-- > 0;)
        if (processes[i].pid == pid && !processes[i].gone)
            return &processes[i];
    if (process_count == PROCESSES)
        fail("too many processes");
    processes[process_count] = (struct process){ .pid = pid };
    return &processes[process_count++];
}

static struct role *role_of(const char *name)
{
    for (size_t i = 0; i < role_count; i++)
        if (strcmp(roles[i].name, name) == 0)
            return &roles[i];
    if (role_count == ROLES)
        fail("too many roles");
    (void)snprintf(roles[role_count].name, NAME, "%s", name);
    return &roles[role_count++];
}

/* "reseal node --state FOLDER" is the worker of FOLDER's last part. */
static void take_role(struct process *process)
{
    char name[2 * NAME], text[PATH];
    (void)snprintf(name, sizeof(name), "/proc/%d/cmdline", (int)process->pid);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0)
        close(fd);
    text[len > 0 ? len : 0] = '\0';
    const char *words[4] = { "", "", "", "" };
    const char *at = text;
    for (size_t i = 0; i < 4 && at < text + len; i++, at += strlen(at) + 1)
        words[i] = at;
    if (strcmp(words[1], "node") != 0 || strcmp(words[2], "--state") != 0)
        return;
    const char *last = strrchr(words[3], '/');
    process->role = role_of(last == NULL ? words[3] : last + 1);
}

/* ---- what a call changes ---- */

static bool read_text(pid_t pid, uint64_t address, char text[PATH])
{
    for (size_t len = 0; len < PATH - 1;) {
        /* Up to the end of the page: the next one may not be there. */
        size_t some = PAGE - (address + len) % PAGE;
        some = some < PATH - 1 - len ? some : PATH - 1 - len;
        struct iovec to = { text + len, some };
        struct iovec from = { (void *)(uintptr_t)(address + len), some };
        ssize_t got = process_vm_readv(pid, &to, 1, &from, 1, 0);
        if (got <= 0)
            return false;
        if (memchr(text + len, '\0', (size_t)got) != NULL)
            return true;
        len += (size_t)got;
    }
    return false;
}

static bool read_link(pid_t pid, const char *what, char text[PATH])
{
    char name[2 * NAME];
    (void)snprintf(name, sizeof(name), "/proc/%d/%s", (int)pid, what);
    ssize_t len = readlink(name, text, PATH - 1);
    text[len > 0 ? len : 0] = '\0';
    return len > 0;
}

static bool path_of(pid_t pid, const struct call *call, const uint64_t *arguments, char path[PATH])
{
    char what[NAME] = "cwd", relative[PATH], base[PATH];
    int fd = call->where == AT_PATH ? AT_FDCWD : (int)arguments[call->argument];
    if (fd != AT_FDCWD)
        (void)snprintf(what, sizeof(what), "fd/%d", fd);
    if (call->where == AT_FILE)
        return read_link(pid, what, path);
    uint64_t address = arguments[call->argument + (call->where == AT_FOLDER)];
    if (!read_text(pid, address, relative))
        return false;
    if (relative[0] != '/' && !read_link(pid, what, base))
        return false;
    int len = relative[0] == '/' ? snprintf(path, PATH, "%s", relative)
                                 : snprintf(path, PATH, "%s/%s", base, relative);
    return len < PATH;
}

/* Opening changes something when it makes or empties a file, making a folder when it is not there
   yet, removing when it is. */
static bool changes(const struct call *call, const uint64_t *arguments, const char *path)
{
    struct stat st;
    bool there = lstat(path, &st) == 0;
    if (strcmp(call->name, "open") == 0) {
        uint64_t flags = arguments[call->argument + 1 + (call->where == AT_FOLDER)];
        return ((flags & O_CREAT) != 0 && !there) || (flags & O_TRUNC) != 0;
    }
    if (strcmp(call->name, "mkdir") == 0)
        return !there;
    return strcmp(call->name, "unlink") != 0 || there;
}

/* "tls/server.0a1b2c3d.crt.reseal-Xy12Zz" becomes "tls/server.*.crt.reseal-*", and
   "requests/db1-server-0a1b2c3d.csr" "requests/db1-server-*.csr". */
static void write_plain(FILE *out, const char *path)
{
    for (const char *at = path; *at != '\0';) {
        size_t word = strcspn(at, "./");
        size_t hex = strspn(at, "0123456789abcdef-");
        if (word == strlen("reseal-XXXXXX") && strncmp(at, "reseal-", 7) == 0)
            (void)fputs("reseal-*", out);
        else if (hex >= word && (word == 8 || word == 16 || word == 36))
            (void)fputc('*', out);
        else if (word > 9 && at[word - 9] == '-' && strspn(at + word - 8, "0123456789abcdef") >= 8)
            (void)fprintf(out, "%.*s*", (int)word - 8, at);
        else
            (void)fwrite(at, 1, word, out);
        at += word;
        if (*at != '\0')
            (void)fputc(*at++, out);
    }
}

/* Whether the call counts; then "ROLE<tab>CALL<tab>PATH" is in `line`. */
static bool describe(const struct process *process, const struct call *call,
                     const uint64_t *arguments, char line[LINE])
{
    char path[PATH] = "";
    size_t len = strlen(root);
    struct role *role = process->role;
    bool worker = role != &roles[0];
    FILE *out = fmemopen(line, LINE, "w");
    bool counts = false;
    if (call->where == AT_PROCESS) {
        counts = arguments[1] != 0;
        (void)fprintf(out, "%s\tkill\tsignal %d", role->name, (int)arguments[1]);
    } else if (path_of(process->pid, call, arguments, path)) {
        bool inside = strncmp(path, root, len) == 0 && path[len] == '/';
        bool answer = worker && role->owes && strncmp(path, "socket:", 7) == 0;
        counts = answer || (inside && changes(call, arguments, path));
        role->owes = counts ? !answer : role->owes;
        (void)fprintf(out, "%s\t%s\t", role->name, answer ? "answer" : call->name);
        write_plain(out, answer ? "-" : path + (inside ? len + 1 : 0));
    }
    (void)fputc('\0', out);
    (void)fclose(out);
    return counts;
}

static int count(const char *line)
{
    for (size_t i = 0; i < seen_count; i++)
        if (strcmp(seen[i].line, line) == 0)
            return ++seen[i].times;
    if (seen_count == LINES)
        fail("too many lines");
    (void)snprintf(seen[seen_count].line, LINE, "%s", line);
    return seen[seen_count++].times = 1;
}

/* ---- following ---- */

static void kill_them(const struct role *role)
{
    for (size_t i = 0; i < process_count; i++)
        if (!processes[i].gone && (everything || processes[i].role == role))
            kill(processes[i].pid, SIGKILL);
}

static void enter(struct process *process, const struct __ptrace_syscall_info *info)
{
    char line[LINE], numbered[LINE + NAME];
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (calls[i].number != info->entry.nr)
            continue;
        uint64_t arguments[6];
        memcpy(arguments, info->entry.args, sizeof(arguments));
        if (!describe(process, &calls[i], arguments, line))
            return;
        (void)snprintf(numbered, sizeof(numbered), "%s\t%d", line, count(line));
        (void)fprintf(output, "%s\n", numbered);
        (void)fflush(output);
        if (fired || point == NULL || strcmp(point, numbered) != 0)
            return;
        fired = true;
        kill_them(process->role);
        return;
    }
}

static void go_on(pid_t pid, int number)
{
    if (ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)number) < 0 && errno != ESRCH)
        fail("ptrace");
}

static void adopt(const struct process *parent)
{
    unsigned long child_pid;
    if (ptrace(PTRACE_GETEVENTMSG, parent->pid, NULL, &child_pid) < 0)
        return;
    struct process *child = process_of((pid_t)child_pid);
    child->role = parent->role;
    if (fired && everything)
        kill(child->pid, SIGKILL);
    if (child->held)
        go_on(child->pid, 0);
    child->held = false;
}

static void stopped(struct process *process, int status)
{
    int event = status >> 16, number = WSTOPSIG(status);
    struct __ptrace_syscall_info info;
    if (process->role == NULL) { /* its first stop came before its parent's */
        process->held = true;
        return;
    }
    if (number == (SIGTRAP | 0x80)) {
        if (ptrace(PTRACE_GET_SYSCALL_INFO, process->pid, sizeof(info), &info) > 0 &&
            info.op == PTRACE_SYSCALL_INFO_ENTRY)
            enter(process, &info);
    } else if (event == PTRACE_EVENT_EXEC) {
        take_role(process);
    } else if (event != 0) {
        adopt(process);
    }
    bool ours = number == (SIGTRAP | 0x80) || event != 0 || number == SIGSTOP || number == SIGTRAP;
    go_on(process->pid, ours ? 0 : number);
}

/* Until nothing runs any more; the exit code of the first process. */
static int follow(pid_t first)
{
    int status, code = BROKEN;
    pid_t pid;
    while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
        if (pid <= 0)
            continue;
        struct process *process = process_of(pid);
        if (WIFSTOPPED(status)) {
            stopped(process, status);
            continue;
        }
        process->gone = true;
        if (pid == first)
            code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    return code;
}

int main(int argc, char **argv)
{
    enum {
        FLAGS = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL
    };
    int status;
    if (argc < 4)
        return fprintf(stderr, "crash_at LOG ROOT PROGRAM [ARGUMENT...]\n"), 2;
    output = fopen(argv[1], "we");
    root = argv[2];
    point = getenv("CRASH_POINT");
    everything = getenv("CRASH_GROUP") != NULL;
    if (output == NULL)
        fail(argv[1]);
    pid_t first = fork();
    if (first == 0) {
        (void)unsetenv("CRASH_POINT");
        (void)unsetenv("CRASH_GROUP");
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 && raise(SIGSTOP) == 0)
            (void)execvp(argv[3], argv + 3);
        _exit(BROKEN);
    }
    if (first < 0 || waitpid(first, &status, 0) != first || !WIFSTOPPED(status) ||
        ptrace(PTRACE_SETOPTIONS, first, NULL, (void *)(intptr_t)FLAGS) < 0)
        fail("ptrace");
    process_of(first)->role = role_of("coordinator");
    go_on(first, 0);
    int code = follow(first);
    if (fired)
        (void)fprintf(output, "killed\n");
    return fclose(output) == 0 ? code : BROKEN;
}
