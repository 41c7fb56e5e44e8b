/* SPDX-License-Identifier: Apache-2.0 */
#include "node/network.h"

#include "base/io.h"
#include "node/run.h"
#include "tls/endpoint.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <unistd.h>

enum { RESOLVE_MS = 3000, BOOT_MAX = 256 };

str network_loopback(struct arena *arena)
{
    AUTO(err) struct err err = { 0 };
    char space[64] = "";
    str boot = S("");
    if (!io_read(arena, "/proc/sys/kernel/random/boot_id", BOOT_MAX, &boot, &err) ||
        readlink("/proc/self/ns/net", space, sizeof(space) - 1) < 0)
        return S("");
    return str_printf(arena, "%.*s/%s", STR_ARG(str_trim(boot)), space);
}

/* As text; empty for what nobody else can use. */
static str text_of(struct arena *arena, const struct sockaddr *address)
{
    char text[INET6_ADDRSTRLEN] = "";
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)address;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)address;
    if (address->sa_family == AF_INET)
        (void)inet_ntop(AF_INET, &four->sin_addr, text, sizeof(text));
    else if (address->sa_family == AF_INET6 && !IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr))
        (void)inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof(text));
    return str_copy(arena, str_c(text));
}

static void add_family(struct arena *arena, const struct ifaddrs *first, int family,
                       str_list *addresses)
{
    for (const struct ifaddrs *at = first; at != NULL; at = at->ifa_next) {
        if (at->ifa_addr == NULL || at->ifa_addr->sa_family != family ||
            (at->ifa_flags & IFF_UP) == 0 || (at->ifa_flags & IFF_LOOPBACK) != 0)
            continue;
        str text = text_of(arena, at->ifa_addr);
        if (text.len > 0)
            str_list_add(arena, addresses, text);
    }
}

void network_addresses(struct arena *arena, str_list *ret_addresses)
{
    struct ifaddrs *first = NULL;
    *ret_addresses = (str_list){ 0 };
    if (getifaddrs(&first) < 0)
        return;
    add_family(arena, first, AF_INET, ret_addresses);
    add_family(arena, first, AF_INET6, ret_addresses);
    freeifaddrs(first);
}

/* In a child: a resolver may wait for longer than anybody wants to. */
static int resolve(int out, void *context)
{
    AUTO(arena) struct arena arena = { 0 };
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
    if (getaddrinfo(context, NULL, &hints, &found) != 0)
        return 1;
    for (const struct addrinfo *at = found; at != NULL; at = at->ai_next)
        (void)dprintf(out, "%.*s\n", STR_ARG(text_of(&arena, at->ai_addr)));
    freeaddrinfo(found);
    return 0;
}

void network_resolve(struct arena *arena, str name, int timeout_ms, str_list *ret_addresses)
{
    AUTO(err) struct err err = { 0 };
    struct run_result result = { 0 };
    char *host = (char *)(uintptr_t)str_cstr(arena, name);
    *ret_addresses = (str_list){ 0 };
    if (!run_call(arena, S(""), timeout_ms, resolve, host, &result, &err))
        return;
    for (str rest = result.output; rest.len > 0;) {
        str line = str_cut(&rest, '\n');
        if (line.len > 0)
            str_list_add(arena, ret_addresses, line);
    }
}

static bool is_numeric(const char *host)
{
    struct in6_addr any;
    return inet_pton(AF_INET, host, &any) == 1 || inet_pton(AF_INET6, host, &any) == 1;
}

static void emit_names(struct emit *emit, struct arena *arena, const struct cluster *fragment)
{
    str_list seen = { 0 };
    emit_object(emit, "names");
    for (size_t i = 0; i < fragment->links.count; i++) {
        struct endpoint endpoint;
        str_list addresses;
        if (!endpoint_parse(fragment->links.items[i].to, &endpoint) ||
            str_list_has(&seen, endpoint.host) || is_numeric(str_cstr(arena, endpoint.host)))
            continue;
        list_push(arena, &seen) = endpoint.host;
        network_resolve(arena, endpoint.host, RESOLVE_MS, &addresses);
        emit_list(emit, str_cstr(arena, endpoint.host), &addresses);
    }
    emit_object_end(emit);
}

void network_emit(struct emit *emit, struct arena *arena, const struct cluster *fragment)
{
    str_list addresses;
    network_addresses(arena, &addresses);
    emit_str(emit, "loopback", network_loopback(arena));
    emit_list(emit, "addresses", &addresses);
    emit_names(emit, arena, fragment);
}
