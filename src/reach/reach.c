/* SPDX-License-Identifier: Apache-2.0 */
#include "reach/reach.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

enum { CLOSE_MS = 2000, CLOSE_POLL_MS = 10 };

/* What an ask needs while it is under way. */
struct flight {
    struct ask *ask;
    str unsent;
    int64_t deadline;
    bool over;
};

__attribute__((noreturn)) static void be_worker(const char *program, str state, int socket)
{
    if (dup2(socket, STDIN_FILENO) < 0 || dup2(socket, STDOUT_FILENO) < 0)
        _exit(126);
    (void)close_range(3, ~0U, 0);
    execl(program, "reseal", "node", "--state", state.ptr, (char *)NULL);
    _exit(127);
}

bool reach_local(const char *program, str node, str state, struct reach *ret_reach, struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    int pair[2];
    str place = str_copy(&arena, state);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return err_errno(err, "socket pair");
    pid_t pid = fork();
    if (pid == 0)
        be_worker(program != NULL ? program : "/proc/self/exe", place, pair[1]);
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return err_errno(err, "fork");
    }
    *ret_reach = (struct reach){ .node = node, .pid = pid, .in = pair[0], .out = pair[0] };
    ret_reach->reader.fd = pair[0];
    (void)fcntl(pair[0], F_SETFL, O_NONBLOCK);
    return true;
}

static void hang_up(struct reach *reach)
{
    if (reach->in >= 0)
        close(reach->in);
    reach->in = reach->out = -1;
}

void reach_close(struct reach *reach)
{
    if (reach->pid <= 0)
        return;
    hang_up(reach);
    int64_t deadline = clock_monotonic_ms() + CLOSE_MS;
    while (waitpid(reach->pid, NULL, WNOHANG) == 0) {
        if (clock_monotonic_ms() >= deadline)
            kill(reach->pid, SIGKILL);
        nanosleep(&(struct timespec){ .tv_nsec = CLOSE_POLL_MS * 1000L * 1000L }, NULL);
    }
    arena_free(&reach->arena);
    *reach = (struct reach){ .in = -1, .out = -1 };
}

void ask_clear(struct ask *ask)
{
    json_decref(ask->answer);
    ask->answer = NULL;
    err_clear(&ask->err);
}

/* The conversation cannot go on: whether the worker did what it was asked is not known. */
static void lose(struct flight *flight, const char *why)
{
    struct ask *ask = flight->ask;
    (void)err_set(&ask->err, ERR_UNCERTAIN, "node %.*s: %s: %s", STR_ARG(ask->reach->node), ask->op,
                  why);
    hang_up(ask->reach);
    flight->over = true;
}

static void take_off(struct arena *arena, struct flight *flight)
{
    struct ask *ask = flight->ask;
    struct reach *reach = ask->reach;
    ask->ok = false;
    ask->answer = NULL;
    flight->deadline = clock_monotonic_ms() + ask->timeout_ms;
    flight->over = reach->in < 0;
    if (flight->over) {
        (void)err_set(&ask->err, ERR_NETWORK, "node %.*s: its worker has ended",
                      STR_ARG(reach->node));
        return;
    }
    AUTO(json) json_t *request = ask->body != NULL ? json_copy(ask->body) : json_object();
    json_object_set_new(request, "id", json_integer(++reach->last_id));
    json_object_set_new(request, "op", json_string(ask->op));
    size_t len = json_dumpb(request, NULL, 0, JSON_COMPACT);
    char *text = arena_alloc(arena, len + 1, 1);
    (void)json_dumpb(request, text, len, JSON_COMPACT);
    text[len] = '\n';
    flight->unsent = (str){ text, len + 1 };
    reach->reader.arena = &reach->arena;
}

static void receive(struct flight *flight)
{
    struct ask *ask = flight->ask;
    str line;
    enum line_state filled = line_fill(&ask->reach->reader);
    enum line_state state = line_next(&ask->reach->reader, &line);
    if (state == LINE_NEEDS_MORE && filled == LINE_NEEDS_MORE)
        return;
    if (state != LINE_READY) {
        lose(flight, filled == LINE_END ? "the worker ended" : "the answer is too long");
        return;
    }
    AUTO(json) json_t *answer = NULL;
    flight->over = true;
    if (!protocol_parse(line, &answer, &ask->err) || !answer_check(answer, &ask->err)) {
        (void)err_wrap(&ask->err, "node %.*s", STR_ARG(ask->reach->node));
        return;
    }
    if (json_integer_value(json_object_get(answer, "id")) != ask->reach->last_id) {
        lose(flight, "the answer is to another request");
        return;
    }
    ask->answer = TAKE(answer);
    ask->ok = true;
}

static void send_more(struct flight *flight)
{
    ssize_t put =
        send(flight->ask->reach->out, flight->unsent.ptr, flight->unsent.len, MSG_NOSIGNAL);
    if (put < 0 && errno != EAGAIN && errno != EINTR)
        lose(flight, "the worker ended");
    else if (put > 0)
        flight->unsent = (str){ flight->unsent.ptr + put, flight->unsent.len - (size_t)put };
}

/* How long poll() may wait: until the first deadline; -1 when nothing is under way. */
static int fill_polls(struct flight *flights, struct pollfd *polls, size_t count)
{
    int64_t now = clock_monotonic_ms(), wait = -1;
    for (size_t i = 0; i < count; i++) {
        struct flight *flight = &flights[i];
        if (!flight->over && now >= flight->deadline)
            lose(flight, "no answer in time");
        polls[i] = (struct pollfd){ .fd = -1 };
        if (flight->over)
            continue;
        polls[i].fd = flight->ask->reach->in;
        polls[i].events = flight->unsent.len > 0 ? POLLIN | POLLOUT : POLLIN;
        int64_t left = flight->deadline - now;
        wait = wait < 0 || left < wait ? left : wait;
    }
    return (int)wait;
}

void reach_ask_all(struct ask *asks, size_t count)
{
    AUTO(arena) struct arena arena = { 0 };
    struct flight *flights = arena_alloc(&arena, count + 1, sizeof(*flights));
    struct pollfd *polls = arena_alloc(&arena, count + 1, sizeof(*polls));
    for (size_t i = 0; i < count; i++) {
        flights[i].ask = &asks[i];
        take_off(&arena, &flights[i]);
    }
    int wait;
    while ((wait = fill_polls(flights, polls, count)) >= 0) {
        if (poll(polls, count, wait) <= 0)
            continue;
        for (size_t i = 0; i < count; i++) {
            if ((polls[i].revents & POLLOUT) != 0)
                send_more(&flights[i]);
            if (!flights[i].over && (polls[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
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
