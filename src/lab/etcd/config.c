/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/etcd/config.h"

#include "base/io.h"
#include "lab/cluster_file.h"

static void add_tls(struct arena *arena, struct buf *buf, const char *who, const char *files)
{
    buf_printf(arena, buf,
               "%s-transport-security:\n  cert-file: tls/%s.crt\n  key-file: tls/%s.key\n"
               "  trusted-ca-file: tls/ca.crt\n  client-cert-auth: true\n",
               who, files, files);
}

str lab_etcd_settings(struct arena *arena, const struct lab *lab, size_t node)
{
    const struct lab_node *at = &lab->nodes[node];
    struct buf buf = { 0 };
    buf_printf(arena, &buf, "name: %s\ndata-dir: data\n", at->name.ptr);
    static const char *const client_urls[] = { "listen-client-urls", "advertise-client-urls" };
    static const char *const peer_urls[] = { "listen-peer-urls", "initial-advertise-peer-urls" };
    for (size_t i = 0; i < COUNT(client_urls); i++)
        buf_printf(arena, &buf, "%s: https://127.0.0.1:%u\n%s: https://127.0.0.1:%u\n",
                   client_urls[i], at->port, peer_urls[i], at->other_port);
    buf_add(arena, &buf, S("initial-cluster: "));
    for (size_t i = 0; i < lab->count; i++)
        buf_printf(arena, &buf, "%s%s=https://127.0.0.1:%u", i == 0 ? "" : ",",
                   lab->nodes[i].name.ptr, lab->nodes[i].other_port);
    /* Twice and more what is usual: a machine that is busy with something else is no lost leader.
     */
    buf_printf(arena, &buf,
               "\ninitial-cluster-token: %s\ninitial-cluster-state: new\n"
               "heartbeat-interval: 200\nelection-timeout: 2500\nlogger: zap\nlog-level: warn\n",
               lab->id.ptr);
    add_tls(arena, &buf, "client", "server");
    add_tls(arena, &buf, "peer", "peer");
    return buf_str(&buf);
}

str lab_etcd_ctl(struct arena *arena, const struct lab *lab)
{
    return str_printf(
        arena,
        "#!/bin/sh\n"
        "# ctl WORDS - etcdctl as a client of this member, with the certificate that it has.\n"
        "cd -- \"$(dirname -- \"$0\")\" || exit 1\n"
        "of() { sed -n \"s/^ *$1: *//p\" etcd.yml | head -n 1; }\n"
        "said=$(%s/etcdctl --endpoints \"$(of advertise-client-urls)\" \\\n"
        "    --cacert \"$(of trusted-ca-file)\" --cert \"$(of cert-file)\" \\\n"
        "    --key \"$(of key-file)\" --dial-timeout 3s --command-timeout 3s \"$@\" 2>&1)\n"
        "code=$?\n"
        "printf '%%s\\n' \"$said\" | grep -v '^{' # which begins a line of a log\n"
        "exit $code\n",
        lab->bin.ptr);
}

/* One process that listens at two places is two services with the same refresh command. */
static void add_service(struct arena *arena, struct buf *buf, const struct lab *lab, size_t node,
                        bool peer)
{
    const struct lab_node *at = &lab->nodes[node];
    str restart = lab_quote_yaml(arena, str_printf(arena, "%s/restart", at->home.ptr));
    str ctl = lab_quote_yaml(arena, str_printf(arena, "%s/ctl", at->home.ptr));
    buf_printf(arena, buf,
               "      %s:\n        listen: \"127.0.0.1:%u\"\n        protocol: https\n"
               "        identities: [{store: %s}]\n        trust: [trust]\n"
               "        client_auth: required\n        stack: openssl\n"
               "        load: {identity: per_connection, trust: restart}\n"
               "        group: etcd\n        run_as: %s\n"
               "        refresh: [/bin/sh, %s]\n",
               peer ? "peer" : "etcd", peer ? at->other_port : at->port, peer ? "peer" : "server",
               lab_quote_yaml(arena, lab->user.name).ptr, restart.ptr);
    if (!peer)
        buf_printf(arena, buf, "        health: [/bin/sh, %s, endpoint, health]\n", ctl.ptr);
}

static void add_node(struct arena *arena, struct buf *buf, const struct lab *lab, size_t node)
{
    const char *name = lab->nodes[node].name.ptr;
    buf_printf(arena, buf, "  %s:\n    reach: local\n    run_as: %s\n    state: reseal/%s\n", name,
               lab_quote_yaml(arena, lab->user.name).ptr, name);
    buf_add(arena, buf, S("    stores:\n"));
    static const char *const stores[] = { "server", "peer" };
    for (size_t i = 0; i < COUNT(stores); i++)
        buf_printf(arena, buf,
                   "      %s: {format: pem, certificate: %s/tls/%s.crt, key: %s/tls/%s.key}\n",
                   stores[i], name, stores[i], name, stores[i]);
    buf_printf(arena, buf, "      trust: {format: pem, certificates: %s/tls/ca.crt}\n", name);
    buf_add(arena, buf, S("    services:\n"));
    add_service(arena, buf, lab, node, false);
    add_service(arena, buf, lab, node, true);
}

str lab_etcd_cluster(struct arena *arena, const struct lab *lab)
{
    struct buf buf = { 0 };
    lab_cluster_begin(arena, &buf, lab);
    for (size_t i = 0; i < lab->count; i++)
        add_node(arena, &buf, lab, i);
    lab_cluster_app(arena, &buf, "");
    buf_add(arena, &buf, S("links:\n"));
    for (size_t i = 0; i < lab->count; i++)
        buf_printf(arena, &buf,
                   "  - {from: app/app, to: %s/etcd, name: %s.lab.example, "
                   "identity: client, trust: trust, verify: full}\n",
                   lab->nodes[i].name.ptr, lab->nodes[i].name.ptr);
    /* Members know each other by address. */
    for (size_t i = 0; i < lab->count; i++)
        for (size_t j = 0; j < lab->count; j++)
            if (i != j)
                buf_printf(arena, &buf,
                           "  - {from: %s/peer, to: %s/peer, name: 127.0.0.1, identity: peer, "
                           "trust: trust, verify: full}\n",
                           lab->nodes[i].name.ptr, lab->nodes[j].name.ptr);
    return buf_str(&buf);
}
