/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/check.h"

#include "base/window.h"
#include "cluster/index.h"
#include "cluster/schema.h"
#include "cluster/ssh.h"

__attribute__((format(printf, 4, 5))) static bool fail(const struct cluster *cluster, int line,
                                                       struct err *err, const char *fmt, ...)
{
    AUTO(arena) struct arena arena = { 0 };
    va_list ap;
    va_start(ap, fmt);
    str text = str_vprintf(&arena, fmt, ap);
    va_end(ap);
    err_set(err, ERR_FORMAT, "%.*s", STR_ARG(text));
    return err_where(err, "%.*s:%d", STR_ARG(cluster->path), line);
}

static bool listen_valid(str listen)
{
    size_t colon = listen.len;
    while (colon > 0 && listen.ptr[colon - 1] != ':')
        colon--;
    uint64_t port = 0;
    if (colon < 2)
        return false;
    str host = { listen.ptr, colon - 1 }, rest = { listen.ptr + colon, listen.len - colon };
    bool host_valid = str_starts(host, S("[")) ? str_ends(host, S("]")) && host.len > 2
                                               : str_find(host, S(":")) == host.len;
    return host_valid && str_to_u64(rest, 65535, &port) && port > 0;
}

static bool store_known(struct cluster *cluster, struct node_conf *node, str name, int line,
                        struct err *err)
{
    if (node->system.len > 0 || node_store(node, name) != NULL)
        return true;
    AUTO(arena) struct arena arena = { 0 };
    const char **names = arena_alloc(&arena, node->stores.count + 1, sizeof(*names));
    for (size_t i = 0; i < node->stores.count; i++)
        names[i] = str_cstr(&arena, node->stores.items[i].name);
    const char *near = str_nearest(name, names, node->stores.count);
    if (near == NULL)
        return fail(cluster, line, err, "node '%.*s' has no store '%.*s'", STR_ARG(node->name),
                    STR_ARG(name));
    return fail(cluster, line, err, "node '%.*s' has no store '%.*s'; did you mean '%s'?",
                STR_ARG(node->name), STR_ARG(name), near);
}

static bool pins_known(struct cluster *cluster, struct node_conf *node, str name, int line,
                       struct err *err)
{
    const struct store_conf *store = node_store(node, name);
    if (!store_known(cluster, node, name, line, err))
        return false;
    return store == NULL || str_eq(store->format, S("pins")) ||
           fail(cluster, line, err, "store '%.*s' is not of format pins", STR_ARG(name));
}

/* Pins cannot be told from another text by content, and stand in one file. */
static bool check_store(struct cluster *cluster, const struct store_conf *store, struct err *err)
{
    bool pins = str_eq(store->format, S("pins"));
    if (str_eq(store->holds, S("one")) && store->certificates.len == 0)
        return fail(cluster, store->line, err, "store '%.*s' holds one: it needs 'certificates'",
                    STR_ARG(store->name));
    if (!pins || (store->path.len > 0 && store->certificate.len + store->certificates.len == 0))
        return true;
    return fail(cluster, store->line, err, "store '%.*s' of format pins has one 'path'",
                STR_ARG(store->name));
}

static bool check_service(struct cluster *cluster, struct node_conf *node,
                          const struct service_conf *service, bool fragment, struct err *err)
{
    if (service->listen.len > 0 && !listen_valid(service->listen))
        return fail(cluster, service->line, err,
                    "'listen' of service '%.*s' must be address:port, not '%.*s'",
                    STR_ARG(service->name), STR_ARG(service->listen));
    for (size_t i = 0; i < service->identities.count && !fragment; i++) {
        const struct identity_conf *identity = &service->identities.items[i];
        if (!store_known(cluster, node, identity->store, identity->line, err))
            return false;
    }
    for (size_t i = 0; i < service->trust.count && !fragment; i++)
        if (!store_known(cluster, node, service->trust.items[i], service->line, err))
            return false;
    for (size_t i = 0; i < service->pins.count && !fragment; i++)
        if (!pins_known(cluster, node, service->pins.items[i], service->line, err))
            return false;
    return true;
}

/* What names an end of a link, and where. */
struct end_of {
    const char *what;
    int line;
};

/* "node/service" for `what`, which is said where there is no such service. */
static bool check_end(struct cluster *cluster, const struct cluster_index *index,
                      const struct end_of *at, str end, struct node_conf **ret_node,
                      struct err *err)
{
    str service = end, name = str_cut(&service, '/');
    if (name.len == 0 || service.len == 0)
        return fail(cluster, at->line, err, "a link's end is node/service, not '%.*s'",
                    STR_ARG(end));
    struct node_conf *node = *ret_node = index_node(index, name);
    if (node == NULL)
        return fail(cluster, at->line, err, "%s '%.*s': there is no node '%.*s'", at->what,
                    STR_ARG(end), STR_ARG(name));
    if (node->system.len > 0 || index_service(index, name, service) != NULL)
        return true;
    return fail(cluster, at->line, err, "%s '%.*s': node '%.*s' has no service '%.*s'", at->what,
                STR_ARG(end), STR_ARG(name), STR_ARG(service));
}

static bool link_store_known(struct cluster *cluster, const struct cluster_index *index,
                             struct node_conf *client, str name, int line, struct err *err)
{
    return name.len == 0 || index_store(index, client->name, name) != NULL ||
           store_known(cluster, client, name, line, err);
}

static bool check_link(struct cluster *cluster, const struct cluster_index *index,
                       const struct link_conf *link, struct err *err)
{
    struct node_conf *client = NULL, *server = NULL;
    const struct end_of at = { "link to", link->line };
    if (!check_end(cluster, index, &at, link->from, &client, err) ||
        !check_end(cluster, index, &at, link->to, &server, err))
        return false;
    struct node_conf *judge = str_eq(link->kind, S("signer")) ? server : client;
    return link_store_known(cluster, index, client, link->identity, link->line, err) &&
           link_store_known(cluster, index, judge, link->trust, link->line, err) &&
           (link->pins.len == 0 || pins_known(cluster, judge, link->pins, link->line, err));
}

static bool check_pinned(struct cluster *cluster, const struct cluster_index *index,
                         const struct pinned_conf *pinned, struct err *err)
{
    struct node_conf *node;
    const struct end_of at = { "pins of", pinned->line };
    for (size_t i = 0; i < pinned->pins.count; i++) {
        const struct pin_conf *pin = &pinned->pins.items[i];
        str digest = pin->cert.len > 0 ? pin->cert : pin->spki, rest = digest;
        if (!str_eq(str_cut(&rest, ':'), S("sha256")) || !str_is_hex(rest, 64))
            return fail(cluster, pin->line, err,
                        "a pin is sha256: and 64 digits of hex, not '%.*s'", STR_ARG(digest));
    }
    return check_end(cluster, index, &at, pinned->service, &node, err);
}

static bool check_links(struct cluster *cluster, struct err *err)
{
    AUTO(arena) struct arena scratch = { 0 };
    struct cluster_index index;
    cluster_index(&scratch, cluster, &index);
    for (size_t i = 0; i < cluster->links.count; i++)
        if (!check_link(cluster, &index, &cluster->links.items[i], err))
            return false;
    for (size_t i = 0; i < cluster->pins.count; i++)
        if (!check_pinned(cluster, &index, &cluster->pins.items[i], err))
            return false;
    return true;
}

static bool is_given(const void *object, const struct section *section, str key)
{
    for (size_t i = 0; i < section->count; i++)
        if (str_eq(str_c(section->fields[i].key), key))
            return !field_is_default(object, &section->fields[i]);
    return false;
}

/* `keys`, with | between them, are all given, or none of them is. */
static bool check_keys(const struct cluster *cluster, const char *keys, bool given, struct err *err)
{
    const struct issuer_conf *issuer = &cluster->issuer;
    for (str rest = str_c(keys); rest.len > 0;) {
        str key = str_cut(&rest, '|');
        if (is_given(issuer, &issuer_section, key) != given)
            return fail(cluster, issuer->line, err, "an issuer of kind %.*s %s '%.*s'",
                        STR_ARG(issuer->kind), given ? "needs" : "has no", STR_ARG(key));
    }
    return true;
}

static bool check_issuer(const struct cluster *cluster, struct err *err)
{
    const struct variant *variant = issuer_section.variants;
    while (variant->choice != NULL && !str_eq(str_c(variant->choice), cluster->issuer.kind))
        variant++;
    return cluster->issuer.line == 0 || variant->choice == NULL ||
           (check_keys(cluster, variant->needs, true, err) &&
            check_keys(cluster, variant->lacks, false, err));
}

/* A source is found in one step: what is derived is the source of nothing. */
static bool check_source(struct cluster *cluster, struct node_conf *node,
                         const struct store_conf *store, struct err *err)
{
    const struct store_conf *source = node_store(node, store->derived_from);
    if (source == NULL)
        return store_known(cluster, node, store->derived_from, store->line, err);
    if (source->derived_from.len > 0 || source == store)
        return fail(cluster, store->line, err,
                    "store '%.*s' cannot be derived from '%.*s', which is derived itself",
                    STR_ARG(store->name), STR_ARG(source->name));
    if (str_eq(store->holds, S("one")) != str_eq(source->holds, S("one")))
        return fail(cluster, store->line, err,
                    "store '%.*s' is derived from '%.*s': both hold one, or both hold many",
                    STR_ARG(store->name), STR_ARG(source->name));
    if ((store->certificate.len > 0) == (source->certificate.len > 0))
        return true;
    return fail(cluster, store->line, err,
                "store '%.*s' is derived from '%.*s': both have a certificate and its key, or both "
                "have certificates",
                STR_ARG(store->name), STR_ARG(source->name));
}

static bool check_derived(struct cluster *cluster, struct node_conf *node,
                          const struct store_conf *store, bool fragment, struct err *err)
{
    bool commanded = store->derive.count > 0;
    if (commanded && store->derived_from.len == 0)
        return fail(cluster, store->line, err, "'derive' of store '%.*s' needs 'derived_from'",
                    STR_ARG(store->name));
    if (commanded && !str_eq(store->certificate, store->key))
        return fail(cluster, store->line, err,
                    "store '%.*s' is made by a command, so certificate and key must be one file",
                    STR_ARG(store->name));
    return fragment || store->derived_from.len == 0 || node->system.len > 0 ||
           check_source(cluster, node, store, err);
}

static bool check_node(struct cluster *cluster, struct node_conf *node, bool fragment,
                       struct err *err)
{
    if (node->program.count > 0 && !ssh_is_meant(node->reach))
        return fail(cluster, node->line, err,
                    "'program' of node '%.*s' is for a node that is reached over ssh",
                    STR_ARG(node->name));
    for (size_t i = 0; i < node->stores.count; i++)
        if (!check_store(cluster, &node->stores.items[i], err) ||
            !check_derived(cluster, node, &node->stores.items[i], fragment, err))
            return false;
    for (size_t i = 0; i < node->services.count; i++)
        if (!check_service(cluster, node, &node->services.items[i], fragment, err))
            return false;
    return true;
}

bool cluster_check(struct cluster *cluster, bool fragment, struct err *err)
{
    if (cluster->policy.lifetime <= cluster->policy.renew_before)
        return fail(cluster, 1, err, "policy: 'lifetime' must be longer than 'renew_before'");
    for (size_t i = 0; i < cluster->policy.windows.count; i++) {
        struct window window;
        if (!window_parse(cluster->policy.windows.items[i], &window))
            return fail(cluster, 1, err,
                        "policy: a window is like 'Sat 22:00-04:00' or 'daily 02:00-03:00', not "
                        "'%.*s'",
                        STR_ARG(cluster->policy.windows.items[i]));
    }
    if (!check_issuer(cluster, err))
        return false;
    for (size_t i = 0; i < cluster->nodes.count; i++)
        if (!check_node(cluster, &cluster->nodes.items[i], fragment, err))
            return false;
    return fragment || check_links(cluster, err);
}
