/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node_test.h - a node with one service, for tests: its identity is named by a file with the two
 * paths in it, and what it has loaded is what that file said when it was refreshed.
 */
#ifndef NODE_NODE_TEST_H
#define NODE_NODE_TEST_H

#include "base/io.h"
#include "node/change.h"
#include "tests/folder.h"
#include "tests/pki.h"
#include "tests/test.h"

struct node_bench {
    struct folder folder;
    struct arena *arena; /* the folder's */
    struct pki root, old;
    str certificate, key, names, trust; /* paths */
    str text;                           /* the node as a request carries it */
};

static inline str node_read(struct arena *arena, str path, const char *ending)
{
    AUTO(err) struct err err = { 0 };
    str bytes;
    str name = str_printf(arena, "%.*s%s", STR_ARG(path), ending);
    return io_read(arena, name.ptr, 65536, &bytes, &err) ? bytes : S("");
}

static inline bool node_discover(const struct driver_call *call, struct cluster *ret_fragment,
                                 finding_list *ret_findings, struct err *err)
{
    struct node_conf node = { .name = call->node->name };
    str text = node_read(call->arena, call->node->services.items[0].reference, "");
    struct store_conf store = { .name = S("server"), .password.descriptor = -1 };
    (void)ret_findings, (void)err;
    store.certificate = str_cut(&text, '\n');
    store.key = str_cut(&text, '\n');
    list_push(call->arena, &node.stores) = store;
    list_push(call->arena, &ret_fragment->nodes) = node;
    return true;
}

static inline bool node_refer(const struct driver_call *call, const struct service_conf *service,
                              str store, const struct identity_files *files,
                              struct file_edit *ret_edit, struct err *err)
{
    (void)err;
    *ret_edit = (struct file_edit){ 0 };
    if (str_eq(store, S("server")))
        *ret_edit =
            (struct file_edit){ service->reference, node_read(call->arena, service->reference, ""),
                                str_printf(call->arena, "%.*s\n%.*s\n", STR_ARG(files->certificate),
                                           STR_ARG(files->key)) };
    return true;
}

static inline bool node_refresh(const struct driver_call *call, const struct service_conf *service,
                                str *ret_evidence, struct err *err)
{
    struct io_owner ours = { (uid_t)-1, (gid_t)-1, 0600 };
    *ret_evidence = S("refreshed");
    return io_replace(str_printf(call->arena, "%.*s.loaded", STR_ARG(service->reference)).ptr,
                      node_read(call->arena, service->reference, ""), ours, err);
}

static inline bool node_loaded(const struct driver_call *call, const struct service_conf *service,
                               enum observed *ret_observed, str *ret_evidence, struct err *err)
{
    (void)err;
    bool same = str_eq(node_read(call->arena, service->reference, ""),
                       node_read(call->arena, service->reference, ".loaded"));
    *ret_observed = same ? OBSERVED_AFTER : OBSERVED_BEFORE;
    *ret_evidence = S("its own word");
    return true;
}

static inline bool node_role(const struct driver_call *call, const struct service_conf *service,
                             str *ret_role, struct err *err)
{
    (void)err;
    *ret_role = node_read(call->arena, service->reference, ".role");
    return true;
}

static inline bool node_peers(const struct driver_call *call, const struct service_conf *service,
                              peer_list *ret_peers, struct err *err)
{
    (void)service, (void)err;
    list_push(call->arena, ret_peers) = (struct peer){ .user = S("alice"), .serial = S("1a2b") };
    return true;
}

static const struct driver node_driver = { "test",      node_discover, node_refer, node_refresh,
                                           node_loaded, node_role,     node_peers };

static inline void node_bench_make(struct node_bench *bench)
{
    *bench = (struct node_bench){ 0 };
    folder_open(&bench->folder);
    bench->arena = &bench->folder.arena;
    AUTO(err) struct err err = { 0 };
    check_ok(io_make_dirs(folder_at(&bench->folder, "state").ptr, 0700, &err), &err);
    bench->root = pki_make(bench->arena, &(struct pki_spec){ .name = "Root", .ca = true });
    bench->old =
        pki_make(bench->arena, &(struct pki_spec){ .name = "db1", .issuer = &bench->root });
    bench->certificate = folder_put(&bench->folder, "server.crt", bench->old.pem, 0644);
    bench->key = folder_put(&bench->folder, "server.key", bench->old.key_pem, 0640);
    bench->trust = folder_put(&bench->folder, "trust.crt", bench->root.pem, 0644);
    bench->names = folder_put(
        &bench->folder, "names",
        str_printf(bench->arena, "%.*s\n%.*s\n", STR_ARG(bench->certificate), STR_ARG(bench->key)),
        0644);
    bench->text =
        str_printf(bench->arena,
                   "{nodes: {db1: {system: test, stores: {server: {certificate: %.*s, key: %.*s}, "
                   "trust: {certificates: %.*s}}, services: {app: {identities: [{store: server}], "
                   "trust: [trust], reference: %.*s}}}}}",
                   STR_ARG(bench->certificate), STR_ARG(bench->key), STR_ARG(bench->trust),
                   STR_ARG(bench->names));
}
DEFINE_AUTO(node_bench, struct node_bench, folder_close(&handle->folder))

static inline str node_fingerprint(struct node_bench *bench, const struct pki *pki)
{
    return str_printf(bench->arena, "sha256:%.*s", STR_ARG(pki->cert.sha256));
}

#endif
