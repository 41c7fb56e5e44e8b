/* SPDX-License-Identifier: Apache-2.0 */
/* dialogue_test.h - one half of a dialogue over a plain pair of sockets, for its tests. */
#ifndef TLS_DIALOGUE_TEST_H
#define TLS_DIALOGUE_TEST_H

#include "base/clock.h"
#include "tests/test.h"
#include "tls/dialogue.h"

#include <string.h>
#include <sys/socket.h>

enum { DIALOGUE_SENT = 128 };

/* What `half` makes of `words`, which the peer said beforehand; `sent` has what it said itself. */
static inline struct probe_result dialogue_hears(struct arena *arena,
                                                 enum wire_end (*half)(struct talk *talk),
                                                 const struct probe_request *request, str words,
                                                 char sent[DIALOGUE_SENT])
{
    int fds[2];
    check_int(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    AUTO(fd) int peer = fds[1];
    AUTO(wire) struct wire wire = { .fd = fds[0], .deadline = clock_monotonic_ms() + 5000 };
    struct probe_result result = { 0 };
    struct talk talk = { .arena = arena, .request = request, .wire = &wire, .result = &result };
    check_int(send(peer, words.ptr, words.len, 0), words.len);
    check_int(shutdown(peer, SHUT_WR), 0);
    check_int(half(&talk), WIRE_OK);
    memset(sent, 0, DIALOGUE_SENT);
    (void)!recv(peer, sent, DIALOGUE_SENT, 0);
    return result;
}

#endif
