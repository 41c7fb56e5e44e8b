/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/dial.h"

#include "base/clock.h"
#include "tests/test.h"

#include <sys/socket.h>

TEST(reads_and_writes_end_as_the_peer_ends_them_or_at_the_deadline)
{
    int fds[2];
    check_int(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    AUTO(wire) struct wire wire = { .fd = fds[0], .deadline = clock_monotonic_ms() + 5000 };
    char bytes[8];
    size_t count;
    check_int(send(fds[1], "abc", 3, 0), 3);
    check_int(wire_read_exactly(&wire, bytes, 3), WIRE_OK);
    check_int(wire_write(&wire, S("xy")), WIRE_OK);
    check_int(recv(fds[1], bytes, sizeof(bytes), 0), 2);
    wire.deadline = clock_monotonic_ms();
    check_int(wire_read(&wire, bytes, 1, &count), WIRE_TIMEOUT);
    close(fds[1]);
    check_int(wire_read(&wire, bytes, 1, &count), WIRE_CLOSED);
    check_int(wire_write(&wire, S("x")), WIRE_BROKEN); /* and SIGPIPE did not end us */
}
