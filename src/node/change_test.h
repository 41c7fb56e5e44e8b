/* SPDX-License-Identifier: Apache-2.0 */
/* change_test.h - steps carried out at a node of the test's, with its own driver. */
#ifndef NODE_CHANGE_TEST_H
#define NODE_CHANGE_TEST_H

#include "node/change.h"

#include "node/node_test.h"

struct made {
    enum observed observed;
    str evidence;
    enum err_kind kind; /* of the error; ERR_NONE: it went well */
};

struct bench {
    struct node_bench node;
    struct arena *arena;
    struct driver driver; /* the test's, less what a test takes away */
    struct cluster fragment;
    struct driver_call call;
    struct change_site site;
};

static inline void bench_make(struct bench *bench)
{
    *bench = (struct bench){ .driver = node_driver };
    node_bench_make(&bench->node);
    bench->arena = &bench->node.folder.arena;
}
DEFINE_AUTO(bench, struct bench, folder_close(&handle->node.folder))

/* As the worker does for each request: the node is looked into again. */
static inline const struct change_site *site_of(struct bench *bench, const char *apply)
{
    AUTO(err) struct err err = { 0 };
    finding_list findings = { 0 };
    check_ok(
        cluster_parse(bench->arena, "/node.yaml", bench->node.text, true, &bench->fragment, &err),
        &err);
    bench->call = (struct driver_call){ .arena = bench->arena,
                                        .node = &bench->fragment.nodes.items[0],
                                        .state = folder_at(&bench->node.folder, "state"),
                                        .timeout_ms = 10000 };
    check_ok(driver_resolve(&bench->driver, &bench->call, &bench->fragment, &findings, &err), &err);
    bench->site = (struct change_site){ &bench->driver, &bench->call, str_c(apply) };
    return &bench->site;
}

static inline struct made observe(struct bench *bench, const struct change *change)
{
    AUTO(err) struct err err = { 0 };
    struct made made = { 0 };
    (void)!change_observe(site_of(bench, "a-1"), change, &made.observed, &made.evidence, &err);
    made.kind = err.kind;
    return made;
}

static inline enum err_kind carry_out_in(struct bench *bench, const char *apply,
                                         const struct change *change)
{
    AUTO(err) struct err err = { 0 };
    str evidence;
    if (change_carry_out(site_of(bench, apply), change, &evidence, &err))
        check(evidence.len > 0);
    return err.kind;
}

static inline enum err_kind carry_out(struct bench *bench, const struct change *change)
{
    return carry_out_in(bench, "a-1", change);
}

static inline struct change on_service(enum step_kind kind)
{
    return (struct change){ .kind = kind, .id = S("fedcba9876543210"), .service = S("app") };
}

#endif
