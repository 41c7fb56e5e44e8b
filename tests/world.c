/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/world.h"

#include "tests/test.h"

static uint32_t chain_until(struct world *world, str name, moment end)
{
    const char *cn = str_cstr(&world->arena, name);
    struct pki leaf = pki_make(
        &world->arena, &(struct pki_spec){ .name = cn,
                                           .issuer = &world->root,
                                           .not_before = end < PKI_NOW ? end - 90 * PKI_DAY : 0,
                                           .not_after = end,
                                           .extended_key_usage = "serverAuth,clientAuth",
                                           .san = str_printf(&world->arena, "DNS:%s", cn).ptr });
    uint32_t id = model_cert(&world->model, &leaf.cert);
    return model_chain(&world->model, &id, 1);
}

static uint32_t add_store(struct world *world, str node)
{
    struct trust_store store = {
        .key = str_printf(&world->arena, "%.*s/trust", STR_ARG(node)),
        .node = node,
        .name = S("trust"),
        .anchors = model_anchors(&world->model, &world->root_id, 1),
    };
    return model_add_store(&world->model, &store);
}

static uint32_t add_truster(struct world *world, str node, const char *service, const char *use,
                            uint32_t store, enum load_mode load)
{
    struct truster truster = {
        .key = str_printf(&world->arena, "%.*s/%s:%s", STR_ARG(node), service, use),
        .node = node,
        .service = str_c(service),
        .load = load,
        .loaded = model_anchors(&world->model, &world->root_id, 1),
    };
    list_push(&world->arena, &truster.stores) = store;
    return model_add_truster(&world->model, &truster);
}

static uint32_t add_identity(struct world *world, const struct world_spec *spec, str node,
                             const char *service, const char *store, uint32_t chain)
{
    struct identity identity = {
        .key = str_printf(&world->arena, "%.*s/%s:%s", STR_ARG(node), service, store),
        .node = node,
        .service = str_c(service),
        .store = str_c(store),
        .load = str_eq(str_c(service), S("app"))    ? LOAD_PER_CONNECTION
                : str_eq(str_c(store), S("client")) ? LOAD_PER_SESSION
                                                    : LOAD_RELOAD,
        .has_reference = !spec->in_place,
        .one_file = spec->one_file,
        .stored = chain,
        .loaded = chain,
    };
    return model_add_identity(&world->model, &identity);
}

static uint32_t add_server(struct world *world, const struct world_spec *spec, size_t number,
                           moment end)
{
    str node = str_printf(&world->arena, "db%zu", number);
    uint32_t store = add_store(world, node);
    uint32_t truster = add_truster(world, node, "postgres", "trust", store,
                                   spec->restart ? LOAD_RESTART : LOAD_RELOAD);
    uint32_t server =
        add_identity(world, spec, node, "postgres", "server", chain_until(world, node, end));
    if (spec->half_renewed == number)
        world->model.identities.items[server].stored =
            chain_until(world, node, PKI_NOW + 90 * PKI_DAY);
    struct service service = {
        .key = str_printf(&world->arena, "%.*s/postgres", STR_ARG(node)),
        .node = node,
        .name = S("postgres"),
        .role = number == 1 ? S("primary") : S("replica"),
        .group = spec->restart ? S("db") : S(""),
        .restarts = spec->restart,
        .client_auth = CLIENT_AUTH_REQUIRED,
        .client_truster = truster,
    };
    return model_add_service(&world->model, &service);
}

struct client {
    uint32_t service, identity, truster;
    const char *user;
};

static void connect_to(struct world *world, struct client client, uint32_t server)
{
    const struct service *from = &world->model.services.items[client.service];
    const struct service *to = &world->model.services.items[server];
    str shown = str_printf(&world->arena, "%.*s:server", STR_ARG(to->key));
    struct link link = {
        .key = str_printf(&world->arena, "%.*s->%.*s", STR_ARG(from->key), STR_ARG(to->key)),
        .from = client.service,
        .to = server,
        .server_identity = map_get(&world->model.identity_ids, shown),
        .client_identity = client.identity,
        .client_truster = client.truster,
        .verify = VERIFY_FULL,
        .name = to->node,
        .user = str_c(client.user),
        .user_is_cn = true,
    };
    model_add_link(&world->model, &link);
}

static void add_standby_client(struct world *world, const struct world_spec *spec, uint32_t service,
                               moment end)
{
    str node = world->model.services.items[service].node;
    struct client client = { .service = service, .user = "postgres" };
    client.identity = add_identity(world, spec, node, "postgres", "client",
                                   chain_until(world, S("postgres"), end));
    client.truster =
        add_truster(world, node, "postgres", "upstream",
                    world->model.trusters.items[service].stores.items[0], LOAD_PER_SESSION);
    connect_to(world, client, 0);
}

static void add_app(struct world *world, const struct world_spec *spec, size_t servers, moment end)
{
    uint32_t store = add_store(world, S("app"));
    struct client client = { .user = "app" };
    client.truster = add_truster(world, S("app"), "app", "trust", store, LOAD_PER_CONNECTION);
    client.identity =
        add_identity(world, spec, S("app"), "app", "client", chain_until(world, S("app"), end));
    struct service service = {
        .key = S("app/app"), .node = S("app"), .name = S("app"), .client_truster = NO_ID
    };
    client.service = model_add_service(&world->model, &service);
    for (uint32_t server = 0; server < servers; server++)
        connect_to(world, client, server);
}

void world_make(struct world *world, const struct world_spec *spec)
{
    *world = (struct world){ 0 };
    moment end = spec->leaf_end == 0 ? PKI_NOW + 10 * PKI_DAY : spec->leaf_end;
    size_t nodes = spec->nodes == 0 ? 3 : spec->nodes;
    model_init(&world->model, &world->arena);
    world->root = pki_make(&world->arena, &(struct pki_spec){ .name = "Root", .ca = true });
    world->second = pki_make(&world->arena, &(struct pki_spec){ .name = "Second", .ca = true });
    world->root_id = model_cert(&world->model, &world->root.cert);
    world->second_id = model_cert(&world->model, &world->second.cert);
    for (size_t number = 1; number <= nodes; number++)
        add_server(world, spec, number, end);
    for (uint32_t standby = 1; standby < nodes; standby++)
        add_standby_client(world, spec, standby, end);
    add_app(world, spec, nodes, end);
    judge_init(&world->judge, &world->model);
}

void world_free(struct world *world)
{
    arena_free(&world->arena);
}
