/* SPDX-License-Identifier: Apache-2.0 */
/* Covers src/reach/ssh.c src/cluster/ssh.c */
/* Hostile bytes as what comes from the other machine on the client's standard error, in two reads;
   the first byte is how it ended, the second where the reads fall. The same bytes as an address. */
#include "reach/ssh.h"

#include <assert.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEARD_MAX = 65536 };

static void hear(struct ssh_log *log, str all, size_t at)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0)
        return;
    AUTO(fd) int peer = fds[1];
    log->fd = fds[0];
    if (send(peer, all.ptr, at, 0) == (ssize_t)at) {
        ssh_log_read(log);
        assert(log->fd == fds[0]);
        if (send(peer, all.ptr + at, all.len - at, 0) == (ssize_t)(all.len - at))
            ssh_log_read(log);
    }
    (void)shutdown(peer, SHUT_WR);
    ssh_log_read(log);
    assert(log->fd == -1);
}

/* Nothing that is shown does anything to a terminal. */
static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text < ' ' || *text > '~')
            return false;
    return true;
}

static void parse(str text)
{
    AUTO(arena) struct arena arena = { 0 };
    struct ssh_address address;
    str reach, path;
    struct buf whole = { 0 };
    buf_add(&arena, &whole, S("ssh://"));
    buf_add(&arena, &whole, text);
    if (ssh_split(buf_str(&whole), &reach, &path))
        assert(reach.len + path.len == whole.bytes.count);
    if (!ssh_address_parse(buf_str(&whole), &address))
        return;
    const struct ssh_way way = { .address = address, .node = text, .state = text };
    assert(address.host.len > 0 && address.host.ptr[0] != '-');
    const char *const *argv = ssh_arguments(&arena, &way);
    size_t count = 0;
    while (argv[count] != NULL)
        count++;
    assert(strcmp(argv[count - 3], "--") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(err) struct err err = { 0 };
    struct ssh_log log = { .fd = -1 };
    const struct ssh_way way = {
        .address = {S("root"), S("db1"), 22},
          .node = S("db1")
    };
    if (size < 2 || size > HEARD_MAX)
        return 0;
    str all = { (const char *)data + 2, size - 2 };
    hear(&log, all, all.len * data[1] / 255);
    assert(is_plain(log.fingerprint) && is_plain(log.key_type));
    assert(!ssh_explain(&way, &log, data[0] << 8, &err));
    assert(err.kind == ERR_REFUSED || err.kind == ERR_NETWORK);
    assert(is_plain(err.msg) && (err.next == NULL || is_plain(err.next)));
    parse(all);
    return 0;
}
