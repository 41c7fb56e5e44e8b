/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.h - the loop of `reseal node`: one request a line, one answer a line.
 *
 * Requests that read: hello, look, probe, preflight, saved, lease_read. Requests that change
 * anything name `cluster` and `token` and are carried out with the lease's lock held: carry_out,
 * request, deliver, forget, restore; and so is observe, which must not look at what a worker that
 * was lost is still in the middle of. lease_take and lease_release are the lease itself. Members of
 * each are listed beside its function in ops.c. There is no request that writes a file or runs a
 * command of the asker's choice: steps are all that can be done.
 */
#ifndef NODE_WORKER_H
#define NODE_WORKER_H

#include "node/driver.h"
#include "node/protocol.h"

struct worker {
    str state;                           /* the node's state folder, absolute */
    const struct driver *const *drivers; /* ended by NULL */
};

struct op {
    const char *name;
    bool changes; /* needs the lease */
    /* Adds members to the answer that `emit` has open. */
    bool (*run)(const struct worker *worker, struct arena *arena, const json_t *body,
                struct emit *emit, struct err *err);
};
extern const struct op worker_ops[]; /* ended by a row without a name */

/* Answer requests from `in` on `out` until the end of `in`. False when the line cannot be read or
   written any more; a request that fails is only an answer. Key bytes in memory are wiped. */
MUST_CHECK bool worker_serve(const struct worker *worker, int in, int out, struct err *err);

/* No core dump and no debugger for this process: keys pass through its memory. */
MUST_CHECK bool worker_harden(struct err *err);

#endif
