/* SPDX-License-Identifier: Apache-2.0 */
#include "reach/reach.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

enum {
    GREET_MS = 20 * 1000, /* from the start of a worker to its hello */
    CLOSE_MS = 2000,
    POLL_MS = 10,
};

/* What an ask needs while it is under way. */
struct flight {
    struct ask *ask;
    struct arena *arena;
    str unsent;
    int64_t deadline;
    bool over;
};

/* ---- starting and ending ---- */

__attribute__((noreturn)) static void be_client(const char *const *argv, int socket, int log)
{
    if (dup2(socket, STDIN_FILENO) < 0 || dup2(socket, STDOUT_FILENO) < 0 ||
        (log >= 0 && dup2(log, STDERR_FILENO) < 0))
        _exit(126);
    (void)close_range(3, ~0U, 0);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    dprintf(STDERR_FILENO, "cannot run %s: %s\n", argv[0], strerror(errno));
    _exit(255);
}

/* Where `log` is not -1 it is the child's standard error. */
static bool start(const char *const *argv, str node, int log, struct reach *ret_reach,
                  struct err *err)
{
    int pair[2];
    *ret_reach = (struct reach){ .node = node, .in = -1, .out = -1 };
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return err_errno(err, "socket pair");
    pid_t pid = fork();
    if (pid == 0)
        be_client(argv, pair[1], log);
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return err_errno(err, "fork");
    }
    ret_reach->pid = pid;
    ret_reach->in = ret_reach->out = ret_reach->reader.fd = pair[0];
    (void)fcntl(pair[0], F_SETFL, O_NONBLOCK);
    return true;
}

bool reach_local(const char *program, str node, str state, struct reach *ret_reach, struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    const char *name = str_cstr(&arena, node), *place = str_cstr(&arena, state);
    const char *own = program != NULL ? program : "/proc/self/exe";
    const char *const with[] = { own, "node", "--state", place, "--", name, NULL };
    const char *const without[] = { own, "node", "--", name, NULL };
    return start(state.len > 0 ? with : without, node, -1, ret_reach, err);
}

bool reach_ssh(const struct ssh_way *way, struct reach *ret_reach, struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    int log[2];
    if (pipe2(log, O_CLOEXEC | O_NONBLOCK) < 0)
        return err_errno(err, "pipe");
    AUTO(fd) int theirs = log[1];
    (void)fcntl(theirs, F_SETFL, 0);
    if (!start(ssh_arguments(&arena, way), way->node, theirs, ret_reach, err)) {
        close(log[0]);
        return false;
    }
    ret_reach->way = way;
    ret_reach->log = arena_new(&ret_reach->arena, struct ssh_log);
    ret_reach->log->fd = log[0];
    return true;
}

void reach_hang_up(struct reach *reach)
{
    if (reach->in >= 0)
        close(reach->in);
    reach->in = reach->out = -1;
}

static void pause_ms(int ms)
{
    nanosleep(&(struct timespec){ .tv_nsec = ms * 1000L * 1000L }, NULL);
}

/* Its status; a process that does not end by itself is killed. */
static int reap(struct reach *reach)
{
    int status = 0;
    int64_t deadline = clock_monotonic_ms() + CLOSE_MS;
    while (reach->pid > 0 && waitpid(reach->pid, &status, WNOHANG) == 0) {
        if (clock_monotonic_ms() >= deadline)
            kill(reach->pid, SIGKILL);
        /* One that cannot be heard may wait for us to listen. */
        if (reach->log != NULL)
            ssh_log_read(reach->log);
        pause_ms(POLL_MS);
    }
    reach->pid = 0;
    if (reach->log != NULL)
        ssh_log_read(reach->log);
    return status;
}

void reach_close(struct reach *reach)
{
    reach_hang_up(reach);
    (void)reap(reach);
    if (reach->log != NULL && reach->log->fd >= 0)
        close(reach->log->fd);
    arena_free(&reach->arena);
    *reach = (struct reach){ .in = -1, .out = -1 };
}

bool reach_is_over(const struct reach *reach)
{
    struct pollfd there = { .fd = reach->in, .events = POLLIN };
    return reach->in < 0 || (poll(&there, 1, 0) > 0 && (there.revents & (POLLHUP | POLLERR)) != 0);
}

/* ---- what goes wrong ---- */

void ask_clear(struct ask *ask)
{
    json_decref(ask->answer);
    ask->answer = NULL;
    err_clear(&ask->err);
}

/* The conversation cannot go on. Before its hello a worker was asked for nothing; afterwards it is
   not known whether it did what it was asked. */
static void lose(struct flight *flight, const char *why)
{
    struct ask *ask = flight->ask;
    struct reach *reach = ask->reach;
    bool ended = reach->log == NULL || reach_is_over(reach);
    flight->over = true;
    reach_hang_up(reach);
    int status = reach->log != NULL ? reap(reach) : 0;
    if (reach->greeted) {
        str last = reach->log != NULL ? ssh_log_last(reach->log) : S("");
        (void)err_set(&ask->err, ERR_UNCERTAIN, "%s%s%.*s", why, last.len > 0 ? ": " : "",
                      STR_ARG(last));
        (void)err_wrap(&ask->err, "node %.*s: %s", STR_ARG(reach->node), ask->op);
        return;
    }
    if (reach->way != NULL && ended)
        (void)ssh_explain(reach->way, reach->log, status, &ask->err);
    else
        (void)err_set(&ask->err, ERR_NETWORK, "%s", why);
    (void)err_wrap(&ask->err, "node %.*s", STR_ARG(reach->node));
}

/* A node says what to type where it is. */
static void move_next(const struct reach *reach, struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    if (reach->way == NULL || err->next == NULL)
        return;
    str line = ssh_line(&arena, reach->way, str_c(err->next));
    err->next = NULL;
    (void)err_next(err, "%s", line.ptr);
}

/* ---- sending ---- */

static str line_of(struct arena *arena, const json_t *request)
{
    size_t len = json_dumpb(request, NULL, 0, JSON_COMPACT);
    char *text = arena_alloc(arena, len + 1, 1);
    (void)json_dumpb(request, text, len, JSON_COMPACT);
    text[len] = '\n';
    return (str){ text, len + 1 };
}

/* Until a worker has said hello, that is all that it is asked. */
static void send_off(struct flight *flight)
{
    struct ask *ask = flight->ask;
    struct reach *reach = ask->reach;
    AUTO(json)
    json_t *request = ask->body != NULL && reach->greeted ? json_copy(ask->body) : json_object();
    json_object_set_new(request, "id", json_integer(++reach->last_id));
    json_object_set_new(request, "op", json_string(reach->greeted ? ask->op : "hello"));
    flight->unsent = line_of(flight->arena, request);
    flight->deadline = clock_monotonic_ms() + (reach->greeted ? ask->timeout_ms : GREET_MS);
}

static void take_off(struct arena *arena, struct flight *flight)
{
    struct ask *ask = flight->ask;
    struct reach *reach = ask->reach;
    ask->ok = false;
    ask->answer = NULL;
    flight->arena = arena;
    flight->over = reach->in < 0;
    if (flight->over) {
        (void)err_set(&ask->err, ERR_NETWORK, "node %.*s: its worker has ended",
                      STR_ARG(reach->node));
        return;
    }
    reach->reader.arena = &reach->arena;
    send_off(flight);
}

static void send_more(struct flight *flight)
{
    ssize_t put =
        send(flight->ask->reach->out, flight->unsent.ptr, flight->unsent.len, MSG_NOSIGNAL);
    if (put < 0 && errno != EAGAIN && errno != EINTR)
        lose(flight,
             flight->ask->reach->way != NULL ? "the connection was lost" : "the worker ended");
    else if (put > 0)
        flight->unsent = (str){ flight->unsent.ptr + put, flight->unsent.len - (size_t)put };
}

/* ---- receiving ---- */

static bool hello_check(const struct reach *reach, const json_t *answer, struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    long long version = json_integer_value(json_object_get(answer, "version"));
    const char *program = json_string_value(json_object_get(answer, "program"));
    if (version == PROTOCOL_VERSION)
        return true;
    (void)err_set(err, ERR_REFUSED,
                  "reseal %s there speaks version %lld of the protocol, reseal %s here version %d: "
                  "both must be the same",
                  program != NULL ? program : "(unknown)", version, RESEAL_VERSION,
                  PROTOCOL_VERSION);
    return reach->way == NULL
               ? false
               : err_next(err, "%s", ssh_program_line(&arena, reach->way, " --version").ptr);
}

/* Whoever logs in may be greeted by their shell's own settings. */
static void not_hello(struct flight *flight, str line)
{
    AUTO(arena) struct arena arena = { 0 };
    struct reach *reach = flight->ask->reach;
    struct err *err = &flight->ask->err;
    enum { SHOWN = 60 };
    char shown[SHOWN + 1] = "";
    for (size_t i = 0; i < line.len && i < SHOWN; i++)
        shown[i] = line.ptr[i];
    for (char *at = shown; *at != '\0'; at++)
        *at = *at < ' ' || *at > '~' ? '?' : *at;
    err_clear(err);
    (void)err_set(err, ERR_FORMAT, "node %.*s: it prints \"%s\" where reseal's answer should be",
                  STR_ARG(reach->node), shown);
    if (reach->way != NULL)
        (void)err_next(err, "%s", ssh_line(&arena, reach->way, S("true")).ptr);
    reach_hang_up(reach);
}

static void take_hello(struct flight *flight, str line)
{
    struct ask *ask = flight->ask;
    AUTO(json) json_t *answer = NULL;
    if (!protocol_parse(line, &answer, &ask->err)) {
        flight->over = true;
        not_hello(flight, line);
        return;
    }
    if (!answer_check(answer, &ask->err) || !hello_check(ask->reach, answer, &ask->err)) {
        flight->over = true;
        (void)err_wrap(&ask->err, "node %.*s", STR_ARG(ask->reach->node));
        reach_hang_up(ask->reach);
        return;
    }
    ask->reach->greeted = true;
    send_off(flight);
}

static void take_answer(struct flight *flight, str line)
{
    struct ask *ask = flight->ask;
    AUTO(json) json_t *answer = NULL;
    flight->over = true;
    if (!protocol_parse(line, &answer, &ask->err) || !answer_check(answer, &ask->err)) {
        (void)err_wrap(&ask->err, "node %.*s", STR_ARG(ask->reach->node));
        move_next(ask->reach, &ask->err);
        return;
    }
    if (json_integer_value(json_object_get(answer, "id")) != ask->reach->last_id) {
        lose(flight, "the answer is to another request");
        return;
    }
    ask->answer = TAKE(answer);
    ask->ok = true;
}

static void receive(struct flight *flight)
{
    struct reach *reach = flight->ask->reach;
    str line;
    enum line_state filled = line_fill(&reach->reader);
    enum line_state state = line_next(&reach->reader, &line);
    if (state == LINE_NEEDS_MORE && filled == LINE_NEEDS_MORE)
        return;
    if (state != LINE_READY)
        lose(flight, filled != LINE_END   ? "the answer is too long"
                     : reach->way != NULL ? "the connection was lost"
                                          : "the worker ended");
    else if (reach->greeted)
        take_answer(flight, line);
    else
        take_hello(flight, line);
}

/* ---- all at once ---- */

/* Two for each flight: what is answered, and what the client says. How long poll() may wait: until
   the first deadline; -1 when nothing is under way. */
static int fill_polls(struct flight *flights, struct pollfd *polls, size_t count)
{
    int64_t now = clock_monotonic_ms(), wait = -1;
    for (size_t i = 0; i < count; i++) {
        struct flight *flight = &flights[i];
        struct reach *reach = flight->ask->reach;
        if (!flight->over && now >= flight->deadline)
            lose(flight, reach->greeted ? "no answer in time" : "its worker does not say hello");
        polls[2 * i] = polls[2 * i + 1] = (struct pollfd){ .fd = -1 };
        if (flight->over)
            continue;
        polls[2 * i].fd = reach->in;
        polls[2 * i].events = flight->unsent.len > 0 ? POLLIN | POLLOUT : POLLIN;
        if (reach->log != NULL)
            polls[2 * i + 1] = (struct pollfd){ .fd = reach->log->fd, .events = POLLIN };
        int64_t left = flight->deadline - now;
        wait = wait < 0 || left < wait ? left : wait;
    }
    return (int)wait;
}

void reach_ask_all(struct ask *asks, size_t count)
{
    AUTO(arena) struct arena arena = { 0 };
    struct flight *flights = arena_alloc(&arena, count + 1, sizeof(*flights));
    struct pollfd *polls = arena_alloc(&arena, 2 * count + 1, sizeof(*polls));
    for (size_t i = 0; i < count; i++) {
        flights[i].ask = &asks[i];
        take_off(&arena, &flights[i]);
    }
    int wait;
    while ((wait = fill_polls(flights, polls, count)) >= 0) {
        if (poll(polls, 2 * count, wait) <= 0)
            continue;
        for (size_t i = 0; i < count; i++) {
            if (polls[2 * i + 1].revents != 0)
                ssh_log_read(asks[i].reach->log);
            if ((polls[2 * i].revents & POLLOUT) != 0)
                send_more(&flights[i]);
            if (!flights[i].over && (polls[2 * i].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
                receive(&flights[i]);
        }
    }
}

bool ask_error(const struct ask *ask, struct err *err)
{
    (void)err_set(err, ask->err.kind, "%s", ask->err.msg);
    if (ask->err.where != NULL)
        (void)err_where(err, "%s", ask->err.where);
    if (ask->err.next != NULL)
        (void)err_next(err, "%s", ask->err.next);
    return false;
}

bool reach_ask(struct reach *reach, const char *op, json_t *body, int timeout_ms,
               json_t **ret_answer, struct err *err)
{
    AUTO(ask) struct ask ask = { .reach = reach, .op = op, .body = body, .timeout_ms = timeout_ms };
    *ret_answer = NULL;
    reach_ask_all(&ask, 1);
    if (!ask.ok)
        return ask_error(&ask, err);
    *ret_answer = TAKE(ask.answer);
    return true;
}
