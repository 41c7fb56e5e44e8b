/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holders.h - the processes that have a listening socket open, so may answer a new connection.
 *
 * A server that replaces its workers at a reload (nginx, Apache, HAProxy) goes on answering with
 * the old ones for a moment after the new ones have begun: measured with nginx 1.22, a tenth of a
 * second in which either may be met. An old one has let go when it no longer holds the socket.
 */
#ifndef NODE_HOLDERS_H
#define NODE_HOLDERS_H

#include "base/clock.h"
#include "base/str.h"

#include <sys/types.h>

struct holder {
    pid_t pid, parent;
    uint64_t started; /* clock ticks since the machine's start: tells a pid from its next use */
};
typedef LIST(struct holder) holder_list;

/* The processes that listen at "127.0.0.1:443", or at that port of every address. Those of other
   users are seen by root alone. */
void holders_find(struct arena *arena, str listen, holder_list *ret_holders);

/* Whether those that answered before a reload have let go, by who holds the socket `now`: a worker
   (a child of another holder) has when it is gone and another one is there; a process without
   workers when it is gone, is the parent of what came after it, or nothing came after it. */
bool holders_settled(struct arena *arena, const holder_list *before, const holder_list *now,
                     str *ret_evidence);

/* When the process that has held the socket longest was started; 0 when nobody is seen. */
moment holders_since(const holder_list *holders);

#endif
