/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/dial.h"

#include "base/clock.h"

#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

DEFINE_AUTO(addrinfo, struct addrinfo *, if (*handle != NULL) freeaddrinfo(*handle))

/* OpenSSL writes with write(2), which has no MSG_NOSIGNAL. */
static void hush(struct wire *wire)
{
    sigset_t pipe, pending;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&pending);
    wire->was_pending = sigismember(&pending, SIGPIPE) == 1;
    wire->hushed = pthread_sigmask(SIG_BLOCK, &pipe, &wire->mask) == 0;
}

static void unhush(struct wire *wire)
{
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    if (!wire->was_pending) /* ours, if there is one */
        (void)sigtimedwait(&pipe, NULL, &(struct timespec){ 0 });
    pthread_sigmask(SIG_SETMASK, &wire->mask, NULL);
    wire->hushed = false;
}

void wire_close(struct wire *wire)
{
    if (wire->fd >= 0)
        close(wire->fd);
    wire->fd = -1;
    if (wire->hushed)
        unhush(wire);
}

static enum wire_end wait_for(const struct wire *wire, short events)
{
    for (;;) {
        int64_t left = wire->deadline - clock_monotonic_ms();
        struct pollfd poll_fd = { .fd = wire->fd, .events = events };
        int ready = left <= 0 ? 0 : poll(&poll_fd, 1, (int)left);
        if (ready > 0)
            return WIRE_OK;
        if (ready == 0)
            return WIRE_TIMEOUT;
        if (errno != EINTR)
            return WIRE_BROKEN;
    }
}

/* 0, or the errno of the attempt. */
static int connect_one(struct wire *wire, const struct addrinfo *to)
{
    wire->fd = socket(to->ai_family, to->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (wire->fd < 0)
        return errno;
    if (connect(wire->fd, to->ai_addr, to->ai_addrlen) == 0)
        return 0;
    if (errno != EINPROGRESS && errno != EINTR)
        return errno;
    if (wait_for(wire, POLLOUT) != WIRE_OK)
        return ETIMEDOUT;
    int failed = 0;
    socklen_t size = sizeof(failed);
    return getsockopt(wire->fd, SOL_SOCKET, SO_ERROR, &failed, &size) == 0 ? failed : errno;
}

bool wire_dial(struct arena *arena, str host, uint16_t port, struct wire *wire, str *ret_text)
{
    AUTO(addrinfo) struct addrinfo *found = NULL;
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
    int code = getaddrinfo(str_cstr(arena, host), str_printf(arena, "%u", (unsigned)port).ptr,
                           &hints, &found);
    if (code != 0) {
        *ret_text = str_printf(arena, "%.*s: %s", STR_ARG(host), gai_strerror(code));
        return false;
    }
    hush(wire);
    int failed = 0;
    for (const struct addrinfo *to = found; to != NULL; to = to->ai_next) {
        failed = connect_one(wire, to);
        if (failed == 0)
            return true;
        if (wire->fd >= 0)
            close(wire->fd);
        wire->fd = -1;
    }
    *ret_text = str_printf(arena, "%.*s:%u: %s", STR_ARG(host), (unsigned)port, strerror(failed));
    return false;
}

/* Whether to try again after OpenSSL's `result`; if not, *ret_end says how it ended. */
static bool again(struct wire *wire, int result, enum wire_end *ret_end)
{
    int code = SSL_get_error(wire->ssl, result);
    *ret_end = result > 0 ? WIRE_OK : code == SSL_ERROR_ZERO_RETURN ? WIRE_CLOSED : WIRE_BROKEN;
    if (result > 0 || (code != SSL_ERROR_WANT_READ && code != SSL_ERROR_WANT_WRITE))
        return false;
    *ret_end = wait_for(wire, code == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT);
    return *ret_end == WIRE_OK;
}

enum wire_end wire_handshake(struct wire *wire)
{
    enum wire_end end;
    int result;
    do {
        ERR_clear_error();
        result = SSL_connect(wire->ssl);
    } while (again(wire, result, &end));
    return end;
}

static enum wire_end read_tls(struct wire *wire, void *bytes, size_t max, size_t *ret_count)
{
    enum wire_end end;
    int result;
    do {
        ERR_clear_error();
        result = SSL_read(wire->ssl, bytes, (int)max);
    } while (again(wire, result, &end));
    *ret_count = result > 0 ? (size_t)result : 0;
    return end;
}

static enum wire_end write_tls(struct wire *wire, str bytes)
{
    enum wire_end end;
    int result;
    do {
        ERR_clear_error();
        result = SSL_write(wire->ssl, bytes.ptr, (int)bytes.len);
    } while (again(wire, result, &end));
    /* Who refuses us may have closed before we wrote; its alert is still there to be read. */
    char byte;
    size_t count;
    if (end == WIRE_BROKEN)
        (void)read_tls(wire, &byte, 1, &count);
    return end;
}

enum wire_end wire_write(struct wire *wire, str bytes)
{
    if (wire->ssl != NULL)
        return write_tls(wire, bytes);
    while (bytes.len > 0) {
        ssize_t sent = send(wire->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        enum wire_end end = sent >= 0 || errno == EINTR ? WIRE_OK
                            : errno == EAGAIN           ? wait_for(wire, POLLOUT)
                                                        : WIRE_BROKEN;
        if (end != WIRE_OK)
            return end;
        size_t count = sent < 0 ? 0 : (size_t)sent;
        bytes = (str){ bytes.ptr + count, bytes.len - count };
    }
    return WIRE_OK;
}

enum wire_end wire_read(struct wire *wire, void *bytes, size_t max, size_t *ret_count)
{
    *ret_count = 0;
    if (wire->ssl != NULL)
        return read_tls(wire, bytes, max, ret_count);
    for (;;) {
        ssize_t got = recv(wire->fd, bytes, max, 0);
        if (got > 0)
            *ret_count = (size_t)got;
        if (got >= 0)
            return got > 0 ? WIRE_OK : WIRE_CLOSED;
        if (errno != EAGAIN && errno != EINTR)
            return WIRE_BROKEN;
        enum wire_end end = wait_for(wire, POLLIN);
        if (end != WIRE_OK)
            return end;
    }
}

enum wire_end wire_read_exactly(struct wire *wire, void *bytes, size_t count)
{
    for (size_t have = 0, got; have < count; have += got) {
        enum wire_end end = wire_read(wire, (char *)bytes + have, count - have, &got);
        if (end != WIRE_OK)
            return end;
    }
    return WIRE_OK;
}
