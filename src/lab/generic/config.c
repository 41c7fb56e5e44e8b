/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/generic/config.h"

#include "lab/cluster_file.h"

str lab_generic_slapd(struct arena *arena, const struct lab *lab)
{
    const struct lab_node *at = &lab->nodes[LAB_GENERIC_LDAP];
    return str_printf(arena,
                      "include /etc/ldap/schema/core.schema\npidfile %s\n"
                      "TLSCACertificateFile %s\nTLSCertificateFile %s\n"
                      "TLSCertificateKeyFile %s\nTLSVerifyClient demand\n",
                      lab_quote_path(arena, at->data, "slapd.pid"),
                      lab_quote_path(arena, at->home, "tls/ca.crt"),
                      lab_quote_path(arena, at->home, "tls/server.crt"),
                      lab_quote_path(arena, at->home, "tls/server.key"));
}

str lab_generic_haproxy(struct arena *arena, const struct lab *lab)
{
    const struct lab_node *at = &lab->nodes[LAB_GENERIC_GATE];
    return str_printf(arena,
                      "global\n    stats socket %s mode 600 level admin expose-fd listeners\n"
                      "defaults\n    mode http\n    timeout connect 5s\n    timeout client 30s\n"
                      "    timeout server 30s\n"
                      "frontend gate\n    bind 127.0.0.1:%u ssl crt %s ca-file %s verify required\n"
                      "    http-request return status 200 content-type text/plain string gate\n",
                      lab_quote_path(arena, at->socket, "admin.sock"), at->port,
                      lab_quote_path(arena, at->home, "tls/all.pem"),
                      lab_quote_path(arena, at->home, "tls/ca.crt"));
}

static void add_stores(struct arena *arena, struct buf *buf)
{
    buf_add(
        arena, buf,
        S("    stores:\n"
          "      server: {format: pem, certificate: ldap/tls/server.crt, "
          "key: ldap/tls/server.key}\n"
          "      trust: {format: pem, certificates: ldap/tls/ca.crt}\n"
          "      all: {format: pem, certificate: gate/tls/all.pem, key: gate/tls/all.pem, "
          "derived_from: server}\n"
          "      clients: {format: pem, certificates: gate/tls/ca.crt, derived_from: trust}\n"));
}

static void add_services(struct arena *arena, struct buf *buf, const struct lab *lab)
{
    const struct lab_node *ldap = &lab->nodes[LAB_GENERIC_LDAP];
    const struct lab_node *gate = &lab->nodes[LAB_GENERIC_GATE];
    str user = lab_quote_yaml(arena, lab->user.name);
    buf_printf(arena, buf,
               "    services:\n      ldap:\n        listen: \"127.0.0.1:%u\"\n"
               "        protocol: ldap\n        identities: [{store: server}]\n"
               "        trust: [trust]\n        client_auth: required\n        stack: gnutls\n"
               "        load: {identity: restart, trust: restart}\n        run_as: %s\n"
               "        reference: ldap/slapd.conf\n        refresh: [/bin/sh, %s]\n",
               ldap->port, user.ptr, lab_quote_path(arena, ldap->home, "restart"));
    buf_printf(
        arena, buf,
        "      gate:\n        listen: \"127.0.0.1:%u\"\n        protocol: https\n"
        "        identities: [{store: all}]\n        trust: [clients]\n"
        "        client_auth: required\n        stack: openssl\n"
        "        load: {identity: reload, trust: reload}\n        run_as: %s\n"
        "        refresh: [/sbin/start-stop-daemon, --stop, --signal, USR2, --pidfile, %s]\n",
        gate->port, user.ptr, lab_quote_path(arena, gate->home, "pid"));
}

str lab_generic_cluster(struct arena *arena, const struct lab *lab)
{
    struct buf buf = { 0 };
    lab_cluster_begin(arena, &buf, lab);
    buf_printf(arena, &buf, "  host:\n    reach: local\n    run_as: %s\n    state: reseal/host\n",
               lab_quote_yaml(arena, lab->user.name).ptr);
    add_stores(arena, &buf);
    add_services(arena, &buf, lab);
    lab_cluster_app(arena, &buf, "");
    buf_add(arena, &buf,
            S("links:\n"
              "  - {from: app/app, to: host/ldap, name: host.lab.example, identity: client, "
              "trust: trust, verify: full}\n"
              "  - {from: app/app, to: host/gate, name: host.lab.example, identity: client, "
              "trust: trust, verify: full}\n"));
    return buf_str(&buf);
}
