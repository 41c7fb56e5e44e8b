/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/postgresql/config.h"

#include "lab/cluster_file.h"

static str quote(struct arena *arena, str text, const char *quote_escape)
{
    struct buf buf = { 0 };
    buf_add(arena, &buf, S("'"));
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        const char *special = c == '\'' ? quote_escape : c == '\\' ? "\\\\" : NULL;
        buf_add(arena, &buf, special != NULL ? str_c(special) : (str){ &text.ptr[i], 1 });
    }
    buf_add(arena, &buf, S("'"));
    return buf_str(&buf);
}

str lab_quote_setting(struct arena *arena, str text)
{
    return quote(arena, text, "''");
}

str lab_quote_conninfo(struct arena *arena, str text)
{
    return quote(arena, text, "\\'");
}

str lab_config_postgresql(struct arena *arena, const struct lab *lab, size_t node)
{
    const struct lab_node *at = &lab->nodes[node];
    struct buf buf = { 0 };
    str run = lab_quote_setting(arena, at->socket);
    /* A practice cluster that loses its last transactions with the machine is no loss. */
    buf_printf(arena, &buf,
               "cluster_name = '%s'\n"
               "listen_addresses = '127.0.0.1'\n"
               "port = %u\n"
               "unix_socket_directories = %s\n"
               "wal_level = replica\n"
               "hot_standby = on\n"
               "max_wal_senders = 20\n"
               "wal_keep_size = 256MB\n"
               "wal_retrieve_retry_interval = 1s\n"
               "max_connections = 60\n"
               "shared_buffers = 16MB\n"
               "fsync = off\n"
               "ssl = on\n",
               at->name.ptr, at->port, run.ptr);
    static const struct {
        const char *setting, *file;
    } files[] = {
        {"ssl_cert_file", "server.crt"},
        { "ssl_key_file", "server.key"},
        { "ssl_ca_file",  "ca.crt"    }
    };
    for (size_t i = 0; i < COUNT(files); i++) {
        str path = str_printf(arena, "%s/tls/%s", at->home.ptr, files[i].file);
        buf_printf(arena, &buf, "%s = %s\n", files[i].setting, lab_quote_setting(arena, path).ptr);
    }
    return buf_str(&buf);
}

str lab_config_hba(struct arena *arena)
{
    /* The socket's folder is the run user's alone (0700). */
    return str_copy(arena, S("local   all         all                     trust\n"
                             "local   replication all                     trust\n"
                             "hostssl replication postgres  127.0.0.1/32  cert clientcert="
                             "verify-full\n"
                             "hostssl all         postgres  127.0.0.1/32  cert clientcert="
                             "verify-full\n"
                             "hostssl all         app       127.0.0.1/32  cert clientcert="
                             "verify-full\n"));
}

str lab_config_standby(struct arena *arena, const struct lab *lab, size_t node)
{
    const struct lab_node *at = &lab->nodes[node];
    struct buf buf = { 0 };
    buf_printf(arena, &buf,
               "host=db1.lab.example hostaddr=127.0.0.1 port=%u user=postgres "
               "application_name=%s sslmode=%s",
               lab->nodes[0].port, at->name.ptr, lab->verify_full ? "verify-full" : "verify-ca");
    static const struct {
        const char *keyword, *file;
    } files[] = {
        {"sslcert",      "client.crt"},
        { "sslkey",      "client.key"},
        { "sslrootcert", "ca.crt"    }
    };
    for (size_t i = 0; i < COUNT(files); i++) {
        str path = str_printf(arena, "%s/tls/%s", at->home.ptr, files[i].file);
        buf_printf(arena, &buf, " %s=%s", files[i].keyword, lab_quote_conninfo(arena, path).ptr);
    }
    return str_printf(arena, "primary_conninfo = %s\n",
                      lab_quote_setting(arena, buf_str(&buf)).ptr);
}

str lab_config_services(struct arena *arena, const struct lab *lab)
{
    struct buf buf = { 0 };
    for (size_t i = 0; i < lab->count; i++)
        buf_printf(arena, &buf,
                   "[%s]\nhost=%s.lab.example\nhostaddr=127.0.0.1\nport=%u\ndbname=app\nuser=app\n"
                   "sslmode=verify-full\nsslcert=%s/app/tls/client.crt\n"
                   "sslkey=%s/app/tls/client.key\nsslrootcert=%s/app/tls/ca.crt\n\n",
                   lab->nodes[i].name.ptr, lab->nodes[i].name.ptr, lab->nodes[i].port, lab->dir.ptr,
                   lab->dir.ptr, lab->dir.ptr);
    return buf_str(&buf);
}

static void add_node(struct arena *arena, struct buf *buf, const struct lab *lab, size_t node)
{
    const struct lab_node *at = &lab->nodes[node];
    str socket = lab->sockets.len > 0 ? lab_quote_yaml(arena, at->socket)
                                      : str_printf(arena, "%s/run", at->name.ptr);
    buf_printf(arena, buf,
               "  %s:\n    reach: local\n    system: postgresql\n    data: %s/data\n"
               "    socket: %s\n    port: %u\n    run_as: %s\n    state: reseal/%s\n",
               at->name.ptr, at->name.ptr, socket.ptr, at->port,
               lab_quote_yaml(arena, lab->user.name).ptr, at->name.ptr);
}

str lab_config_cluster(struct arena *arena, const struct lab *lab)
{
    struct buf buf = { 0 };
    lab_cluster_begin(arena, &buf, lab);
    for (size_t i = 0; i < lab->count; i++)
        add_node(arena, &buf, lab, i);
    lab_cluster_app(arena, &buf, "        reference: app/pg_service.conf\n");
    buf_add(arena, &buf, S("links:\n"));
    for (size_t i = 0; i < lab->count; i++)
        buf_printf(arena, &buf,
                   "  - {from: app/app, to: %s/postgres, name: %s.lab.example, "
                   "identity: client, trust: trust, verify: full, user: app}\n",
                   lab->nodes[i].name.ptr, lab->nodes[i].name.ptr);
    return buf_str(&buf);
}
