/* SPDX-License-Identifier: Apache-2.0 */
#include "system/postgresql/discover.h"

#include "base/io.h"
#include "system/postgresql/conninfo.h"
#include "system/postgresql/hba.h"

#include <string.h>

static str setting(const struct pg_place *place, const char *name, str otherwise)
{
    const struct pgconf_setting *found = pgconf_find(&place->conf, name);
    return found == NULL ? otherwise : found->value;
}

/* A file name of the configuration: relative ones are seen from the data folder (20.2). */
static str file_of(struct arena *arena, const struct pg_place *place, const char *name,
                   str otherwise)
{
    str value = setting(place, name, otherwise);
    return value.len == 0 ? value : io_join(arena, place->data, value);
}

static bool exists(struct arena *arena, const struct pgconf_source *source, str path)
{
    AUTO(err) struct err err = { 0 };
    str text;
    return source->read(source->context, arena, path, &text, &err);
}

bool pg_place_read(struct arena *arena, const struct pgconf_source *source,
                   const struct node_conf *node, struct pg_place *ret_place, struct err *err)
{
    struct pg_place place = { .data = node->data, .config_file = node->config };
    if (place.data.len == 0 && place.config_file.len == 0) {
        err_set(err, ERR_USAGE, "node %.*s: neither data nor config is given", STR_ARG(node->name));
        return false;
    }
    if (place.config_file.len == 0)
        place.config_file = io_join(arena, place.data, S("postgresql.conf"));
    if (!pgconf_read(arena, source, place.config_file, &place.conf, err))
        return err_wrap(err, "node %.*s", STR_ARG(node->name));
    place.data = setting(&place, "data_directory", place.data);
    if (place.data.len == 0)
        place.data = io_dir_of(arena, place.config_file);
    /* Read last, so that it wins (20.1.2); ALTER SYSTEM makes it, so it may be missing. */
    str automatic = io_join(arena, place.data, S("postgresql.auto.conf"));
    if (exists(arena, source, automatic) &&
        !pgconf_read(arena, source, automatic, &place.conf, err))
        return err_wrap(err, "node %.*s", STR_ARG(node->name));
    place.hba_file = file_of(arena, &place, "hba_file", S("pg_hba.conf"));
    *ret_place = place;
    return true;
}

/* 20.1.1: on, yes, true, 1 and their unambiguous beginnings, in any case. */
static bool is_on(str value)
{
    static const char *const words[] = { "on", "yes", "true", "1" };
    for (size_t i = 0; i < COUNT(words); i++)
        if (value.len > (i == 0) && value.len <= strlen(words[i]) &&
            strncasecmp(words[i], value.ptr, value.len) == 0)
            return true;
    return false;
}

static bool is_here_only(str address)
{
    return str_eq(address, S("localhost")) || str_starts(address, S("127.")) ||
           str_eq(address, S("::1"));
}

/* One address for a server that listens at several: all of them where one is this machine's own and
   another is not, else the first. */
static str address_of(str addresses)
{
    bool here = false, all = false;
    str first = S(""), outside = S("");
    while (addresses.len > 0) {
        str address = str_trim(str_cut(&addresses, ','));
        bool own = is_here_only(address);
        first = first.len == 0 ? address : first;
        outside = outside.len == 0 && !own ? address : outside;
        here = here || own;
        all = all || str_eq(address, S("*")) || str_eq(address, S("0.0.0.0"));
    }
    return all || (here && outside.len > 0) ? S("0.0.0.0") : first;
}

static str listen_of(struct arena *arena, const struct pg_place *place,
                     const struct node_conf *node)
{
    str address = address_of(setting(place, "listen_addresses", S("localhost")));
    str port = setting(place, "port", S("5432"));
    if (node->port != 0)
        port = str_printf(arena, "%llu", (unsigned long long)node->port);
    if (address.len == 0)
        return S("");
    bool colons = str_find(address, S(":")) < address.len;
    return str_printf(arena, colons ? "[%.*s]:%.*s" : "%.*s:%.*s", STR_ARG(address), STR_ARG(port));
}

static void add_store(struct arena *arena, struct node_conf *node, struct store_conf store)
{
    store.format = S("pem");
    store.password.descriptor = -1;
    list_push(arena, &node->stores) = store;
}

static bool find_demand(struct arena *arena, const struct pgconf_source *source,
                        const struct pg_place *place, struct hba_demand *ret_demand,
                        struct err *err)
{
    struct hba hba;
    str text;
    if (!source->read(source->context, arena, place->hba_file, &text, err) ||
        !hba_parse(arena, place->hba_file, text, &hba, err))
        return false;
    *ret_demand = hba_demand(arena, &hba);
    return true;
}

static void add_service(struct arena *arena, const struct pg_place *place, struct node_conf *node,
                        const struct node_conf *declared, struct hba_demand demand)
{
    struct service_conf service = {
        .name = S("postgres"),
        .listen = listen_of(arena, place, declared),
        .protocol = S("postgresql"),
        .client_auth = demand.required   ? S("required")
                       : demand.optional ? S("optional")
                                         : S("none"),
        .client_identity = demand.user_is_cn ? S("user") : S(""),
        .mapped_users = demand.mapped,
        .stack = S("openssl"),
        .load = {.identity = S("reload"), .trust = S("reload")},
        .run_as = declared->run_as,
    };
    bool tls = is_on(setting(place, "ssl", S("off")));
    str certificate = file_of(arena, place, "ssl_cert_file", S("server.crt"));
    str anchors = file_of(arena, place, "ssl_ca_file", S(""));
    if (tls) {
        add_store(
            arena, node,
            (struct store_conf){ .name = S("server"),
                                 .certificate = certificate,
                                 .key = file_of(arena, place, "ssl_key_file", S("server.key")) });
        list_push(arena, &service.identities) = (struct identity_conf){ .store = S("server") };
    }
    if (tls && anchors.len > 0) {
        add_store(arena, node,
                  (struct store_conf){ .name = S("clients"),
                                       .certificates = anchors,
                                       .crl = file_of(arena, place, "ssl_crl_file", S("")) });
        list_push(arena, &service.trust) = S("clients");
    }
    list_push(arena, &node->services) = service;
}

/* 34.19.1: prefer, which is the default, allow and require check nothing; require with a root
   file behaves as verify-ca. */
static str verify_of(str sslmode, bool has_root)
{
    if (str_eq(sslmode, S("verify-full")))
        return S("full");
    if (str_eq(sslmode, S("verify-ca")) || (str_eq(sslmode, S("require")) && has_root))
        return S("ca");
    return S("none");
}

/* 34.19.2: what nobody named is looked for in the user's home. */
static str or_at_home(struct arena *arena, const struct pgconf_source *source, str named,
                      const char *file)
{
    if (named.len > 0 || source->home.len == 0)
        return named;
    str path = str_printf(arena, "%.*s/.postgresql/%s", STR_ARG(source->home), file);
    return exists(arena, source, path) ? path : S("");
}

static void add_upstream(struct arena *arena, const struct pgconf_source *source,
                         const struct conninfo *conninfo, struct node_conf *node,
                         struct cluster *fragment)
{
    str host = conninfo_get(conninfo, "host"), address = conninfo_get(conninfo, "hostaddr");
    str port = conninfo_get(conninfo, "port");
    str certificate =
        or_at_home(arena, source, conninfo_get(conninfo, "sslcert"), "postgresql.crt");
    str key = or_at_home(arena, source, conninfo_get(conninfo, "sslkey"), "postgresql.key");
    str root = or_at_home(arena, source, conninfo_get(conninfo, "sslrootcert"), "root.crt");
    struct link_conf link = {
        .kind = S("connect"),
        .from = str_printf(arena, "%.*s/postgres", STR_ARG(node->name)),
        .to = str_printf(arena, "%.*s:%.*s", STR_ARG(address.len > 0 ? address : host),
                         STR_ARG(port.len > 0 ? port : S("5432"))),
        .name = host.len > 0 ? host : address,
        .verify = verify_of(conninfo_get(conninfo, "sslmode"), root.len > 0),
        .user = conninfo_get(conninfo, "user"),
        .database = S("replication"),
    };
    if (certificate.len > 0) {
        add_store(
            arena, node,
            (struct store_conf){ .name = S("upstream"), .certificate = certificate, .key = key });
        link.identity = S("upstream");
    }
    if (root.len > 0) {
        add_store(arena, node, (struct store_conf){ .name = S("primary"), .certificates = root });
        link.trust = S("primary");
    }
    list_push(arena, &fragment->links) = link;
}

bool pg_discover(struct arena *arena, const struct pgconf_source *source,
                 const struct node_conf *declared, struct cluster *ret_fragment, struct err *err)
{
    struct cluster fragment = { .arena = arena };
    struct node_conf node = { .name = declared->name,
                              .reach = declared->reach,
                              .system = S("postgresql") };
    struct pg_place place;
    struct hba_demand demand;
    struct conninfo conninfo = { 0 };
    if (!pg_place_read(arena, source, declared, &place, err) ||
        !find_demand(arena, source, &place, &demand, err))
        return false;
    node.data = place.data;
    node.config = place.config_file;
    add_service(arena, &place, &node, declared, demand);

    bool standby = exists(arena, source, io_join(arena, place.data, S("standby.signal")));
    node.services.items[0].role = standby ? S("replica") : S("primary");
    const struct pgconf_setting *upstream = pgconf_find(&place.conf, "primary_conninfo");
    if (standby && upstream != NULL && upstream->value.len > 0) {
        if (!conninfo_parse(arena, upstream->value, &conninfo, err)) {
            err_wrap(err, "primary_conninfo");
            return err_where(err, "%.*s:%d", STR_ARG(upstream->file), upstream->line);
        }
        add_upstream(arena, source, &conninfo, &node, &fragment);
    }
    list_push(arena, &fragment.nodes) = node;
    *ret_fragment = fragment;
    return true;
}
