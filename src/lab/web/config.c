/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/web/config.h"

#include "lab/cluster_file.h"

bool lab_web_is_front(const struct lab *lab, size_t node)
{
    return node + 1 == lab->count;
}

str lab_web_nginx(struct arena *arena, const struct lab *lab, size_t node)
{
    static const char *const spaces[] = { "client_body", "proxy", "fastcgi", "uwsgi", "scgi" };
    const struct lab_node *at = &lab->nodes[node];
    struct buf buf = { 0 };
    buf_printf(arena, &buf,
               "worker_processes 2;\npid %s;\nerror_log %s notice;\n"
               "events { worker_connections 512; }\nhttp {\n    access_log off;\n",
               lab_quote_path(arena, at->data, "nginx.pid"),
               lab_quote_path(arena, at->home, "log"));
    for (size_t i = 0; i < COUNT(spaces); i++)
        buf_printf(arena, &buf, "    %s_temp_path %s;\n", spaces[i],
                   lab_quote_path(arena, at->data, spaces[i]));
    buf_printf(arena, &buf,
               "    server {\n        listen 127.0.0.1:%u ssl;\n"
               "        server_name %s.lab.example;\n        ssl_protocols TLSv1.2 TLSv1.3;\n"
               "        ssl_certificate %s;\n        ssl_certificate_key %s;\n"
               "        ssl_client_certificate %s;\n        ssl_verify_client on;\n"
               "        location / { default_type text/plain; return 200 \"%s\\n\"; }\n    }\n}\n",
               at->port, at->name.ptr, lab_quote_path(arena, at->home, "tls/server.crt"),
               lab_quote_path(arena, at->home, "tls/server.key"),
               lab_quote_path(arena, at->home, "tls/ca.crt"), at->name.ptr);
    return buf_str(&buf);
}

/* Every request goes to a back end over a connection of its own, with a whole handshake, once: a
   kept connection, a resumed session, another try would hide what became of a certificate. */
str lab_web_haproxy(struct arena *arena, const struct lab *lab)
{
    const struct lab_node *at = &lab->nodes[lab->count - 1];
    struct buf buf = { 0 };
    buf_printf(
        arena, &buf,
        "global\n    stats socket %s mode 600 level admin expose-fd listeners\n    maxconn 2000\n"
        "defaults\n    mode http\n    timeout connect 5s\n    timeout client 30s\n"
        "    timeout server 30s\n    retries 0\n    http-reuse never\n"
        "frontend front\n    bind 127.0.0.1:%u ssl crt %s ca-file %s verify required\n"
        "    default_backend back\n"
        "backend back\n"
        "    default-server ssl crt %s ca-file %s verify required no-ssl-reuse\n",
        lab_quote_path(arena, at->socket, "admin.sock"), at->port,
        lab_quote_path(arena, at->home, "tls/front.pem"),
        lab_quote_path(arena, at->home, "tls/ca.crt"),
        lab_quote_path(arena, at->home, "tls/back.pem"),
        lab_quote_path(arena, at->home, "tls/servers.crt"));
    for (size_t i = 0; i + 1 < lab->count; i++)
        buf_printf(arena, &buf,
                   "    server %s 127.0.0.1:%u sni str(%s.lab.example) "
                   "verifyhost %s.lab.example\n",
                   lab->nodes[i].name.ptr, lab->nodes[i].port, lab->nodes[i].name.ptr,
                   lab->nodes[i].name.ptr);
    return buf_str(&buf);
}

str lab_web_curl(struct arena *arena, const struct lab *lab)
{
    uint16_t port = lab->nodes[lab->count - 1].port;
    return str_printf(arena,
                      "url = \"https://lb.lab.example:%u/\"\n"
                      "resolve = \"lb.lab.example:%u:127.0.0.1\"\n"
                      "cacert = %s\ncert = %s\nkey = %s\nsilent\nshow-error\nfail\n",
                      port, port, lab_quote_path(arena, lab->dir, "app/tls/ca.crt"),
                      lab_quote_path(arena, lab->dir, "app/tls/client.crt"),
                      lab_quote_path(arena, lab->dir, "app/tls/client.key"));
}

static void begin_node(struct arena *arena, struct buf *buf, const struct lab *lab, size_t node)
{
    const char *name = lab->nodes[node].name.ptr;
    buf_printf(arena, buf, "  %s:\n    reach: local\n    run_as: %s\n    state: reseal/%s\n", name,
               lab_quote_yaml(arena, lab->user.name).ptr, name);
}

static void add_nginx(struct arena *arena, struct buf *buf, const struct lab *lab, size_t node)
{
    const struct lab_node *at = &lab->nodes[node];
    const char *name = at->name.ptr;
    str command = str_printf(arena, "%s/nginx, -e, %s, -c, %s", lab->bin.ptr,
                             lab_quote_yaml(arena, at->log).ptr,
                             lab_quote_path(arena, at->home, "nginx.conf"));
    begin_node(arena, buf, lab, node);
    buf_printf(arena, buf,
               "    stores:\n"
               "      server: {format: pem, certificate: %s/tls/server.crt, key: "
               "%s/tls/server.key}\n"
               "      clients: {format: pem, certificates: %s/tls/ca.crt}\n"
               "    services:\n      nginx:\n        listen: \"127.0.0.1:%u\"\n"
               "        protocol: https\n        identities: [{store: server}]\n"
               "        trust: [clients]\n        client_auth: required\n        stack: nginx\n"
               "        load: {identity: reload, trust: reload}\n        group: back\n"
               "        run_as: %s\n        reference: %s/nginx.conf\n"
               "        refresh: [%s, -s, reload]\n        health: [%s, -t]\n",
               name, name, name, at->port, lab_quote_yaml(arena, lab->user.name).ptr, name,
               command.ptr, command.ptr);
}

static void add_haproxy(struct arena *arena, struct buf *buf, const struct lab *lab)
{
    size_t node = lab->count - 1;
    const struct lab_node *at = &lab->nodes[node];
    begin_node(arena, buf, lab, node);
    buf_printf(arena, buf,
               "    stores:\n"
               "      front: {format: pem, certificate: lb/tls/front.pem, key: lb/tls/front.pem}\n"
               "      back: {format: pem, certificate: lb/tls/back.pem, key: lb/tls/back.pem}\n"
               "      clients: {format: pem, certificates: lb/tls/ca.crt}\n"
               "      servers: {format: pem, certificates: lb/tls/servers.crt}\n"
               "    services:\n      haproxy:\n        listen: \"127.0.0.1:%u\"\n"
               "        protocol: https\n        identities: [{store: front}]\n"
               "        trust: [clients]\n        client_auth: required\n        stack: openssl\n"
               "        load: {identity: reload, trust: reload}\n        run_as: %s\n"
               "        admin: %s\n"
               "        refresh: [/sbin/start-stop-daemon, --stop, --signal, USR2, --pidfile, %s]\n"
               "        health: [%s/haproxy, -c, -f, %s]\n",
               at->port, lab_quote_yaml(arena, lab->user.name).ptr,
               lab_quote_path(arena, at->socket, "admin.sock"),
               lab_quote_path(arena, at->home, "pid"), lab->bin.ptr,
               lab_quote_path(arena, at->home, "haproxy.cfg"));
}

str lab_web_cluster(struct arena *arena, const struct lab *lab)
{
    struct buf buf = { 0 };
    lab_cluster_begin(arena, &buf, lab);
    for (size_t i = 0; i + 1 < lab->count; i++)
        add_nginx(arena, &buf, lab, i);
    add_haproxy(arena, &buf, lab);
    lab_cluster_app(arena, &buf, "        reference: app/curl.conf\n");
    buf_add(arena, &buf,
            S("links:\n  - {from: app/app, to: lb/haproxy, name: lb.lab.example, "
              "identity: client, trust: trust, verify: full}\n"));
    for (size_t i = 0; i + 1 < lab->count; i++)
        buf_printf(arena, &buf,
                   "  - {from: lb/haproxy, to: %s/nginx, name: %s.lab.example, identity: back, "
                   "trust: servers, verify: full}\n",
                   lab->nodes[i].name.ptr, lab->nodes[i].name.ptr);
    return buf_str(&buf);
}
