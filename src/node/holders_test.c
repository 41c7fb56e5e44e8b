/* SPDX-License-Identifier: Apache-2.0 */
#include "node/holders.h"

#include "tests/test.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int listen_somewhere(struct arena *arena, str *ret_listen)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check_int(bind(listener, (struct sockaddr *)&address, len), 0);
    check_int(listen(listener, 8), 0);
    check_int(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    *ret_listen = str_printf(arena, "127.0.0.1:%d", ntohs(address.sin_port));
    return listener;
}

static void end(pid_t pid)
{
    check_int(kill(pid, SIGKILL), 0);
    check_int(waitpid(pid, NULL, 0), pid);
}

TEST(who_listens_at_an_address_is_found_with_its_workers)
{
    AUTO(arena) struct arena arena = { 0 };
    holder_list found;
    str listen;
    int listener = listen_somewhere(&arena, &listen);
    pid_t worker = fork();
    if (worker == 0)
        pause();
    holders_find(&arena, listen, &found);
    check_int(found.count, 2);
    size_t first = found.items[0].pid == worker;
    check_int(found.items[first].pid, getpid());
    check_int(found.items[first].parent, getppid());
    check_int(found.items[1 - first].pid, worker);
    check_int(found.items[1 - first].parent, getpid());
    moment since = holders_since(&found);
    check(since > clock_now() - 3600 && since <= clock_now() + 1);
    end(worker);
    close(listener);
    holders_find(&arena, listen, &found);
    check_int(found.count, 0);
    check_int(holders_since(&found), 0);
    holders_find(&arena, S("nowhere"), &found);
    check_int(found.count, 0);
}

TEST(one_who_listens_at_every_address_listens_at_each)
{
    AUTO(arena) struct arena arena = { 0 };
    holder_list found;
    struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = in6addr_any };
    socklen_t len = sizeof(address);
    int listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check_int(bind(listener, (struct sockaddr *)&address, len), 0);
    check_int(listen(listener, 8), 0);
    check_int(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    holders_find(&arena, str_printf(&arena, "[::1]:%d", ntohs(address.sin6_port)), &found);
    check_int(found.count, 1);
    holders_find(&arena, str_printf(&arena, "127.0.0.1:%d", ntohs(address.sin6_port)), &found);
    check_int(found.count, 1);
    close(listener);
}

/* Holders as "pid.parent.started" in one digit each. */
static holder_list holders(struct arena *arena, const char *text)
{
    holder_list list = { 0 };
    for (; text[0] != '\0'; text += text[3] == ' ' ? 4 : 3)
        list_push(arena, &list) =
            (struct holder){ text[0] - '0', text[1] - '0', (uint64_t)(text[2] - '0') };
    return list;
}

TEST(those_who_answered_before_have_let_go_when_only_others_hold_the_socket)
{
    // clang-format off
    static const struct { const char *what, *before, *now; bool settled; } cases[] = {
        { "nothing was there",                         "",            "",                true },
        { "one process reloads by itself",             "211",         "211",             true },
        { "one is replaced and still there",           "211",         "211 413",         false },
        { "one is replaced and gone",                  "211",         "413",             true },
        { "one has become the parent of its workers",  "211",         "211 423",         true },
        { "workers as before",                         "211 322 422", "211 322 422",     false },
        { "new workers beside the old",                "211 322 422", "211 322 422 523", false },
        { "one old worker is left",                    "211 322 422", "211 422 523",     false },
        { "only new workers",                          "211 322 422", "211 523 623",     true },
        { "the old workers are gone, none has come",   "211 322 422", "211",             false },
        { "everything is new",                         "211 322",     "713 873",         true },
        { "a pid that is used again is another",       "211 322",     "211 329",         true },
    };
    // clang-format on
    AUTO(arena) struct arena arena = { 0 };
    for (size_t i = 0; i < COUNT(cases); i++) {
        holder_list before = holders(&arena, cases[i].before), now = holders(&arena, cases[i].now);
        str evidence;
        bool settled = holders_settled(&arena, &before, &now, &evidence);
        if (settled != cases[i].settled || settled == (evidence.len > 0))
            fail_msg("%s: %d %.*s", cases[i].what, settled, STR_ARG(evidence));
    }
}
