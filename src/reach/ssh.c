/* SPDX-License-Identifier: Apache-2.0 */
#include "reach/ssh.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

/* ---- how it is called ---- */

static const char *const options[] = {
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "UpdateHostKeys=no",
    "ConnectTimeout=10",
    "ConnectionAttempts=1",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    "ControlMaster=no",
    "ControlPath=none",
    "ClearAllForwardings=yes",
    "PermitLocalCommand=no",
    "RemoteCommand=none",
    /* Below this it does not say which key it was offered. */
    "LogLevel=DEBUG1",
};

/* As a word of a POSIX shell. */
static void add_word(struct arena *arena, struct buf *buf, str word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_./:=@%+,-";
    size_t i = 0;
    while (i < word.len && word.ptr[i] != '\0' && strchr(plain, word.ptr[i]) != NULL)
        i++;
    buf_add(arena, buf, buf->bytes.count > 0 ? S(" ") : S(""));
    if (i == word.len && word.len > 0) {
        buf_add(arena, buf, word);
        return;
    }
    buf_add(arena, buf, S("'"));
    for (i = 0; i < word.len; i++)
        buf_add(arena, buf, word.ptr[i] == '\'' ? S("'\\''") : (str){ word.ptr + i, 1 });
    buf_add(arena, buf, S("'"));
}

static void add_program(struct arena *arena, struct buf *buf, const struct ssh_way *way)
{
    for (size_t i = 0; i < way->program.count; i++)
        add_word(arena, buf, way->program.items[i]);
    if (way->program.count == 0)
        add_word(arena, buf, S("reseal"));
}

/* -F and -p, as they are on a command line. */
static void add_where(struct arena *arena, str_list *words, const struct ssh_way *way)
{
    if (way->config.len > 0) {
        list_push(arena, words) = S("-F");
        list_push(arena, words) = way->config;
    }
    if (way->address.port > 0) {
        list_push(arena, words) = S("-p");
        list_push(arena, words) = str_printf(arena, "%u", (unsigned)way->address.port);
    }
}

const char *const *ssh_arguments(struct arena *arena, const struct ssh_way *way)
{
    struct buf command = { 0 };
    str_list words = { 0 };
    list_push(arena, &words) = way->client != NULL ? str_c(way->client) : S("ssh");
    add_where(arena, &words, way);
    for (size_t i = 0; i < COUNT(options); i++) {
        list_push(arena, &words) = S("-o");
        list_push(arena, &words) = str_c(options[i]);
    }
    static const char *const flags[] = { "-T", "-x", "-a" };
    for (size_t i = 0; i < COUNT(flags); i++)
        list_push(arena, &words) = str_c(flags[i]);
    if (way->address.user.len > 0) {
        list_push(arena, &words) = S("-l");
        list_push(arena, &words) = way->address.user;
    }
    add_program(arena, &command, way);
    add_word(arena, &command, S("node"));
    if (way->state.len > 0) {
        add_word(arena, &command, S("--state"));
        add_word(arena, &command, way->state);
    }
    add_word(arena, &command, S("--"));
    add_word(arena, &command, way->node);
    list_push(arena, &words) = S("--");
    list_push(arena, &words) = way->address.host;
    list_push(arena, &words) = buf_str(&command);
    const char **argv = arena_alloc(arena, words.count + 1, sizeof(*argv));
    for (size_t i = 0; i < words.count; i++)
        argv[i] = str_cstr(arena, words.items[i]);
    return argv;
}

/* "ssh -F FILE -p PORT MORE USER@HOST". */
static struct buf client_line(struct arena *arena, const struct ssh_way *way, const char *more)
{
    struct buf line = { 0 };
    str_list words = { 0 };
    add_word(arena, &line, S("ssh"));
    add_where(arena, &words, way);
    for (size_t i = 0; i < words.count; i++)
        add_word(arena, &line, words.items[i]);
    if (more != NULL)
        buf_printf(arena, &line, " %s", more);
    bool user = way->address.user.len > 0;
    add_word(arena, &line,
             str_printf(arena, "%.*s%s%.*s", STR_ARG(user ? way->address.user : S("")),
                        user ? "@" : "", STR_ARG(way->address.host)));
    return line;
}

str ssh_line(struct arena *arena, const struct ssh_way *way, str command)
{
    struct buf line = client_line(arena, way, NULL);
    add_word(arena, &line, command);
    return buf_str(&line);
}

str ssh_program_line(struct arena *arena, const struct ssh_way *way, const char *more)
{
    struct buf program = { 0 };
    add_program(arena, &program, way);
    buf_add(arena, &program, str_c(more));
    return ssh_line(arena, way, buf_str(&program));
}

/* ---- what it says ---- */

/* Untrusted, and it ends on a terminal. */
static void take_line(struct ssh_log *log)
{
    static const char key[] = "debug1: Server host key: ";
    char *line = log->partial;
    line[log->length] = '\0';
    log->length = 0;
    for (char *at = line; *at != '\0'; at++)
        *at = *at < ' ' || *at > '~' ? '?' : *at;
    if (strncmp(line, key, sizeof(key) - 1) == 0) {
        str rest = str_c(line + sizeof(key) - 1), type = str_cut(&rest, ' ');
        (void)snprintf(log->key_type, sizeof(log->key_type), "%.*s", STR_ARG(type));
        (void)snprintf(log->fingerprint, sizeof(log->fingerprint), "%.*s", STR_ARG(rest));
    }
    bool noise = str_starts(str_c(line), S("debug")) || line[0] == '@' || line[0] == '\0' ||
                 str_starts(str_c(line), S("Authenticated to ")) ||
                 str_starts(str_c(line), S("Transferred: ")) ||
                 str_starts(str_c(line), S("Bytes per second: "));
    if (!noise)
        memcpy(log->lines[log->count++ % SSH_LINES], line, SSH_LINE_MAX);
}

void ssh_log_read(struct ssh_log *log)
{
    char block[4096];
    ssize_t got = 0;
    while (log->fd >= 0 && (got = read(log->fd, block, sizeof(block))) > 0)
        for (ssize_t i = 0; i < got; i++) {
            if (block[i] != '\n' && block[i] != '\r' && block[i] != '\0')
                log->partial[log->length++] = block[i];
            if (block[i] == '\n' || log->length == SSH_LINE_MAX - 1)
                take_line(log);
        }
    if (log->fd < 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)))
        return;
    if (log->length > 0)
        take_line(log);
    close(log->fd);
    log->fd = -1;
}

str ssh_log_last(const struct ssh_log *log)
{
    return log->count == 0 ? S("") : str_c(log->lines[(log->count - 1) % SSH_LINES]);
}

/* The last line that holds `words`; the empty string when there is none. */
static str line_with(const struct ssh_log *log, const char *words)
{
    size_t first = log->count > SSH_LINES ? log->count - SSH_LINES : 0;
    for (size_t i = log->count; i > first; i--) {
        str line = str_c(log->lines[(i - 1) % SSH_LINES]);
        if (str_find(line, str_c(words)) < line.len)
            return line;
    }
    return S("");
}

/* What stands between two texts in the last line that has the first; empty when there is none. */
static str between(const struct ssh_log *log, const char *before, const char *behind)
{
    str line = line_with(log, before);
    size_t at = str_find(line, str_c(before));
    if (at == line.len)
        return S("");
    at += strlen(before);
    str rest = { line.ptr + at, line.len - at };
    return (str){ rest.ptr, str_find(rest, str_c(behind)) };
}

/* ---- why it ended ---- */

struct end {
    struct arena *arena;
    const struct ssh_way *way;
    const struct ssh_log *log;
    struct err *err;
};

static str offered(const struct end *end)
{
    return end->log->fingerprint[0] == '\0'
               ? S("a key")
               : str_printf(end->arena, "%s %s", end->log->key_type, end->log->fingerprint);
}

/* "ssh-ed25519" is in /etc/ssh/ssh_host_ed25519_key.pub, where sshd's own default is. */
static str key_file(const struct end *end)
{
    str type = str_c(end->log->key_type);
    const char *kind = str_starts(type, S("ecdsa"))     ? "ecdsa"
                       : str_starts(type, S("ssh-rsa")) ? "rsa"
                                                        : "ed25519";
    return str_printf(end->arena, "/etc/ssh/ssh_host_%s_key.pub", kind);
}

/* The client itself asks, shows the fingerprint again, and writes the file that it reads. */
static void next_accept(const struct end *end)
{
    struct buf line = client_line(end->arena, end->way, "-o StrictHostKeyChecking=ask");
    (void)err_next(end->err, "%s true", buf_str(&line).ptr);
}

static void say_unknown(const struct end *end)
{
    (void)err_set(end->err, ERR_REFUSED,
                  "the host key of %.*s is not known here; it offers %.*s: compare that with what "
                  "`ssh-keygen -lf %.*s` prints there, then accept it",
                  STR_ARG(between(end->log, "host key is known for ", " and you have")),
                  STR_ARG(offered(end)), STR_ARG(key_file(end)));
    next_accept(end);
}

static void say_changed(const struct end *end)
{
    str host = between(end->log, "Host key for ", " has changed");
    str file = between(end->log, "Offending ", "\n");
    size_t in = str_find(file, S(" key in "));
    file = in == file.len ? S("") : (str){ file.ptr + in + 8, file.len - in - 8 };
    str path = file;
    while (path.len > 0 && path.ptr[path.len - 1] != ':')
        path.len--;
    path.len -= path.len > 0;
    (void)err_set(
        end->err, ERR_REFUSED,
        "the host key of %.*s is not the one that %.*s holds; it offers %.*s: unless that "
        "host was set up anew, somebody is in between",
        STR_ARG(host), STR_ARG(file.len > 0 ? file : S("known_hosts")), STR_ARG(offered(end)));
    struct buf line = { 0 };
    add_word(end->arena, &line, S("ssh-keygen"));
    if (path.len > 0) {
        add_word(end->arena, &line, S("-f"));
        add_word(end->arena, &line, path);
    }
    add_word(end->arena, &line, S("-R"));
    add_word(end->arena, &line, host);
    (void)err_next(end->err, "%s", buf_str(&line).ptr);
}

static void say_denied(const struct end *end)
{
    (void)err_set(end->err, ERR_REFUSED, "ssh may not log in there: %.*s",
                  STR_ARG(line_with(end->log, "Permission denied (")));
    (void)err_next(end->err, "%s", ssh_line(end->arena, end->way, S("true")).ptr);
}

static void say_no_program(const struct end *end)
{
    struct buf program = { 0 };
    add_program(end->arena, &program, end->way);
    (void)err_set(end->err, ERR_REFUSED,
                  "`%s` cannot be run there (%.*s); where reseal is, is said by `program:` of the "
                  "node",
                  buf_str(&program).ptr, STR_ARG(ssh_log_last(end->log)));
    (void)err_next(end->err, "%s", ssh_program_line(end->arena, end->way, " --version").ptr);
}

static void say_failed(const struct end *end)
{
    struct buf program = { 0 };
    add_program(end->arena, &program, end->way);
    (void)err_set(end->err, ERR_REFUSED, "`%s` does not start there: %.*s", buf_str(&program).ptr,
                  STR_ARG(ssh_log_last(end->log)));
    (void)err_next(end->err, "%s", ssh_program_line(end->arena, end->way, " --version").ptr);
}

static void say_last(const struct end *end)
{
    str last = ssh_log_last(end->log);
    (void)err_set(end->err, ERR_NETWORK, "%.*s",
                  STR_ARG(last.len > 0 ? last : S("ssh ended without a word")));
}

/* Of the client itself, of a POSIX shell, and of what the shell ran. */
enum { CODE_CLIENT = 255, CODE_NOT_RUN = 126, CODE_NOT_FOUND = 127, CODE_PROGRAM = 1 };

/* The first row that fits says it. */
static const struct reason {
    const char *words; /* in a line; NULL: any */
    int code;          /* of the client; 0: any */
    void (*say)(const struct end *end);
} reasons[] = {
    {"host key is known for ", 0,              say_unknown   },
    { "Host key for ",         0,              say_changed   },
    { "Permission denied (",   0,              say_denied    },
    { NULL,                    CODE_NOT_FOUND, say_no_program},
    { NULL,                    CODE_NOT_RUN,   say_no_program},
    { NULL,                    CODE_PROGRAM,   say_failed    },
    { NULL,                    0,              say_last      },
};

bool ssh_explain(const struct ssh_way *way, const struct ssh_log *log, int status, struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    struct end end = { &arena, way, log, err };
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : CODE_CLIENT;
    if (code != CODE_CLIENT && code != CODE_NOT_RUN && code != CODE_NOT_FOUND && log->count > 0)
        code = CODE_PROGRAM;
    const struct reason *reason = reasons;
    while ((reason->words != NULL && line_with(log, reason->words).len == 0) ||
           (reason->code != 0 && reason->code != code))
        reason++;
    reason->say(&end);
    return false;
}
