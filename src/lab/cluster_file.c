/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/cluster_file.h"

#include <string.h>

str lab_quote_yaml(struct arena *arena, str text)
{
    struct buf buf = { 0 };
    buf_add(arena, &buf, S("\""));
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            buf_add(arena, &buf, S("\\"));
        buf_add(arena, &buf, (str){ &text.ptr[i], 1 });
    }
    buf_add(arena, &buf, S("\""));
    return buf_str(&buf);
}

const char *lab_quote_path(struct arena *arena, str folder, const char *file)
{
    struct buf buf = { 0 };
    buf_add(arena, &buf, S("\""));
    for (size_t i = 0; i < folder.len; i++) {
        if (strchr("\"\\$", folder.ptr[i]) != NULL)
            buf_add(arena, &buf, S("\\"));
        buf_add(arena, &buf, (str){ &folder.ptr[i], 1 });
    }
    buf_printf(arena, &buf, "/%s\"", file);
    return buf_str(&buf).ptr;
}

void lab_cluster_begin(struct arena *arena, struct buf *buf, const struct lab *lab)
{
    buf_printf(arena, buf, "cluster: lab\nid: %s\n", lab->id.ptr);
    buf_add(arena, buf,
            S("issuer: {kind: local, certificate: ca/ca.pem, key: ca/ca.key, "
              "passphrase: {file: ca/pass}}\n"
              "policy: {renew_before: 30d, lifetime: 90d, key: new}\n"
              "nodes:\n"));
}

void lab_cluster_app(struct arena *arena, struct buf *buf, const char *more)
{
    buf_add(arena, buf,
            S("  app:\n    reach: local\n    state: reseal/app\n    stores:\n"
              "      client: {format: pem, certificate: app/tls/client.crt, "
              "key: app/tls/client.key}\n"
              "      trust: {format: pem, certificates: app/tls/ca.crt}\n"
              "    services:\n      app:\n"
              "        identities: [{store: client}]\n        trust: [trust]\n"
              "        stack: openssl\n"
              "        load: {identity: per_connection, trust: per_connection}\n"));
    buf_add(arena, buf, str_c(more));
}
