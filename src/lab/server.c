/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/server.h"

#include "base/clock.h"
#include "base/io.h"
#include "lab/files.h"
#include "lab/record.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/random.h>
#include <sys/socket.h>

enum { READY_MS = 30000, POLL_MS = 20, START_TRIES = 3 };

/* Linux gives outgoing connections a port from 32768 on: a server that is restarted among many of
   them would not get such a port back. */
enum { PORT_FIRST = 20000, PORT_COUNT = 12000, PORT_TRIES = 200 };

static bool port_is_free(uint16_t port)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons(port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    AUTO(fd) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
}

bool lab_free_port(uint16_t *ret_port, struct err *err)
{
    for (int i = 0; i < PORT_TRIES; i++) {
        uint16_t random;
        if (getrandom(&random, sizeof(random), 0) != sizeof(random))
            return err_errno(err, "no random number for a port");
        uint16_t port = (uint16_t)(PORT_FIRST + random % PORT_COUNT);
        if (!port_is_free(port))
            continue;
        *ret_port = port;
        return true;
    }
    return err_set(err, ERR_SYSTEM, "no free port on 127.0.0.1 from %d to %d", PORT_FIRST,
                   PORT_FIRST + PORT_COUNT - 1);
}

struct lab_process lab_server_of(struct arena *arena, const struct lab *lab, size_t index)
{
    const struct lab_node *node = &lab->nodes[index];
    struct lab_process found;
    if (lab_process_alive(&node->server))
        return node->server;
    return lab->kind->running(arena, node, &found) ? found : (struct lab_process){ 0 };
}

static bool launch(struct arena *arena, struct lab *lab, size_t index, struct err *err)
{
    struct lab_node *node = &lab->nodes[index];
    struct lab_command command;
    return lab->kind->prepare(arena, lab, index, &command, err) &&
           lab_spawn(&lab->user, &command, &node->server, err) && lab_record_write(lab, err);
}

/* Ports for all of them before one is started: they may have to know each other's. */
static bool launch_all(struct arena *arena, struct lab *lab, size_t from, size_t until,
                       struct err *err)
{
    for (size_t i = from; i < until; i++)
        if (!lab_free_port(&lab->nodes[i].port, err) ||
            (lab->kind->ports > 1 && !lab_free_port(&lab->nodes[i].other_port, err)))
            return false;
    for (size_t i = from; i < until; i++)
        if (!launch(arena, lab, i, err))
            return err_wrap(err, "start %s", lab->nodes[i].name.ptr);
    return true;
}

enum start { START_READY, START_DIED, START_SLOW };

/* Until all are ready, or one has died; `ret_index` is the one that is not ready. */
static enum start wait_ready(const struct lab *lab, size_t from, size_t until, size_t *ret_index)
{
    *ret_index = from;
    for (int64_t end = clock_monotonic_ms() + READY_MS; clock_monotonic_ms() < end;
         lab_pause(POLL_MS)) {
        AUTO(arena) struct arena arena = { 0 };
        while (*ret_index < until && lab->kind->ready(&arena, lab, *ret_index))
            ++*ret_index;
        if (*ret_index == until)
            return START_READY;
        for (size_t i = *ret_index; i < until; i++)
            if (!lab_process_alive(&lab->nodes[i].server))
                return *ret_index = i, START_DIED;
    }
    return START_SLOW;
}

static bool port_was_taken(struct arena *arena, const struct lab_node *node)
{
    AUTO(err) struct err err = { 0 };
    str text;
    if (!io_read(arena, node->log.ptr, IO_FILE_MAX, &text, &err))
        return false;
    return str_find(text, S("ddress already in use")) < text.len;
}

static bool stop_all(struct lab *lab, size_t from, size_t until, struct err *err)
{
    for (size_t i = from; i < until; i++)
        if (lab->nodes[i].server.pid > 0 && !lab_process_stop(&lab->nodes[i].server, err))
            return err_wrap(err, "%s", lab->nodes[i].name.ptr);
    return true;
}

bool lab_start(struct arena *arena, struct lab *lab, size_t from, size_t until, struct err *err)
{
    size_t at = from;
    for (int i = 0; i < START_TRIES; i++) {
        if (!launch_all(arena, lab, from, until, err))
            return false;
        enum start start = wait_ready(lab, from, until, &at);
        if (start == START_READY)
            return true;
        if (start == START_SLOW)
            return err_set(err, ERR_TIMEOUT, "%s does not get ready (%s)", lab->nodes[at].name.ptr,
                           lab->nodes[at].log.ptr);
        if (!port_was_taken(arena, &lab->nodes[at]))
            break;
        if (!stop_all(lab, from, until, err))
            return false;
    }
    return err_set(err, ERR_SYSTEM, "%s did not start: %.*s", lab->nodes[at].name.ptr,
                   STR_ARG(lab_log_tail(arena, lab->nodes[at].log.ptr)));
}

bool lab_listens(uint16_t port)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons(port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    AUTO(fd) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
}

bool lab_write_pids(struct arena *arena, const struct lab *lab, struct err *err)
{
    for (size_t i = 0; i < lab->count; i++) {
        str path = str_printf(arena, "%s/pid", lab->nodes[i].home.ptr);
        str pid = str_printf(arena, "%d\n", (int)lab->nodes[i].server.pid);
        if (!lab_write(lab, path, pid, LAB_SERVERS, err))
            return false;
    }
    return true;
}

str lab_restart_script(struct arena *arena, str program, const char *options)
{
    return str_printf(
        arena,
        "#!/bin/sh\n"
        "# restart - stop this server by its pid and start it again.\n"
        "cd -- \"$(dirname -- \"$0\")\" || exit 1\n"
        "PATH=/usr/sbin:/sbin:$PATH program=%s\n"
        "start-stop-daemon --stop --oknodo --quiet --pidfile \"$PWD/pid\" --exec \"$program\" \\\n"
        "    --retry TERM/30/KILL/5 &&\n"
        "    exec start-stop-daemon --start --quiet --background --make-pidfile \\\n"
        "        --pidfile \"$PWD/pid\" --chdir \"$PWD\" --output \"$PWD/log\" \\\n"
        "        --exec \"$program\" -- %s\n",
        program.ptr, options);
}
