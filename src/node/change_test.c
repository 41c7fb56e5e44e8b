/* SPDX-License-Identifier: Apache-2.0 */
/* Covers change.c and material.c. */
#include "node/change_test.h"

#include "node/file.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define ISSUE "0123456789abcdef"

enum { SOMEBODY = 12345 };

static struct change on_identity(struct bench *bench, enum step_kind kind)
{
    return (struct change){ .kind = kind,
                            .id = S("fedcba9876543210"),
                            .service = S("app"),
                            .store = S("server"),
                            .certificate = S("new:" ISSUE),
                            .expects = node_fingerprint(&bench->node, &bench->node.old),
                            .new_key = true };
}

static struct change on_trust(struct bench *bench, enum step_kind kind, const struct pki *anchor)
{
    struct change change = { .kind = kind, .id = S("fedcba9876543210"), .store = S("trust") };
    if (anchor == NULL)
        return change;
    change.certificate = node_fingerprint(&bench->node, anchor);
    if (kind == STEP_trust || kind == STEP_replace)
        change.anchor = anchor->cert.der;
    return change;
}

static struct change on_single(struct bench *bench, const struct pki *old, const struct pki *new)
{
    struct change change = on_trust(bench, STEP_replace, new);
    change.expects = old == NULL ? S("absent") : node_fingerprint(&bench->node, old);
    change.leaves = change.certificate;
    return change;
}

static void snapshot(struct bench *bench, const char *apply)
{
    struct change change = on_identity(bench, STEP_snapshot);
    check_int(carry_out_in(bench, apply, &change), ERR_NONE);
}

/* A certificate for a new key or for the one in use, delivered as issued. */
static struct pki deliver(struct bench *bench, bool new_key)
{
    AUTO(err) struct err err = { 0 };
    struct change change = on_identity(bench, STEP_issue);
    change.new_key = new_key;
    struct pending_place place;
    struct pending_request request;
    check_ok(change_pending(site_of(bench, "a-1"), &change, &place, &err), &err);
    check_ok(pending_ask(bench->arena, &place, &bench->node.old.cert, &request, &err), &err);
    str path =
        new_key ? folder_at(&bench->node.folder, "state/pending/" ISSUE ".key") : bench->node.key;
    struct pki key = { .key_pem = folder_text(&bench->node.folder, path) };
    struct pki leaf =
        pki_make(bench->arena,
                 &(struct pki_spec){ .name = "db1", .issuer = &bench->node.root, .key_of = &key });
    check_ok(pending_deliver(&place, leaf.pem, &err), &err);
    return leaf;
}

/* "server.crt" -> the path of the generation of `leaf`. */
static str beside(struct bench *bench, const char *stem, const struct pki *leaf, const char *ending)
{
    str mark = { leaf->cert.sha256.ptr, 8 };
    return folder_at(&bench->node.folder,
                     str_printf(bench->arena, "%s.%.*s.%s", stem, STR_ARG(mark), ending).ptr);
}

static void check_names(struct bench *bench, str certificate, str key)
{
    check_str(folder_text(&bench->node.folder, bench->node.names),
              str_printf(bench->arena, "%.*s\n%.*s\n", STR_ARG(certificate), STR_ARG(key)));
}

TEST(a_snapshot_of_an_identity_has_its_files_and_the_one_that_names_them)
{
    AUTO(bench) struct bench bench;
    AUTO(err) struct err err = { 0 };
    bench_make(&bench);
    struct change change = on_identity(&bench, STEP_snapshot);
    check_int(observe(&bench, &change).observed, OBSERVED_BEFORE);
    check_int(carry_out(&bench, &change), ERR_NONE);
    check_int(observe(&bench, &change).observed, OBSERVED_AFTER);
    str state = bench.call.state;
    const str want[][2] = {
        {bench.node.certificate,  bench.node.old.pem},
        {                bench.node.key, bench.node.old.key_pem                 },
        { bench.node.names,      folder_text(&bench.node.folder,                       bench.node.names) }
    };
    for (size_t i = 0; i < COUNT(want); i++) {
        str bytes;
        check_ok(file_saved_bytes(bench.arena, state, S("a-1"), want[i][0], &bytes, &err), &err);
        check_str(bytes, want[i][1]);
    }
    saved_identity_list saved;
    check_ok(file_saved_identities(bench.arena, state, S("a-1"), &saved, &err), &err);
    check_int(saved.count, 1);
    check_str(saved.items[0].certificate, bench.node.certificate);
    check_str(saved.items[0].key, bench.node.key);
}

TEST(an_anchor_is_added_and_taken_away_once_the_store_was_saved)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench);
    struct pki other = pki_make(bench.arena, &(struct pki_spec){ .name = "Other", .ca = true });
    struct change save = on_trust(&bench, STEP_snapshot, NULL);
    struct change trust = on_trust(&bench, STEP_trust, &other);
    struct change distrust = on_trust(&bench, STEP_distrust, &other);
    check_int(observe(&bench, &trust).observed, OBSERVED_BEFORE);
    check_int(observe(&bench, &distrust).observed, OBSERVED_AFTER);
    check_int(carry_out(&bench, &trust), ERR_REFUSED);
    check_str(folder_text(&bench.node.folder, bench.node.trust), bench.node.root.pem);
    check_int(carry_out(&bench, &save), ERR_NONE);
    check_int(carry_out(&bench, &trust), ERR_NONE);
    check_int(observe(&bench, &trust).observed, OBSERVED_AFTER);
    check_str(
        folder_text(&bench.node.folder, bench.node.trust),
        str_printf(bench.arena, "%.*s%.*s", STR_ARG(bench.node.root.pem), STR_ARG(other.pem)));
    struct stat once, twice;
    check_int(stat(bench.node.trust.ptr, &once), 0);
    check_int(carry_out(&bench, &trust), ERR_NONE);
    check_int(stat(bench.node.trust.ptr, &twice), 0);
    check_int(once.st_ino, twice.st_ino);
    check_int(carry_out(&bench, &distrust), ERR_NONE);
    check_str(folder_text(&bench.node.folder, bench.node.trust), bench.node.root.pem);
    check_int(observe(&bench, &distrust).observed, OBSERVED_AFTER);
}

TEST(an_anchor_takes_the_place_of_the_only_one_and_of_no_other)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench);
    struct arena *arena = bench.arena;
    str root = bench.node.root.pem, trust = bench.node.trust;
    struct pki next = pki_make(arena, &(struct pki_spec){ .name = "Next", .ca = true });
    struct change save = on_trust(&bench, STEP_snapshot, NULL);
    struct change replace = on_single(&bench, &bench.node.root, &next);
    struct change back = on_single(&bench, &next, &bench.node.root);
    struct change first = on_single(&bench, NULL, &next);
    check_int(observe(&bench, &replace).observed, OBSERVED_BEFORE);
    check_int(observe(&bench, &back).observed, OBSERVED_AFTER);
    check_int(carry_out(&bench, &replace), ERR_REFUSED); /* not saved */
    check_int(carry_out(&bench, &save), ERR_NONE);
    folder_put(&bench.node.folder, "trust.crt",
               str_printf(arena, "# ours\n%.*s%.*s", STR_ARG(root), STR_ARG(next.pem)), 0644);
    check_int(observe(&bench, &replace).observed, OBSERVED_NEITHER);
    check_int(carry_out(&bench, &replace), ERR_CONFLICT);
    folder_put(&bench.node.folder, "trust.crt",
               str_printf(arena, "# ours\n%.*s%.*s", STR_ARG(root), STR_ARG(root)), 0644);
    check_int(carry_out(&bench, &replace), ERR_NONE);
    check_str(folder_text(&bench.node.folder, trust),
              str_printf(arena, "# ours\n%.*s", STR_ARG(next.pem)));
    check_int(observe(&bench, &replace).observed, OBSERVED_AFTER);
    check_int(carry_out(&bench, &back), ERR_NONE);
    check_int(observe(&bench, &first).observed, OBSERVED_NEITHER);
    folder_put(&bench.node.folder, "trust.crt", S("# none\n"), 0644);
    check_int(observe(&bench, &first).observed, OBSERVED_BEFORE);
    check_int(carry_out(&bench, &first), ERR_NONE);
    check_int(observe(&bench, &first).observed, OBSERVED_AFTER);
}

TEST(an_issue_is_done_when_its_certificate_is_in_hand_with_its_key_or_in_use)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench);
    struct change issue = on_identity(&bench, STEP_issue);
    issue.id = S(ISSUE);
    issue.certificate = S("");
    check_int(observe(&bench, &issue).observed, OBSERVED_BEFORE);
    struct pki leaf = deliver(&bench, true);
    check_int(observe(&bench, &issue).observed, OBSERVED_AFTER);
    check_int(unlink(folder_at(&bench.node.folder, "state/pending/" ISSUE ".key").ptr), 0);
    check_int(observe(&bench, &issue).observed, OBSERVED_BEFORE);
    folder_put(&bench.node.folder, "server.crt", leaf.pem, 0644);
    check_int(observe(&bench, &issue).observed, OBSERVED_AFTER);
    check_int(carry_out(&bench, &issue), ERR_USAGE);
}

TEST(a_new_pair_goes_beside_the_old_one_with_its_owner_and_permissions)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench);
    struct folder *folder = &bench.node.folder;
    if (geteuid() == 0)
        check_int(chown(bench.node.key.ptr, SOMEBODY, SOMEBODY + 1), 0);
    struct change install = on_identity(&bench, STEP_install);
    check_int(observe(&bench, &install).observed, OBSERVED_BEFORE);
    check_int(carry_out(&bench, &install), ERR_REFUSED);
    snapshot(&bench, "a-1");
    struct pki leaf = deliver(&bench, true);
    check_int(observe(&bench, &install).observed, OBSERVED_BEFORE);
    check_int(carry_out(&bench, &install), ERR_NONE);
    check_int(observe(&bench, &install).observed, OBSERVED_AFTER);
    str certificate = beside(&bench, "server", &leaf, "crt");
    str key = beside(&bench, "server", &leaf, "key");
    check_str(folder_text(folder, certificate), leaf.pem);
    check_str(folder_text(folder, key),
              folder_text(folder, folder_at(folder, "state/pending/" ISSUE ".key")));
    check_int(folder_mode(folder, certificate), 0644);
    check_int(folder_mode(folder, key), 0640);
    struct stat st;
    check_int(stat(key.ptr, &st), 0);
    check_int(st.st_uid, geteuid() == 0 ? SOMEBODY : geteuid());
    check_int(st.st_gid, geteuid() == 0 ? SOMEBODY + 1 : getegid());
    check_str(folder_text(folder, bench.node.certificate), bench.node.old.pem);
    check_str(folder_text(folder, bench.node.key), bench.node.old.key_pem);
    check_names(&bench, bench.node.certificate, bench.node.key);
}

TEST(a_file_that_somebody_else_put_under_the_new_name_is_a_conflict)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench);
    snapshot(&bench, "a-1");
    struct pki leaf = deliver(&bench, true);
    str certificate = beside(&bench, "server", &leaf, "crt");
    folder_put(&bench.node.folder, certificate.ptr + bench.node.folder.path.len + 1, S("mine"),
               0600);
    struct change install = on_identity(&bench, STEP_install);
    check_int(carry_out(&bench, &install), ERR_CONFLICT);
    check_str(folder_text(&bench.node.folder, certificate), S("mine"));
}

TEST(the_one_reference_is_switched_to_the_new_pair_and_the_pending_key_is_dropped)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench);
    struct folder *folder = &bench.node.folder;
    struct change install = on_identity(&bench, STEP_install);
    struct change change = on_identity(&bench, STEP_switch);
    snapshot(&bench, "a-1");
    check_int(carry_out(&bench, &change), ERR_REFUSED);
    struct pki leaf = deliver(&bench, true);
    check_int(observe(&bench, &change).observed, OBSERVED_BEFORE);
    check_int(carry_out(&bench, &change), ERR_CONFLICT);
    check_int(carry_out(&bench, &install), ERR_NONE);
    check_int(observe(&bench, &change).observed, OBSERVED_BEFORE);
    check(folder_has(folder, folder_at(folder, "state/pending/" ISSUE ".key")));
    check_int(carry_out(&bench, &change), ERR_NONE);
    check_names(&bench, beside(&bench, "server", &leaf, "crt"),
                beside(&bench, "server", &leaf, "key"));
    check(!folder_has(folder, folder_at(folder, "state/pending/" ISSUE ".key")));
    check_int(observe(&bench, &change).observed, OBSERVED_AFTER);
    check_int(observe(&bench, &install).observed, OBSERVED_AFTER);
    check_int(carry_out(&bench, &change), ERR_NONE);
}

TEST(no_reference_is_switched_to_a_key_that_is_not_the_certificates)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench);
    struct change install = on_identity(&bench, STEP_install);
    struct change change = on_identity(&bench, STEP_switch);
    snapshot(&bench, "a-1");
    struct pki leaf = deliver(&bench, true);
    check_int(carry_out(&bench, &install), ERR_NONE);
    str key = beside(&bench, "server", &leaf, "key");
    folder_put(&bench.node.folder, key.ptr + bench.node.folder.path.len + 1, bench.node.old.key_pem,
               0600);
    check_int(carry_out(&bench, &change), ERR_CONFLICT);
    check_int(unlink(folder_at(&bench.node.folder, "state/pending/" ISSUE ".key").ptr), 0);
    check_int(carry_out(&bench, &change), ERR_REFUSED);
    check_names(&bench, bench.node.certificate, bench.node.key);
}

TEST(an_identity_that_is_neither_as_expected_nor_as_left_is_a_conflict)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench);
    snapshot(&bench, "a-1");
    struct pki leaf = deliver(&bench, true);
    folder_put(&bench.node.folder, "server.crt", bench.node.root.pem, 0644);
    static const enum step_kind kinds[] = { STEP_install, STEP_switch };
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct change change = on_identity(&bench, kinds[i]);
        check_int(observe(&bench, &change).observed, OBSERVED_NEITHER);
        check_int(carry_out(&bench, &change), ERR_CONFLICT);
    }
    check(!folder_has(&bench.node.folder, beside(&bench, "server", &leaf, "crt")));
    check_names(&bench, bench.node.certificate, bench.node.key);
}

TEST(without_a_reference_the_certificate_takes_the_old_ones_place_and_the_key_stays)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench);
    bench.driver.refer = NULL;
    snapshot(&bench, "a-1");
    struct pki leaf = deliver(&bench, false);
    struct change install = on_identity(&bench, STEP_install);
    struct change change = on_identity(&bench, STEP_switch);
    install.new_key = change.new_key = false;
    install.in_place = change.in_place = true;
    check_int(observe(&bench, &install).observed, OBSERVED_BEFORE);
    check_int(carry_out(&bench, &install), ERR_NONE);
    check_int(observe(&bench, &install).observed, OBSERVED_AFTER);
    check_str(folder_text(&bench.node.folder, bench.node.certificate), leaf.pem);
    check_int(folder_mode(&bench.node.folder, bench.node.certificate), 0644);
    check_str(folder_text(&bench.node.folder, bench.node.key), bench.node.old.key_pem);
    change.expects = S("sha256:other");
    change.certificate = S("new:fedcba9876543210");
    check_int(carry_out(&bench, &change), ERR_CONFLICT);
}

/* The node's pair is one file, with parameters in it, and nothing names it. */
static str one_file(struct bench *bench)
{
    struct node_bench *node = &bench->node;
    str bytes = str_printf(bench->arena, "%.*s# mine\n%.*s", STR_ARG(node->old.key_pem),
                           STR_ARG(node->old.pem));
    node->certificate = node->key = folder_put(&node->folder, "pair.pem", bytes, 0640);
    folder_put(&node->folder, "names",
               str_printf(bench->arena, "%.*s\n%.*s\n", STR_ARG(node->key), STR_ARG(node->key)),
               0644);
    bench->driver.refer = NULL;
    return bytes;
}

TEST(a_pair_in_one_file_is_replaced_by_one_rename_and_goes_back_byte_for_byte)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench);
    str before = one_file(&bench);
    snapshot(&bench, "a-1");
    struct pki leaf = deliver(&bench, true);
    str key = folder_text(&bench.node.folder,
                          folder_at(&bench.node.folder, "state/pending/" ISSUE ".key"));
    struct change install = on_identity(&bench, STEP_install);
    install.in_place = true;
    check_int(observe(&bench, &install).observed, OBSERVED_BEFORE);
    check_int(carry_out(&bench, &install), ERR_NONE);
    check_int(observe(&bench, &install).observed, OBSERVED_AFTER);
    check_str(folder_text(&bench.node.folder, bench.node.key),
              str_printf(bench.arena, "%.*s# mine\n%.*s", STR_ARG(key), STR_ARG(leaf.pem)));
    check_int(folder_mode(&bench.node.folder, bench.node.key), 0640);
    check(!folder_has(&bench.node.folder,
                      folder_at(&bench.node.folder, "state/pending/" ISSUE ".key")));
    check_int(carry_out(&bench, &install), ERR_NONE);
    struct change back = install;
    back.certificate = node_fingerprint(&bench.node, &bench.node.old);
    back.expects = node_fingerprint(&bench.node, &leaf);
    back.from = S("a-1");
    snapshot(&bench, "a-2");
    check_int(carry_out_in(&bench, "a-2", &back), ERR_NONE);
    check_str(folder_text(&bench.node.folder, bench.node.key), before);
}

TEST(the_way_back_names_the_files_that_the_snapshot_knew)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench);
    struct change install = on_identity(&bench, STEP_install);
    struct change change = on_identity(&bench, STEP_switch);
    snapshot(&bench, "a-1");
    struct pki leaf = deliver(&bench, true);
    check_int(carry_out(&bench, &install), ERR_NONE);
    check_int(carry_out(&bench, &change), ERR_NONE);
    struct change back = on_identity(&bench, STEP_switch);
    back.certificate = node_fingerprint(&bench.node, &bench.node.old);
    back.expects = node_fingerprint(&bench.node, &leaf);
    back.from = S("a-1");
    check_int(observe(&bench, &back).observed, OBSERVED_BEFORE);
    check_int(carry_out_in(&bench, "a-2", &back), ERR_REFUSED);
    snapshot(&bench, "a-2");
    check_int(carry_out_in(&bench, "a-2", &back), ERR_NONE);
    check_names(&bench, bench.node.certificate, bench.node.key);
    check_int(observe(&bench, &back).observed, OBSERVED_AFTER);
    back.certificate = node_fingerprint(&bench.node, &bench.node.root);
    check_int(observe(&bench, &back).observed, OBSERVED_NEITHER);
}

TEST(the_way_back_in_place_writes_the_saved_certificate_over_the_new_one)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench);
    bench.driver.refer = NULL;
    snapshot(&bench, "a-1");
    struct pki leaf = deliver(&bench, false);
    struct change install = on_identity(&bench, STEP_install);
    install.new_key = false;
    install.in_place = true;
    check_int(carry_out(&bench, &install), ERR_NONE);
    struct change back = install;
    back.certificate = node_fingerprint(&bench.node, &bench.node.old);
    back.expects = node_fingerprint(&bench.node, &leaf);
    back.from = S("a-1");
    snapshot(&bench, "a-2");
    check_int(carry_out_in(&bench, "a-2", &back), ERR_NONE);
    check_str(folder_text(&bench.node.folder, bench.node.certificate), bench.node.old.pem);
    check_str(folder_text(&bench.node.folder, bench.node.key), bench.node.old.key_pem);
}

static enum err_kind preflight(struct bench *bench)
{
    AUTO(err) struct err err = { 0 };
    struct change save = on_identity(bench, STEP_snapshot);
    (void)!change_preflight(site_of(bench, "a-1"), &save, &err);
    return err.kind;
}

/* The node's files lie in `folder`/small/, which gets a file system of its own. */
static void move_into(struct bench *bench, const char *options, unsigned long flags)
{
    struct folder *folder = &bench->node.folder;
    str small = folder_at(folder, "small");
    check_int(mkdir(small.ptr, 0755), 0);
    if (mount("none", small.ptr, "tmpfs", 0, options) < 0) {
        check_int(errno, EPERM);
        skip();
    }
    str certificate = folder_put(folder, "small/server.crt", bench->node.old.pem, 0600);
    str key = folder_put(folder, "small/server.key", bench->node.old.key_pem, 0600);
    folder_put(folder, "names",
               str_printf(bench->arena, "%.*s\n%.*s\n", STR_ARG(certificate), STR_ARG(key)), 0600);
    if (flags != 0)
        check_int(mount("none", small.ptr, "tmpfs", MS_REMOUNT | flags, options), 0);
}

TEST(a_folder_without_room_for_bytes_or_files_or_that_cannot_be_written_stops_the_plan)
{
    static const struct {
        const char *options;
        unsigned long flags;
        enum err_kind want;
    } cases[] = {
        {"size=8m",               0,         ERR_NONE   },
        { "size=64k",             0,         ERR_REFUSED},
        { "size=8m,nr_inodes=10", 0,         ERR_REFUSED},
        { "size=8m",              MS_RDONLY, ERR_SYSTEM },
    };
    if (geteuid() != 0)
        skip();
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(bench) struct bench bench;
        bench_make(&bench);
        check_int(preflight(&bench), ERR_NONE);
        move_into(&bench, cases[i].options, cases[i].flags);
        enum err_kind got = preflight(&bench);
        check_int(umount(folder_at(&bench.node.folder, "small").ptr), 0);
        check_int(got, cases[i].want);
    }
}

TEST(a_step_about_what_the_node_does_not_have_is_wrong)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench);
    struct change change = on_identity(&bench, STEP_install);
    change.store = S("none");
    check_int(carry_out(&bench, &change), ERR_USAGE);
    change = on_service(STEP_refresh);
    change.service = S("none");
    check_int(carry_out(&bench, &change), ERR_USAGE);
    change = on_service(STEP_verify);
    check_int(carry_out(&bench, &change), ERR_USAGE);
    check_int(observe(&bench, &change).kind, ERR_USAGE);
    change = on_identity(&bench, STEP_install);
    change.certificate = S("new:../../../tmp/x");
    check_int(carry_out(&bench, &change), ERR_FORMAT);
}

TEST(a_step_is_read_from_a_request_and_refused_when_it_is_none)
{
    static const struct {
        const char *text;
        enum err_kind want;
    } cases[] = {
        {"{'id':'a','kind':'install'}",                ERR_NONE  },
        { "{'id':'a','kind':'trust','anchor':'MAA='}", ERR_NONE  },
        { "{'kind':'install'}",                        ERR_FORMAT},
        { "{'id':'a'}",                                ERR_FORMAT},
        { "{'id':'a','kind':'format'}",                ERR_FORMAT},
        { "{'id':'a','kind':'trust','anchor':'=='}",   ERR_FORMAT},
        { "{'id':'a','kind':'trust','anchor':7}",      ERR_FORMAT},
        { "{'id':'a','kind':'install','store':['x']}", ERR_FORMAT},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(arena) struct arena arena = { 0 };
        AUTO(err) struct err err = { 0 };
        AUTO(json) json_t *json = NULL;
        struct change change;
        char *text = (char *)(uintptr_t)str_copy(&arena, str_c(cases[i].text)).ptr;
        for (char *at = text; *at != '\0'; at++)
            *at = *at == '\'' ? '"' : *at;
        check_ok(protocol_parse(str_c(text), &json, &err), &err);
        (void)!change_parse(&arena, json, &change, &err);
        check_int(err.kind, cases[i].want);
    }
}
