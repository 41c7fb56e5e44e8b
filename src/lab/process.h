/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.h - the lab's children: started as the run user, known again later, ended by pid.
 *
 * A pid alone is not an identity: pids are used again. A process is known by its pid and the
 * clock tick that it started at, within one boot of the machine.
 */
#ifndef LAB_PROCESS_H
#define LAB_PROCESS_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>
#include <sys/types.h>

/* Who servers run as: ourselves, or a user of their own when we are root. */
struct lab_user {
    str name;
    uid_t uid;
    gid_t gid;
    bool change; /* we are root and become this user in the child */
};
/* `name` is that user's, which `packages` bring. */
MUST_CHECK bool lab_user_find(struct arena *arena, const char *name, const char *packages,
                              struct lab_user *ret_user, struct err *err);

/* Become that user for good, with its groups; for use in a child, between fork and exec. */
bool lab_user_become(const struct lab_user *user);

struct lab_process {
    pid_t pid;        /* 0: none */
    uint64_t started; /* field 22 of /proc/PID/stat */
};

/* Start argv[0] as `user`, outputs appended to `log`, in folder `cwd`. With `server` it gets a
   session of its own, so that a ^C at the terminal does not reach it. */
struct lab_command {
    const char *const *argv;
    const char *log; /* owned by `user` */
    const char *cwd;
    bool server;
};
MUST_CHECK bool lab_spawn(const struct lab_user *user, const struct lab_command *command,
                          struct lab_process *ret_process, struct err *err);

/* Wait for a child to end; a status other than 0 is an error that quotes the log's last line. */
MUST_CHECK bool lab_wait(const struct lab_process *process, const struct lab_command *command,
                         struct err *err);

/* The last line of a log that is not empty. */
str lab_log_tail(struct arena *arena, const char *log);

/* Whether exactly this process still runs (a zombie does not; ours is reaped). */
bool lab_process_alive(const struct lab_process *process);
bool lab_process_of(pid_t pid, struct lab_process *ret_process);

/* SIGINT (PostgreSQL's fast shutdown), after ten seconds SIGQUIT; returns when it has ended. */
MUST_CHECK bool lab_process_stop(const struct lab_process *process, struct err *err);

/* The process whose pid is on the first line of `path`, if it works in folder `cwd`. */
bool lab_process_of_file(struct arena *arena, str path, str cwd, struct lab_process *ret_process);

str lab_boot_id(struct arena *arena); /* one boot of the machine; empty when it is not known */
void lab_pause(int ms);

#endif
