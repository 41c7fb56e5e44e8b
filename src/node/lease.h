/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lease.h - the fencing token of a cluster at one node: one apply at a time (design, section 4).
 *
 * The lease is a small file per cluster in the node's state folder, changed and checked under a
 * lock beside it. No lease ends by time: a holder that is dead on this host is replaced silently,
 * anyone else only when the user names them.
 */
#ifndef NODE_LEASE_H
#define NODE_LEASE_H

#include "base/err.h"
#include "base/str.h"

#include <sys/types.h>

/* Where one cluster's lease lives, and how long to wait for its lock. */
struct lease_place {
    str state;   /* the node's state folder */
    str cluster; /* the cluster's id: letters, digits and hyphens */
    int wait_ms; /* 0: LEASE_WAIT_MS */
};
enum { LEASE_WAIT_MS = 10 * 1000 };

/* A process, named so that it can be told from a later one of the same number. */
struct lease_holder {
    str name; /* what people call it: "alice@db1" */
    str host;
    pid_t pid;
    str started; /* boot and start time, from lease_process() */
};

struct lease {
    int64_t token; /* the highest seen; 0 when there never was one */
    bool held;
    struct lease_holder holder; /* meaningful while held */
};

/* What tells process `pid` of this host from any other; empty when there is no such process. */
str lease_process(struct arena *arena, pid_t pid);
str lease_host(struct arena *arena);

MUST_CHECK bool lease_read(struct arena *arena, const struct lease_place *place,
                           struct lease *ret_lease, struct err *err);

/* Become the holder with `token`, which must be above the highest seen; 0 takes the next one.
   Someone else's lease is ERR_CONFLICT, unless they are dead on this host or `take_over` is their
   name. */
MUST_CHECK bool lease_take(const struct lease_place *place, const struct lease_holder *holder,
                           int64_t token, str take_over, int64_t *ret_token, struct err *err);

/* Hold the lock, having seen that `token` is the one that holds the lease: whoever writes keeps
 *ret_lock open until the write is done. The caller closes it. */
MUST_CHECK bool lease_check(const struct lease_place *place, int64_t token, int *ret_lock,
                            struct err *err);

MUST_CHECK bool lease_release(const struct lease_place *place, int64_t token, struct err *err);

#endif
