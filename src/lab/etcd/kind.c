/* SPDX-License-Identifier: Apache-2.0 */
/*
 * etcd1, etcd2, … listen twice, for clients (server.crt) and for each other (peer.crt), and ask for
 * a certificate at both. Clients dial etcd1.lab.example, members each other's address.
 */
#include "lab/kind.h"

#include "base/io.h"
#include "lab/etcd/config.h"
#include "lab/etcd/server.h"
#include "lab/files.h"
#include "lab/server.h"

enum { SETTINGS_MAX = 64 * 1024 };

static void name_node(struct arena *arena, struct lab *lab, size_t index)
{
    lab->nodes[index].name = str_printf(arena, "etcd%zu", index + 1);
}

static bool make_node(struct arena *arena, const struct lab *lab, const struct lab_ca *ca,
                      size_t node, str anchor, struct err *err)
{
    static const char *const stems[] = { "server", "peer" };
    const struct lab_node *at = &lab->nodes[node];
    str name = str_printf(arena, "%s.lab.example", at->name.ptr);
    struct lab_leaf leaf = {
        .common_name = name, .dns = name, .address = S("127.0.0.1"), .both = true
    };
    lab_leaf_date(&leaf, lab->state);
    if (!lab_make_node(arena, lab, node, anchor, err))
        return false;
    for (size_t i = 0; i < COUNT(stems); i++)
        if (!lab_write_identity(arena, lab, ca, &leaf,
                                str_printf(arena, "%s/tls/%s", at->home.ptr, stems[i]), LAB_SERVERS,
                                err))
            return false;
    return lab_write(lab, str_printf(arena, "%s/restart", at->home.ptr),
                     lab_restart_script(arena, str_printf(arena, "%s/etcd", lab->bin.ptr),
                                        "--config-file etcd.yml"),
                     LAB_SERVERS, err) &&
           lab_write(lab, str_printf(arena, "%s/ctl", at->home.ptr), lab_etcd_ctl(arena, lab),
                     LAB_SERVERS, err);
}

static bool build(struct arena *arena, struct lab *lab, const struct lab_ca *ca, str anchor,
                  struct err *err)
{
    if (!lab_make_app(arena, lab, ca, anchor, err))
        return false;
    for (size_t i = 0; i < lab->count; i++)
        if (!make_node(arena, lab, ca, i, anchor, err))
            return false;
    return lab_start(arena, lab, 0, lab->count, err) && lab_write_pids(arena, lab, err) &&
           lab_write(lab, io_join(arena, lab->dir, S("cluster.yaml")), lab_etcd_cluster(arena, lab),
                     LAB_OURS, err);
}

/* The files that its settings name now. */
static bool node_files(struct arena *arena, const struct lab *lab, size_t index,
                       lab_file_list *files, struct err *err)
{
    AUTO(err) struct err unread = { 0 };
    const struct lab_node *at = &lab->nodes[index];
    str text;
    str path = str_printf(arena, "%s/etcd.yml", at->home.ptr);
    if (!io_read(arena, path.ptr, SETTINGS_MAX, &text, &unread))
        return true;
    while (text.len > 0) {
        str value = str_trim(str_cut(&text, '\n'));
        if (str_eq(str_cut(&value, ':'), S("cert-file")) &&
            !lab_add_file(arena, io_join(arena, at->home, str_trim(value)), files, err))
            return false;
    }
    return true;
}

static bool client_files(struct arena *arena, const struct lab *lab, lab_file_list *files,
                         struct err *err)
{
    return lab_add_file(arena, io_join(arena, lab->dir, S("app/tls/client.crt")), files, err);
}

const struct lab_kind lab_etcd = {
    .name = "etcd",
    .servers = "etcd members",
    .run_as = "etcd",
    .packages = "etcd-server etcd-client",
    .states = 1U << LAB_HEALTHY | 1U << LAB_EXPIRING | 1U << LAB_EXPIRED,
    .nodes_least = 3,
    .nodes_most = LAB_NODES_MAX,
    .nodes_usual = 3,
    .ports = 2,
    .find = lab_etcd_find,
    .name_node = name_node,
    .build = build,
    .prepare = lab_etcd_prepare,
    .ready = lab_etcd_ready,
    .running = lab_etcd_running,
    .ask = lab_etcd_ask,
    .node_files = node_files,
    .client_files = client_files,
};
