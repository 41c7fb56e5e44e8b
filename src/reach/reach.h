/* SPDX-License-Identifier: Apache-2.0 */
/* reach.h - the coordinator's side: workers asked side by side, each with its own deadline. */
#ifndef REACH_REACH_H
#define REACH_REACH_H

#include "node/protocol.h"

#include <sys/types.h>

struct reach {
    str node;    /* its name, for messages; borrowed */
    pid_t pid;   /* of the worker; 0: none */
    int in, out; /* answers come from `in`, requests go to `out`; -1 when closed */
    int64_t last_id;
    struct arena arena; /* of what was read */
    struct line_reader reader;
};

/* Start `program` (NULL: this program's own file) as `node --state STATE`. It inherits nothing but
   its two pipes and our standard error. */
MUST_CHECK bool reach_local(const char *program, str node, str state, struct reach *ret_reach,
                            struct err *err);

/* Close the pipes, which ends the worker, and wait for it; killed after two seconds. */
void reach_close(struct reach *reach);
DEFINE_AUTO(reach, struct reach, reach_close(handle))

/* One question. At most one per worker at a time. */
struct ask {
    struct reach *reach;
    const char *op;
    json_t *body; /* borrowed: the members besides id and op; NULL: none */
    int timeout_ms;
    bool ok;
    json_t *answer; /* when ok: the caller owns it */
    struct err err; /* when not: ERR_UNCERTAIN where the request had gone out and no answer came */
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
