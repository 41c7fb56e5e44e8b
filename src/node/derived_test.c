/* SPDX-License-Identifier: Apache-2.0 */
#include "node/derived.h"

#include "node/file.h"
#include "node/node_test.h"

#include <unistd.h>

#define ISSUE "0123456789abcdef"

/* The node of node_test.h, with stores besides that are made from its two. */
struct bench {
    struct node_bench node;
    struct arena *arena;
    struct cluster fragment;
    struct driver_call call;
    struct change_site site;
    str all, copy; /* paths */
};
DEFINE_AUTO(bench, struct bench, folder_close(&handle->node.folder))

static void bench_make(struct bench *bench, const char *derive_all, const char *derive_copy)
{
    AUTO(err) struct err err = { 0 };
    finding_list findings = { 0 };
    *bench = (struct bench){ 0 };
    node_bench_make(&bench->node);
    bench->arena = bench->node.arena;
    bench->all = folder_at(&bench->node.folder, "all.pem");
    bench->copy = folder_at(&bench->node.folder, "copy.pem");
    str stores = str_printf(
        bench->arena,
        "stores: {all: {certificate: %.*s, key: %.*s, derived_from: server%s}, two: {certificate: "
        "%.*s/two.crt, key: %.*s/two.key, derived_from: server}, copy: {certificates: %.*s, "
        "derived_from: trust%s}, ",
        STR_ARG(bench->all), STR_ARG(bench->all), derive_all, STR_ARG(bench->node.folder.path),
        STR_ARG(bench->node.folder.path), STR_ARG(bench->copy), derive_copy);
    size_t at = str_find(bench->node.text, S("stores: {"));
    str text = str_printf(bench->arena, "%.*s%.*s%s", (int)at, bench->node.text.ptr,
                          STR_ARG(stores), bench->node.text.ptr + at + sizeof("stores: {") - 1);
    check_ok(cluster_parse(bench->arena, "/node.yaml", text, true, &bench->fragment, &err), &err);
    bench->call = (struct driver_call){ .arena = bench->arena,
                                        .node = &bench->fragment.nodes.items[0],
                                        .state = folder_at(&bench->node.folder, "state"),
                                        .timeout_ms = 10000 };
    check_ok(driver_resolve(&node_driver, &bench->call, &bench->fragment, &findings, &err), &err);
    bench->site = (struct change_site){ &node_driver, &bench->call, S("a-1") };
}

static const struct store_conf *store(struct bench *bench, const char *name)
{
    return node_store((struct node_conf *)(uintptr_t)bench->call.node, str_c(name));
}

static str differs(struct bench *bench, const char *name)
{
    AUTO(err) struct err err = { 0 };
    str text;
    check_ok(derived_differs(&bench->call, store(bench, name), &text, &err), &err);
    return text;
}

static enum err_kind carry_out(struct bench *bench, enum step_kind kind, const char *service,
                               const char *name, str certificate, struct change change)
{
    AUTO(err) struct err err = { 0 };
    str evidence;
    change.kind = kind;
    change.id = S("fedcba9876543210");
    change.service = str_c(service);
    change.store = str_c(name);
    change.certificate = certificate;
    (void)!change_carry_out(&bench->site, &change, &evidence, &err);
    return err.kind;
}

static str old(struct bench *bench)
{
    return node_fingerprint(&bench->node, &bench->node.old);
}

static enum err_kind save(struct bench *bench, const char *name)
{
    return carry_out(bench, STEP_snapshot, "", name, S(""), (struct change){ 0 });
}

static enum err_kind make_again(struct bench *bench, const char *name)
{
    check_int(save(bench, name), ERR_NONE);
    return carry_out(bench, STEP_install, "", name, old(bench),
                     (struct change){ .expects = S("absent"), .new_key = true, .in_place = true });
}

TEST(a_pair_is_copied_into_one_file_or_two_with_its_sources_permissions)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench, "", "");
    struct folder *folder = &bench.node.folder;
    check_str(differs(&bench, "all"),
              S("does not have the certificate and key that db1/server has"));
    check_int(make_again(&bench, "all"), ERR_NONE);
    check_str(folder_text(folder, bench.all),
              str_printf(bench.arena, "%.*s%.*s", STR_ARG(bench.node.old.pem),
                         STR_ARG(bench.node.old.key_pem)));
    check_int(folder_mode(folder, bench.all), 0640);
    check_int(make_again(&bench, "two"), ERR_NONE);
    check_str(folder_text(folder, folder_at(folder, "two.crt")), bench.node.old.pem);
    check_str(folder_text(folder, folder_at(folder, "two.key")), bench.node.old.key_pem);
    check_int(folder_mode(folder, folder_at(folder, "two.key")), 0640);
    check_str(differs(&bench, "all"), S(""));
    check_str(differs(&bench, "two"), S(""));
    /* The certificate alone is not the pair. */
    folder_put(folder, "two.key", bench.node.root.key_pem, 0600);
    check(differs(&bench, "two").len > 0);
    check_int(make_again(&bench, "two"), ERR_CONFLICT); /* it was expected to be absent */
}

TEST(a_command_prints_the_file_from_its_sources_paths)
{
    AUTO(bench) struct bench bench;
    bench_make(
        &bench,
        ", derive: [/bin/sh, -c, 'echo \"# made\"; cat \"$RESEAL_KEY\" \"$RESEAL_CERTIFICATE\"']",
        "");
    check_int(make_again(&bench, "all"), ERR_NONE);
    check_str(folder_text(&bench.node.folder, bench.all),
              str_printf(bench.arena, "# made\n%.*s%.*s", STR_ARG(bench.node.old.key_pem),
                         STR_ARG(bench.node.old.pem)));
    check_str(differs(&bench, "all"), S(""));
}

TEST(a_command_that_fails_leaves_the_file_as_it_was)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench, ", derive: [/bin/sh, -c, 'echo x; exit 1']", "");
    folder_put(&bench.node.folder, "all.pem", S("mine"), 0600);
    check_int(make_again(&bench, "all"), ERR_SYSTEM);
    check_str(folder_text(&bench.node.folder, bench.all), S("mine"));
}

/* A new certificate and key for the source, delivered and written beside the old. */
static struct pki renew_source(struct bench *bench)
{
    AUTO(err) struct err err = { 0 };
    struct pending_place place = { .state = bench->call.state, .step = S(ISSUE), .new_key = true };
    struct pending_request request;
    check_ok(pending_ask(bench->arena, &place, &bench->node.old.cert, &request, &err), &err);
    struct pki key = { .key_pem = folder_text(
                           &bench->node.folder,
                           folder_at(&bench->node.folder, "state/pending/" ISSUE ".key")) };
    struct pki leaf =
        pki_make(bench->arena,
                 &(struct pki_spec){ .name = "db1", .issuer = &bench->node.root, .key_of = &key });
    leaf.key_pem = key.key_pem;
    check_ok(pending_deliver(&place, leaf.pem, &err), &err);
    return leaf;
}

TEST(a_copy_waits_for_its_source_and_then_has_the_new_pair_before_anything_refers_to_it)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench, "", "");
    const struct change new_pair = { .expects = old(&bench), .new_key = true };
    struct change over = new_pair;
    over.in_place = true;
    check_int(make_again(&bench, "all"), ERR_NONE);
    struct pki leaf = renew_source(&bench);
    check_int(carry_out(&bench, STEP_install, "", "all", S("new:" ISSUE), over), ERR_REFUSED);
    check_int(carry_out(&bench, STEP_snapshot, "app", "server", S(""), new_pair), ERR_NONE);
    check_int(carry_out(&bench, STEP_install, "app", "server", S("new:" ISSUE), new_pair),
              ERR_NONE);
    check_int(carry_out(&bench, STEP_install, "", "all", S("new:" ISSUE), over), ERR_NONE);
    check_str(folder_text(&bench.node.folder, bench.all),
              str_printf(bench.arena, "%.*s%.*s", STR_ARG(leaf.pem), STR_ARG(leaf.key_pem)));
    check_str(folder_text(&bench.node.folder, bench.node.certificate), bench.node.old.pem);
    check_int(carry_out(&bench, STEP_switch, "app", "server", S("new:" ISSUE), new_pair), ERR_NONE);
    /* The way back has its bytes from the snapshot. */
    struct change back = over;
    back.from = S("a-1");
    back.expects = node_fingerprint(&bench.node, &leaf);
    bench.site.apply = S("a-2");
    check_int(save(&bench, "all"), ERR_NONE);
    check_int(carry_out(&bench, STEP_install, "", "all", old(&bench), back), ERR_REFUSED);
    check_str(folder_text(&bench.node.folder, bench.all),
              str_printf(bench.arena, "%.*s%.*s", STR_ARG(leaf.pem), STR_ARG(leaf.key_pem)));
}

static enum err_kind trust(struct bench *bench, const char *name, const struct pki *anchor)
{
    check_int(save(bench, name), ERR_NONE);
    return carry_out(bench, STEP_trust, "", name, node_fingerprint(&bench->node, anchor),
                     (struct change){ .anchor = anchor->cert.der });
}

TEST(derived_anchors_follow_one_by_one_and_what_differs_is_told)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench, "", "");
    struct pki other = pki_make(bench.arena, &(struct pki_spec){ .name = "Other", .ca = true });
    struct pki mine = pki_make(bench.arena, &(struct pki_spec){ .name = "Mine", .ca = true });
    str_list texts = { 0 };
    list_push(bench.arena, &texts) = differs(&bench, "copy");
    check(str_starts(texts.items[0], S("lacks sha256:")));
    check(str_ends(texts.items[0], S(", which db1/trust has")));
    check_int(trust(&bench, "copy", &bench.node.root), ERR_NONE);
    check_str(folder_text(&bench.node.folder, bench.copy), bench.node.root.pem);
    check_int(folder_mode(&bench.node.folder, bench.copy), 0644);
    check_str(differs(&bench, "copy"), S(""));
    folder_put(&bench.node.folder, "copy.pem",
               str_printf(bench.arena, "%.*s%.*s", STR_ARG(mine.pem), STR_ARG(bench.node.root.pem)),
               0644);
    check(str_starts(differs(&bench, "copy"), S("holds sha256:")));
    check_int(trust(&bench, "copy", &other), ERR_NONE);
    check_str(folder_text(&bench.node.folder, bench.copy),
              str_printf(bench.arena, "%.*s%.*s%.*s", STR_ARG(mine.pem),
                         STR_ARG(bench.node.root.pem), STR_ARG(other.pem)));
}

TEST(a_command_that_prints_more_than_the_one_anchor_is_refused)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench, "", ", derive: [/bin/cat]");
    struct pki other = pki_make(bench.arena, &(struct pki_spec){ .name = "Other", .ca = true });
    str_list command = { 0 };
    list_push(bench.arena, &command) = S("/bin/sh");
    list_push(bench.arena, &command) = S("-c");
    list_push(bench.arena, &command) = S("cat \"$RESEAL_CERTIFICATES\"");
    ((struct store_conf *)(uintptr_t)store(&bench, "copy"))->derive = command;
    check_int(save(&bench, "copy"), ERR_NONE);
    struct change about = { .anchor = other.cert.der,
                            .expects = node_fingerprint(&bench.node, &bench.node.root),
                            .leaves = node_fingerprint(&bench.node, &other) };
    folder_put(&bench.node.folder, "copy.pem", bench.node.root.pem, 0644);
    folder_put(
        &bench.node.folder, "trust.crt",
        str_printf(bench.arena, "%.*s%.*s", STR_ARG(bench.node.root.pem), STR_ARG(other.pem)),
        0644);
    check_int(carry_out(&bench, STEP_replace, "", "copy", about.leaves, about), ERR_REFUSED);
    folder_put(&bench.node.folder, "trust.crt", other.pem, 0644);
    check_int(carry_out(&bench, STEP_replace, "", "copy", about.leaves, about), ERR_NONE);
    check_str(folder_text(&bench.node.folder, bench.copy), other.pem);
}

TEST(a_command_that_would_lose_an_anchor_or_lacks_the_new_one_is_refused)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench, "", ", derive: [/bin/cat]");
    struct pki other = pki_make(bench.arena, &(struct pki_spec){ .name = "Other", .ca = true });
    str_list command = { 0 };
    list_push(bench.arena, &command) = S("/bin/sh");
    list_push(bench.arena, &command) = S("-c");
    list_push(bench.arena, &command) = S("cat \"$RESEAL_CERTIFICATES\"");
    ((struct store_conf *)(uintptr_t)store(&bench, "copy"))->derive = command;
    check_int(trust(&bench, "copy", &other), ERR_CONFLICT);
    check_int(trust(&bench, "trust", &other), ERR_NONE);
    check_int(trust(&bench, "copy", &other), ERR_NONE);
    check_str(folder_text(&bench.node.folder, bench.copy),
              folder_text(&bench.node.folder, bench.node.trust));
    struct pki third = pki_make(bench.arena, &(struct pki_spec){ .name = "Third", .ca = true });
    folder_put(&bench.node.folder, "trust.crt", third.pem, 0644);
    check_int(trust(&bench, "copy", &third), ERR_REFUSED);
}
