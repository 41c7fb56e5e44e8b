/* SPDX-License-Identifier: Apache-2.0 */
#include "node/pinned.h"

#include "node/node_test.h"

/* As the worker does for each request: the node is read again. */
static enum err_kind ask(struct node_bench *node, const char *apply, const struct change *change,
                         bool carry_out, enum observed *ret_observed)
{
    AUTO(err) struct err err = { 0 };
    struct cluster fragment;
    str evidence;
    check_ok(cluster_parse(node->arena, "/node.yaml", node->text, true, &fragment, &err), &err);
    struct driver_call call = { .arena = node->arena,
                                .node = &fragment.nodes.items[0],
                                .state = folder_at(&node->folder, "state"),
                                .timeout_ms = 10000 };
    struct change_site site = { &node_driver, &call, str_c(apply) };
    (void)!(carry_out ? change_carry_out(&site, change, &evidence, &err)
                      : change_observe(&site, change, ret_observed, &evidence, &err));
    return err.kind;
}

static enum err_kind carry_out(struct node_bench *node, const char *apply,
                               const struct change *change)
{
    enum observed unused;
    return ask(node, apply, change, true, &unused);
}

static enum observed observe(struct node_bench *node, const struct change *change)
{
    enum observed observed = OBSERVED_UNKNOWN;
    check_int(ask(node, "a-1", change, false, &observed), ERR_NONE);
    return observed;
}

#define PIN_A  "spki:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define TEXT_A "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"

TEST(a_pin_is_staged_and_forgotten_once_its_file_was_saved)
{
    AUTO(node_bench) struct node_bench node;
    node_bench_make(&node);
    str path = folder_put(&node.folder, "pins", S("# db1\n"), 0644);
    node.text = str_printf(node.arena,
                           "{nodes: {db1: {system: test, stores: {pins: {format: pins, path: "
                           "%.*s}, server: {certificate: %.*s, key: %.*s}}, services: {app: "
                           "{pins: [pins], reference: %.*s}}}}}",
                           STR_ARG(path), STR_ARG(node.certificate), STR_ARG(node.key),
                           STR_ARG(node.names));
    struct change save = { .kind = STEP_snapshot, .id = S("fedcba9876543210"), .store = S("pins") };
    struct change expect = save, forget = save;
    expect.kind = STEP_expect, forget.kind = STEP_forget;
    expect.certificate = S("spki:new:0123456789abcdef");
    check_int(observe(&node, &expect), OBSERVED_BEFORE);
    check_int(carry_out(&node, "a-1", &save), ERR_NONE);
    check_int(carry_out(&node, "a-1", &expect), ERR_REFUSED); /* it is not issued yet */
    expect.pin = forget.pin = forget.certificate = S(PIN_A);
    check_int(observe(&node, &forget), OBSERVED_AFTER);
    check_int(carry_out(&node, "a-2", &expect), ERR_REFUSED); /* another apply has no snapshot */
    check_int(carry_out(&node, "a-1", &expect), ERR_NONE);
    check_int(observe(&node, &expect), OBSERVED_AFTER);
    check_str(folder_text(&node.folder, path), S("# db1\n" TEXT_A));
    check_int(carry_out(&node, "a-1", &expect), ERR_NONE); /* once is enough */
    check_str(folder_text(&node.folder, path), S("# db1\n" TEXT_A));
    check_int(carry_out(&node, "a-1", &forget), ERR_NONE);
    check_str(folder_text(&node.folder, path), S("# db1\n"));
    forget.pin = S("sha256:00");
    check_int(carry_out(&node, "a-1", &forget), ERR_FORMAT);
}
