/* SPDX-License-Identifier: Apache-2.0 */
/* reach.h - the coordinator's side: workers asked side by side, each with its own deadline. */
#ifndef REACH_REACH_H
#define REACH_REACH_H

#include "node/protocol.h"
#include "reach/ssh.h"

#include <sys/types.h>

struct reach {
    str node;     /* its name, for messages; borrowed */
    pid_t pid;    /* of the worker, or of the client that brought it about; 0: none */
    int in, out;  /* answers come from `in`, requests go to `out`; -1 when closed */
    bool greeted; /* the worker has said hello, in our version of the protocol */
    int64_t last_id;
    struct arena arena; /* of what was read */
    struct line_reader reader;
    const struct ssh_way *way; /* borrowed; NULL: on this machine */
    struct ssh_log *log;       /* what the client says; NULL: our own standard error */
};

/* Start `program` (NULL: this program's own file) as `node --state STATE -- NODE`, or without a
   state when there is none. It inherits nothing but its two pipes and our standard error. */
MUST_CHECK bool reach_local(const char *program, str node, str state, struct reach *ret_reach,
                            struct err *err);

/* Start the client. Whether the other machine can be reached is seen when something is asked. */
MUST_CHECK bool reach_ssh(const struct ssh_way *way, struct reach *ret_reach, struct err *err);

/* Close the pipes, which ends the worker: by itself, after what it is doing. */
void reach_hang_up(struct reach *reach);

/* The same, and wait for it; killed after two seconds. */
void reach_close(struct reach *reach);
DEFINE_AUTO(reach, struct reach, reach_close(handle))

/* Nothing more can be asked of it. */
bool reach_is_over(const struct reach *reach);

/* One question. At most one per worker at a time. */
struct ask {
    struct reach *reach;
    const char *op;
    json_t *body;   /* borrowed: the members besides id and op; NULL: none */
    int timeout_ms; /* for the answer; a worker's first question is asked once it has said hello */
    bool ok;
    json_t *answer; /* when ok: the caller owns it */
    struct err err; /* when not: ERR_UNCERTAIN where the request had gone out and no answer came.
                       What to type next is typed here, also where a node far away said it. */
};
void ask_clear(struct ask *ask);
DEFINE_AUTO(ask, struct ask, ask_clear(handle))

/* Ask all at once; returns when each has its answer or its error. A worker that died or was too
   late cannot be asked again. */
void reach_ask_all(struct ask *asks, size_t count);

/* Hand on the error of an ask that failed. Always returns false. */
bool ask_error(const struct ask *ask, struct err *err);

/* One question to one worker; the caller owns *ret_answer. */
MUST_CHECK bool reach_ask(struct reach *reach, const char *op, json_t *body, int timeout_ms,
                          json_t **ret_answer, struct err *err);

#endif
