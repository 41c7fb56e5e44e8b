/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lease.h - the fencing token of a cluster at one node: one apply at a time (design, section 4).
 *
 * The lease is a small file per cluster in the node's state folder, changed and checked under a
 * lock beside it. No lease ends by time: a holder that is known to be dead is replaced silently,
 * anyone else only when the user names them. Only the holder's own machine can know: the node's, or
 * that of whoever wants the lease.
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
    str machine; /* lease_machine(): hosts may have equal names */
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

/* What tells the machine and the processes that can be seen here from any other: machine-id(5), or
   the boot where there is none, and the pid namespace. */
str lease_machine(struct arena *arena);

/* The holder's process was one of this machine, and is gone. */
bool lease_is_over(struct arena *arena, const struct lease_holder *holder);

MUST_CHECK bool lease_read(struct arena *arena, const struct lease_place *place,
                           struct lease *ret_lease, struct err *err);

/* Who wants the lease. */
struct lease_claim {
    struct lease_holder holder;
    int64_t token; /* must be above the highest seen; 0: the next one */
    str take_over; /* the holder that is replaced in any case; empty: nobody */
    int64_t dead; /* the token of a holder who is over (lease_is_over()) where the claim was made */
};

/* Become the holder. Someone else's lease is ERR_CONFLICT, unless they are over here or the claim
   says that they are, or are whom it takes over from. */
MUST_CHECK bool lease_take(const struct lease_place *place, const struct lease_claim *claim,
                           int64_t *ret_token, struct err *err);

/* Hold the lock, having seen that `token` is the one that holds the lease: whoever writes keeps
 *ret_lock open until the write is done. The caller closes it. */
MUST_CHECK bool lease_check(const struct lease_place *place, int64_t token, int *ret_lock,
                            struct err *err);

MUST_CHECK bool lease_release(const struct lease_place *place, int64_t token, struct err *err);

#endif
