/* SPDX-License-Identifier: Apache-2.0 */
#include "node/network.h"

#include "base/sink.h"
#include "node/protocol.h"
#include "tests/test.h"

#include <sched.h>
#include <sys/wait.h>

TEST(who_shares_a_loopback_says_the_same_and_who_has_another_does_not)
{
    AUTO(arena) struct arena arena = { 0 };
    str here = network_loopback(&arena);
    int status = 0;
    check(here.len > 36); /* a boot's UUID and more */
    check_str(network_loopback(&arena), here);
    pid_t pid = fork();
    if (pid == 0) /* 2: only who may has another */
        _exit(unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 ? 2
              : str_eq(network_loopback(&arena), here)  ? 1
                                                        : 0);
    check_int(waitpid(pid, &status, 0), pid);
    check(WIFEXITED(status) && WEXITSTATUS(status) != 1);
}

TEST(a_name_is_what_this_nodes_resolver_says_and_an_unknown_one_is_nothing)
{
    AUTO(arena) struct arena arena = { 0 };
    str_list addresses;
    network_resolve(&arena, S("localhost"), 10000, &addresses);
    check(str_list_has(&addresses, S("127.0.0.1")) || str_list_has(&addresses, S("::1")));
    network_resolve(&arena, S("no such name"), 10000, &addresses);
    check_int(addresses.count, 0);
}

TEST(only_the_names_that_links_dial_are_looked_up)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    AUTO(sink) struct sink sink = { 0 };
    AUTO(json) json_t *answer = NULL;
    struct cluster fragment = { .arena = &arena };
    static const char *const dialed[] = { "localhost:1", "localhost:2", "192.0.2.1:1", "[::1]:1",
                                          "db1/postgres" };
    for (size_t i = 0; i < COUNT(dialed); i++)
        list_push(&arena, &fragment.links) = (struct link_conf){ .to = str_c(dialed[i]) };
    check_ok(sink_open(&sink, &err), &err);
    struct emit emit = { .out = sink.file, .one_line = true };
    emit_object(&emit, NULL);
    network_emit(&emit, &arena, &fragment);
    emit_object_end(&emit);
    emit_end(&emit);
    check_ok(protocol_parse(str_trim(sink_text(&sink)), &answer, &err), &err);
    const json_t *names = json_object_get(answer, "names");
    check_int(json_object_size(names), 1);
    check(json_array_size(json_object_get(names, "localhost")) > 0);
    json_t *address;
    size_t i;
    json_array_foreach(json_object_get(answer, "addresses"), i, address)
        check(!str_starts(str_c(json_string_value(address)), S("127.")));
}
