/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One host with two servers: ldap is slapd, which reads server.crt, server.key and ca.crt once,
 * when it starts; gate is HAProxy, which wants the same pair in one file, all.pem, and has a ca.crt
 * of its own. Both are copies of slapd's, and the cluster file says so.
 */
#include "lab/kind.h"

#include "base/io.h"
#include "lab/files.h"
#include "lab/generic/config.h"
#include "lab/server.h"

static bool find(struct arena *arena, struct lab *lab, struct err *err)
{
    (void)arena;
    lab->bin = S("/usr/sbin");
    if (access("/usr/sbin/slapd", X_OK) == 0 && access("/usr/sbin/haproxy", X_OK) == 0)
        return true;
    err_set(err, ERR_REFUSED, "no slapd or no haproxy in %s", lab->bin.ptr);
    return err_next(err, "apt-get install --no-install-recommends slapd haproxy");
}

static void name_node(struct arena *arena, struct lab *lab, size_t index)
{
    (void)arena;
    lab->nodes[index].name = index == LAB_GENERIC_LDAP ? S("ldap") : S("gate");
}

static bool make_pairs(struct arena *arena, const struct lab *lab, const struct lab_ca *ca,
                       struct err *err)
{
    AUTO(arena) struct arena secret = { .wipe = true };
    str cert, key;
    str tls = str_printf(arena, "%s/tls", lab->nodes[LAB_GENERIC_LDAP].home.ptr);
    str copy = str_printf(arena, "%s/tls/all.pem", lab->nodes[LAB_GENERIC_GATE].home.ptr);
    struct lab_leaf leaf = { .common_name = S("host.lab.example"), .dns = S("host.lab.example") };
    lab_leaf_date(&leaf, lab->state);
    return lab_ca_issue(&secret, ca, &leaf, &cert, &key, err) &&
           lab_write(lab, io_join(arena, tls, S("server.crt")), cert, LAB_SERVERS, err) &&
           lab_write(lab, io_join(arena, tls, S("server.key")), key, LAB_SERVERS, err) &&
           lab_write(lab, copy, str_printf(&secret, "%.*s%.*s", STR_ARG(cert), STR_ARG(key)),
                     LAB_SERVERS, err);
}

static bool write_restart(struct arena *arena, const struct lab *lab, struct err *err)
{
    const struct lab_node *at = &lab->nodes[LAB_GENERIC_LDAP];
    str options =
        str_printf(arena, "-h ldap://127.0.0.1:%u -f slapd.conf -d 0", (unsigned)at->port);
    return lab_write(
        lab, str_printf(arena, "%s/restart", at->home.ptr),
        lab_restart_script(arena, str_printf(arena, "%s/slapd", lab->bin.ptr), options.ptr),
        LAB_SERVERS, err);
}

static bool build(struct arena *arena, struct lab *lab, const struct lab_ca *ca, str anchor,
                  struct err *err)
{
    if (!lab_make_app(arena, lab, ca, anchor, err))
        return false;
    for (size_t i = 0; i < lab->count; i++)
        if (!lab_make_node(arena, lab, i, anchor, err))
            return false;
    return make_pairs(arena, lab, ca, err) && lab_start(arena, lab, 0, lab->count, err) &&
           lab_write_pids(arena, lab, err) && write_restart(arena, lab, err) &&
           lab_write(lab, io_join(arena, lab->dir, S("cluster.yaml")),
                     lab_generic_cluster(arena, lab), LAB_OURS, err);
}

static bool prepare(struct arena *arena, const struct lab *lab, size_t index,
                    struct lab_command *ret_command, struct err *err)
{
    const struct lab_node *at = &lab->nodes[index];
    bool ldap = index == LAB_GENERIC_LDAP;
    const char **argv = arena_alloc(arena, 8, sizeof(*argv));
    str settings = str_printf(arena, "%s/%s", at->home.ptr, ldap ? "slapd.conf" : "haproxy.cfg");
    argv[0] = str_printf(arena, "%s/%s", lab->bin.ptr, ldap ? "slapd" : "haproxy").ptr;
    argv[1] = ldap ? "-h" : "-W";
    argv[2] = ldap ? str_printf(arena, "ldap://127.0.0.1:%u", (unsigned)at->port).ptr : "-db";
    argv[3] = "-f";
    argv[4] = settings.ptr;
    argv[5] = ldap ? "-d" : NULL;
    argv[6] = ldap ? "0" : NULL;
    *ret_command = (struct lab_command){
        .argv = argv, .log = at->log.ptr, .cwd = at->home.ptr, .server = true
    };
    return lab_write(lab, settings,
                     ldap ? lab_generic_slapd(arena, lab) : lab_generic_haproxy(arena, lab),
                     LAB_SERVERS, err);
}

static bool ready(struct arena *arena, const struct lab *lab, size_t index)
{
    (void)arena;
    return lab_listens(lab->nodes[index].port);
}

static bool running(struct arena *arena, const struct lab_node *node,
                    struct lab_process *ret_process)
{
    return lab_process_of_file(arena, str_printf(arena, "%s/pid", node->home.ptr), node->home,
                               ret_process);
}

static void ask(struct arena *arena, const struct lab *lab, size_t index,
                struct lab_node_status *status)
{
    (void)arena;
    status->answered = lab_listens(lab->nodes[index].port);
    status->role = index == LAB_GENERIC_LDAP ? S("slapd") : S("HAProxy");
    if (!status->answered)
        status->why_not = S("it does not listen");
}

static bool node_files(struct arena *arena, const struct lab *lab, size_t index,
                       lab_file_list *files, struct err *err)
{
    str home = lab->nodes[index].home;
    if (index == LAB_GENERIC_GATE)
        return lab_add_file(arena, io_join(arena, home, S("tls/all.pem")), files, err);
    return lab_add_named(arena, io_join(arena, home, S("slapd.conf")),
                         io_join(arena, home, S("tls/server.crt")), files, err);
}

static bool client_files(struct arena *arena, const struct lab *lab, lab_file_list *files,
                         struct err *err)
{
    return lab_add_file(arena, io_join(arena, lab->dir, S("app/tls/client.crt")), files, err);
}

const struct lab_kind lab_generic = {
    .name = "generic",
    .servers = "servers",
    .run_as = "openldap",
    .packages = "slapd haproxy",
    .states = 1U << LAB_HEALTHY | 1U << LAB_EXPIRING | 1U << LAB_EXPIRED,
    .nodes_least = LAB_GENERIC_NODES,
    .nodes_most = LAB_GENERIC_NODES,
    .nodes_usual = LAB_GENERIC_NODES,
    .ports = 1,
    .longest_socket = "/gate/run/admin.sock",
    .find = find,
    .name_node = name_node,
    .build = build,
    .prepare = prepare,
    .ready = ready,
    .running = running,
    .ask = ask,
    .node_files = node_files,
    .client_files = client_files,
};
