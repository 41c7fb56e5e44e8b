/* SPDX-License-Identifier: Apache-2.0 */
/* Covers src/tls/dialogue.c src/tls/http.c src/tls/ldap.c src/tls/mysql.c src/tls/postgresql.c */
/* Hostile bytes as what a server says around TLS; the first byte chooses protocol and half. */
#include "base/clock.h"
#include "tls/dialogue.h"

#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEARD_MAX = 16384, WAIT_MS = 5000 };

static const char *const protocols[] = { "postgresql", "mysql", "ldap", "smtp", "imap", "https" };

static void hear(struct talk *talk, bool confirm, str words)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0)
        return;
    AUTO(fd) int peer = fds[1];
    AUTO(wire) struct wire wire = { .fd = fds[0], .deadline = clock_monotonic_ms() + WAIT_MS };
    talk->wire = &wire;
    if (send(peer, words.ptr, words.len, 0) != (ssize_t)words.len || shutdown(peer, SHUT_WR) != 0)
        return;
    (void)(confirm ? talk->row->confirm : talk->row->prelude)(talk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > HEARD_MAX)
        return 0;
    AUTO(arena) struct arena arena = { 0 };
    struct probe_request request = { .user = S("app") };
    struct probe_result result = { 0 };
    struct talk talk = { .arena = &arena, .request = &request, .result = &result };
    talk.row = dialogue_find(str_c(protocols[data[0] / 2 % COUNT(protocols)]));
    hear(&talk, (data[0] & 1) != 0, (str){ (const char *)data + 1, size - 1 });
    return 0;
}
