/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web1, web2, … are nginx; lb is HAProxy in front of them. lb shows front.pem to clients and
 * back.pem to nginx, both with their key in one file; it is told of new ones through its admin
 * socket in run/, or reloaded by a signal to the process in pid. nginx has server.crt and
 * server.key, which nginx.conf names; app/curl.conf names the client app's.
 */
#include "lab/kind.h"

#include "base/io.h"
#include "lab/files.h"
#include "lab/server.h"
#include "lab/web/config.h"
#include "lab/web/server.h"

static void name_node(struct arena *arena, struct lab *lab, size_t index)
{
    lab->nodes[index].name =
        lab_web_is_front(lab, index) ? S("lb") : str_printf(arena, "web%zu", index + 1);
}

static bool make_nginx(struct arena *arena, const struct lab *lab, const struct lab_ca *ca,
                       size_t node, str anchor, struct err *err)
{
    const struct lab_node *at = &lab->nodes[node];
    str name = str_printf(arena, "%s.lab.example", at->name.ptr);
    struct lab_leaf leaf = { .common_name = name, .dns = name };
    lab_leaf_date(&leaf, lab->state);
    return lab_make_node(arena, lab, node, anchor, err) &&
           lab_write_identity(arena, lab, ca, &leaf,
                              str_printf(arena, "%s/tls/server", at->home.ptr), LAB_SERVERS, err);
}

static bool make_haproxy(struct arena *arena, const struct lab *lab, const struct lab_ca *ca,
                         str anchor, struct err *err)
{
    const struct lab_node *at = &lab->nodes[lab->count - 1];
    struct lab_leaf front = { .common_name = S("lb.lab.example"), .dns = S("lb.lab.example") };
    struct lab_leaf back = { .common_name = S("lb") };
    lab_leaf_date(&front, lab->state);
    lab_leaf_date(&back, lab->state);
    return lab_make_node(arena, lab, lab->count - 1, anchor, err) &&
           lab_write_bundle(lab, ca, &front, str_printf(arena, "%s/tls/front.pem", at->home.ptr),
                            LAB_SERVERS, err) &&
           lab_write_bundle(lab, ca, &back, str_printf(arena, "%s/tls/back.pem", at->home.ptr),
                            LAB_SERVERS, err) &&
           lab_write(lab, str_printf(arena, "%s/tls/servers.crt", at->home.ptr), anchor,
                     LAB_SERVERS, err);
}

static bool make_files(struct arena *arena, const struct lab *lab, const struct lab_ca *ca,
                       str anchor, struct err *err)
{
    if (!lab_make_app(arena, lab, ca, anchor, err))
        return false;
    for (size_t i = 0; i + 1 < lab->count; i++)
        if (!make_nginx(arena, lab, ca, i, anchor, err))
            return false;
    return make_haproxy(arena, lab, ca, anchor, err);
}

static bool build(struct arena *arena, struct lab *lab, const struct lab_ca *ca, str anchor,
                  struct err *err)
{
    return make_files(arena, lab, ca, anchor, err) && lab_start(arena, lab, 0, lab->count, err) &&
           lab_write_pids(arena, lab, err) &&
           lab_write(lab, io_join(arena, lab->dir, S("app/curl.conf")), lab_web_curl(arena, lab),
                     LAB_OURS, err) &&
           lab_write(lab, io_join(arena, lab->dir, S("cluster.yaml")), lab_web_cluster(arena, lab),
                     LAB_OURS, err);
}

static bool node_files(struct arena *arena, const struct lab *lab, size_t index,
                       lab_file_list *files, struct err *err)
{
    const struct lab_node *at = &lab->nodes[index];
    str tls = str_printf(arena, "%s/tls", at->home.ptr);
    if (lab_web_is_front(lab, index))
        return lab_add_file(arena, io_join(arena, tls, S("front.pem")), files, err) &&
               lab_add_file(arena, io_join(arena, tls, S("back.pem")), files, err);
    return lab_add_named(arena, str_printf(arena, "%s/nginx.conf", at->home.ptr),
                         io_join(arena, tls, S("server.crt")), files, err);
}

static bool client_files(struct arena *arena, const struct lab *lab, lab_file_list *files,
                         struct err *err)
{
    return lab_add_named(arena, io_join(arena, lab->dir, S("app/curl.conf")),
                         io_join(arena, lab->dir, S("app/tls/client.crt")), files, err);
}

const struct lab_kind lab_web = {
    .name = "web",
    .servers = "web servers",
    .run_as = "www-data",
    .packages = "nginx-light haproxy",
    .states = 1U << LAB_HEALTHY | 1U << LAB_EXPIRING | 1U << LAB_EXPIRED,
    .nodes_least = 2,
    .nodes_most = LAB_NODES_MAX,
    .nodes_usual = 3,
    .ports = 1,
    .longest_socket = "/web8/run/admin.sock",
    .find = lab_web_find,
    .name_node = name_node,
    .build = build,
    .prepare = lab_web_prepare,
    .ready = lab_web_ready,
    .running = lab_web_running,
    .ask = lab_web_ask,
    .node_files = node_files,
    .client_files = client_files,
};
