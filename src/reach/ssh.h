/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ssh.h - a worker at another machine, by the OpenSSH client: how it is called, and what it means
 * when it ends.
 *
 * The client asks nothing of anybody (BatchMode), takes only a host key that is known, forwards
 * nothing, shares no connection, and notices within 15 seconds that the other side has gone. Keys,
 * jump hosts and aliases are what the user's ssh_config(5) says. The one argument that the other
 * machine's shell sees is reseal's own program, the node's name and its state folder.
 */
#ifndef REACH_SSH_H
#define REACH_SSH_H

#include "base/err.h"
#include "cluster/cluster.h"
#include "cluster/ssh.h"

/* How a node's worker is started there. Everything is borrowed. */
struct ssh_way {
    struct ssh_address address;
    const char *client; /* NULL: ssh, from PATH */
    str config;         /* empty: ssh's own */
    str_list program;   /* empty: reseal, from PATH there */
    str node, state;    /* no state: the usual place there */
};

/* The client's arguments, itself first, ended by NULL. */
const char *const *ssh_arguments(struct arena *arena, const struct ssh_way *way);

/* What a person types to run `command`, a line for a shell, at that machine. */
str ssh_line(struct arena *arena, const struct ssh_way *way, str command);

/* The same for reseal itself, followed by `more`. */
str ssh_program_line(struct arena *arena, const struct ssh_way *way, const char *more);

/* What the client says, read as it comes: its last lines, and the host key that it was offered. */
enum { SSH_LINES = 16, SSH_LINE_MAX = 300 };
struct ssh_log {
    int fd; /* -1 when it is closed */
    char lines[SSH_LINES][SSH_LINE_MAX];
    size_t count; /* of all the lines there were: the last SSH_LINES are kept */
    char partial[SSH_LINE_MAX];
    size_t length;                                /* of partial */
    char key_type[64], fingerprint[SSH_LINE_MAX]; /* of the offered key; empty: none was seen */
};

/* Take what is there; closes the descriptor at its end. */
void ssh_log_read(struct ssh_log *log);

/* The last line, or the empty string. */
str ssh_log_last(const struct ssh_log *log);

/* Why the client ended with `status` (of waitpid()) before the worker said anything. ERR_REFUSED
   where somebody must do something, ERR_NETWORK where it may be better later. Always false. */
bool ssh_explain(const struct ssh_way *way, const struct ssh_log *log, int status, struct err *err);

#endif
