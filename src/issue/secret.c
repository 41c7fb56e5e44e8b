/* SPDX-License-Identifier: Apache-2.0 */
#include "issue/secret.h"

#include "base/io.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>

extern char **environ;

DEFINE_AUTO(spawn_actions, posix_spawn_file_actions_t, posix_spawn_file_actions_destroy(handle))

static bool of_environment(struct arena *arena, const char *name, str *ret_secret, struct err *err)
{
    const char *value = getenv(name);
    if (value == NULL)
        return err_set(err, ERR_PASSWORD, "environment variable %s is not set", name);
    *ret_secret = str_copy(arena, str_c(value));
    return true;
}

static bool start(struct arena *arena, const str_list *command, int out, pid_t *ret_pid,
                  struct err *err)
{
    AUTO(spawn_actions) posix_spawn_file_actions_t actions;
    char **argv = arena_alloc(arena, command->count + 1, sizeof(*argv));
    for (size_t i = 0; i < command->count; i++)
        argv[i] = (char *)(uintptr_t)str_cstr(arena, command->items[i]);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    errno = posix_spawnp(ret_pid, argv[0], &actions, NULL, argv, environ);
    return errno == 0 || err_errno(err, "start %s", argv[0]);
}

static bool of_command(struct arena *arena, const str_list *command, str *ret_secret,
                       struct err *err)
{
    const char *name = str_cstr(arena, command->items[0]);
    int ends[2], status = 0;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_errno(err, "pipe");
    AUTO(fd) int from = ends[0];
    AUTO(fd) int into = ends[1];
    pid_t pid;
    if (!start(arena, command, into, &pid, err))
        return false;
    close(into);
    into = -1;
    bool read = io_read_fd(arena, from, SECRET_MAX, ret_secret, err);
    if (!read)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!read)
        return err_wrap(err, "output of %s", name);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return err_set(err, ERR_PASSWORD, "command %s for the passphrase failed", name);
    return true;
}

/* One line, key by key: the terminal neither echoes nor sends signals, so that it cannot be left
   without echo by an interrupt. */
static bool read_line(struct arena *arena, int tty, str *ret_secret, struct err *err)
{
    enum { INTERRUPT = 3, END = 4, BACKSPACE = 8, KILL_LINE = 21, RUBOUT = 127 };
    char *line = arena_alloc(arena, SECRET_MAX + 1, 1);
    size_t len = 0;
    for (;;) {
        char key;
        ssize_t got = read(tty, &key, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || key == INTERRUPT)
            return err_set(err, ERR_PASSWORD, "no passphrase was typed");
        if (key == '\n' || key == '\r' || key == END)
            break;
        if (key == KILL_LINE)
            len = 0;
        else if (key == BACKSPACE || key == RUBOUT)
            len -= len > 0;
        else if (len == SECRET_MAX)
            return err_set(err, ERR_FORMAT, "longer than %d bytes", SECRET_MAX);
        else
            line[len++] = key;
    }
    *ret_secret = (str){ line, len };
    return true;
}

static bool of_terminal(struct arena *arena, const char *prompt, str *ret_secret, struct err *err)
{
    AUTO(fd) int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    struct termios before;
    if (tty < 0 || tcgetattr(tty, &before) < 0)
        return err_set(err, ERR_PASSWORD,
                       "no passphrase was given, and there is no terminal to ask on");
    struct termios silent = before;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG);
    silent.c_cc[VMIN] = 1;
    silent.c_cc[VTIME] = 0;
    /* Silent before the prompt is seen: what is typed at once is not echoed either. */
    if (tcsetattr(tty, TCSAFLUSH, &silent) < 0)
        return err_errno(err, "terminal");
    bool ok = io_write_all(tty, str_c(prompt), err) && read_line(arena, tty, ret_secret, err);
    tcsetattr(tty, TCSAFLUSH, &before);
    AUTO(err) struct err unimportant = { 0 };
    return io_write_all(tty, S("\n"), ok ? err : &unimportant) && ok;
}

static bool read_source(struct arena *arena, const struct secret_source *source, const char *prompt,
                        str *ret_secret, struct err *err)
{
    if (source->file.len > 0)
        return io_read(arena, str_cstr(arena, source->file), SECRET_MAX, ret_secret, err);
    if (source->env.len > 0)
        return of_environment(arena, str_cstr(arena, source->env), ret_secret, err);
    if (source->command.count > 0)
        return of_command(arena, &source->command, ret_secret, err);
    if (source->descriptor >= 0)
        return io_read_fd(arena, source->descriptor, SECRET_MAX, ret_secret, err) ||
               err_wrap(err, "descriptor %d", source->descriptor);
    if (prompt != NULL)
        return of_terminal(arena, prompt, ret_secret, err);
    return err_set(err, ERR_PASSWORD, "no passphrase was given");
}

static str without_line_break(str text)
{
    if (str_ends(text, S("\n")))
        text.len--;
    if (str_ends(text, S("\r")))
        text.len--;
    return text;
}

bool secret_read(struct arena *arena, const struct secret_source *source, const char *prompt,
                 str *ret_secret, struct err *err)
{
    assert(arena->wipe);
    str secret;
    if (!read_source(arena, source, prompt, &secret, err))
        return false;
    secret = without_line_break(secret);
    if (secret.len == 0)
        return err_set(err, ERR_PASSWORD, "%s%sthe passphrase is empty",
                       str_cstr(arena, source->file), source->file.len > 0 ? ": " : "");
    /* A copy, so that it ends with a NUL where its line break was. */
    *ret_secret = str_copy(arena, secret);
    return true;
}
