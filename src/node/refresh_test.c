/* SPDX-License-Identifier: Apache-2.0 */
#include "node/refresh.h"

#include "node/change_test.h"

TEST(a_service_is_refreshed_until_it_uses_what_is_stored)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench);
    struct change refresh = on_service(STEP_refresh);
    check_int(observe(&bench, &refresh).observed, OBSERVED_BEFORE);
    check_int(carry_out(&bench, &refresh), ERR_NONE);
    check_int(observe(&bench, &refresh).observed, OBSERVED_AFTER);
    bench.driver.loaded = NULL;
    check_int(observe(&bench, &refresh).observed, OBSERVED_UNKNOWN);
    check_int(carry_out(&bench, &refresh), ERR_NONE);
    bench.driver.refresh = NULL;
    check_int(carry_out(&bench, &refresh), ERR_REFUSED);
}

/* `other` has names of its own for the same files, and the same refresh command. */
static void add_other(struct bench *bench)
{
    str names = folder_put(&bench->node.folder, "other",
                           folder_text(&bench->node.folder, bench->node.names), 0644);
    bench->node.text = str_printf(
        bench->arena,
        "{nodes: {db1: {system: test, stores: {server: {certificate: %.*s, key: %.*s}, "
        "trust: {certificates: %.*s}}, services: {app: {identities: [{store: server}], "
        "trust: [trust], reference: %.*s, refresh: [load]}, other: {identities: [{store: server}], "
        "trust: [trust], reference: %.*s, refresh: [load]}}}}}",
        STR_ARG(bench->node.certificate), STR_ARG(bench->node.key), STR_ARG(bench->node.trust),
        STR_ARG(bench->node.names), STR_ARG(names));
}

TEST(what_one_command_refreshes_is_done_when_all_of_it_is)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench);
    add_other(&bench);
    bench.driver.remembers = true;
    str names = folder_text(&bench.node.folder, bench.node.names);
    struct change refresh = on_service(STEP_refresh);
    folder_put(&bench.node.folder, "names.loaded", names, 0600);
    check_int(observe(&bench, &refresh).observed, OBSERVED_BEFORE);
    check_int(carry_out(&bench, &refresh), ERR_NONE);
    check(access(folder_at(&bench.node.folder, "state/loaded/app:trust.pem").ptr, F_OK) == 0);
    check(access(folder_at(&bench.node.folder, "state/loaded/other:trust.pem").ptr, F_OK) == 0);
    folder_put(&bench.node.folder, "other.loaded", names, 0600);
    check_int(observe(&bench, &refresh).observed, OBSERVED_AFTER);
}

TEST(a_pair_that_does_not_match_is_not_loaded)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench);
    struct change refresh = on_service(STEP_refresh);
    folder_put(&bench.node.folder, "server.key", bench.node.root.key_pem, 0600);
    check_int(carry_out(&bench, &refresh), ERR_REFUSED);
    check_int(observe(&bench, &refresh).observed, OBSERVED_BEFORE);
}

TEST(a_service_that_plays_another_part_than_planned_is_not_refreshed)
{
    static const struct {
        const char *now, *planned;
        enum err_kind want;
    } cases[] = {
        {"primary",  "replica", ERR_CONFLICT},
        { "replica", "replica", ERR_NONE    },
        { "primary", "",        ERR_NONE    },
        { "",        "replica", ERR_NONE    },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(bench) struct bench bench;
        bench_make(&bench);
        struct change refresh = on_service(STEP_refresh);
        refresh.role = str_c(cases[i].planned);
        folder_put(&bench.node.folder, "names.role", str_c(cases[i].now), 0600);
        check_int(carry_out(&bench, &refresh), cases[i].want);
        check_int(observe(&bench, &refresh).observed,
                  cases[i].want == ERR_NONE ? OBSERVED_AFTER : OBSERVED_BEFORE);
    }
}
