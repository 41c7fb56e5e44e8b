/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db1 is the primary, the others stream from it over TLS as CN=postgres and verify it under its
 * own name db1.lab.example (host + hostaddr); app/pg_service.conf names them for a client. A node
 * has server.crt and client.crt in tls/, and its socket in run/.
 */
#include "lab/kind.h"

#include "base/io.h"
#include "lab/files.h"
#include "lab/postgresql/config.h"
#include "lab/postgresql/query.h"
#include "lab/postgresql/server.h"
#include "lab/postgresql/status.h"
#include "lab/server.h"

static void name_node(struct arena *arena, struct lab *lab, size_t index)
{
    lab->nodes[index].name = str_printf(arena, "db%zu", index + 1);
}

/* server.crt and client.crt with their keys, as old as `age` begins. */
static bool write_identities(struct arena *arena, const struct lab *lab, const struct lab_ca *ca,
                             size_t node, enum lab_state age, struct err *err)
{
    const struct lab_node *at = &lab->nodes[node];
    str name = str_printf(arena, "%s.lab.example", at->name.ptr);
    struct lab_leaf server = { .common_name = name, .dns = name };
    struct lab_leaf client = { .common_name = S("postgres") };
    lab_leaf_date(&server, age);
    lab_leaf_date(&client, age);
    return lab_write_identity(arena, lab, ca, &server,
                              str_printf(arena, "%s/tls/server", at->home.ptr), LAB_SERVERS, err) &&
           lab_write_identity(arena, lab, ca, &client,
                              str_printf(arena, "%s/tls/client", at->home.ptr), LAB_SERVERS, err);
}

static bool make_files(struct arena *arena, const struct lab *lab, const struct lab_ca *ca,
                       str anchor, struct err *err)
{
    if (!lab_make_app(arena, lab, ca, anchor, err))
        return false;
    for (size_t i = 0; i < lab->count; i++)
        if (!lab_make_node(arena, lab, i, anchor, err) ||
            !write_identities(arena, lab, ca, i, lab->state, err))
            return false;
    return true;
}

static bool make_roles(struct arena *arena, const struct lab *lab, struct err *err)
{
    static const char *const statements[] = { "create role app login",
                                              "create database app owner app" };
    str cell;
    for (size_t i = 0; i < COUNT(statements); i++)
        if (!lab_query(arena, &lab->user, &lab->nodes[0], statements[i], &cell, err))
            return false;
    return true;
}

static bool start_all(struct arena *arena, struct lab *lab, struct err *err)
{
    if (!lab_postgresql_init(arena, lab, err) || !lab_start(arena, lab, 0, 1, err) ||
        !make_roles(arena, lab, err) || !lab_postgresql_copy(arena, lab, err))
        return false;
    for (size_t i = 1; i < lab->count; i++)
        if (!lab_start(arena, lab, i, i + 1, err))
            return false;
    return true;
}

/* What is left to do once the servers run with the certificates that the state begins with. */
static bool reach_state(struct arena *arena, struct lab *lab, const struct lab_ca *ca,
                        struct err *err)
{
    if (lab->state == LAB_EXPIRED)
        return true;
    if (!lab_postgresql_streams(arena, lab, err))
        return false;
    if (lab->state != LAB_HALF_RENEWED)
        return true;
    return write_identities(arena, lab, ca, 0, LAB_HEALTHY, err) &&
           lab_postgresql_reload(arena, lab, 0, err) &&
           write_identities(arena, lab, ca, 2, LAB_HEALTHY, err);
}

static bool build(struct arena *arena, struct lab *lab, const struct lab_ca *ca, str anchor,
                  struct err *err)
{
    return make_files(arena, lab, ca, anchor, err) && start_all(arena, lab, err) &&
           reach_state(arena, lab, ca, err) &&
           lab_write(lab, io_join(arena, lab->dir, S("app/pg_service.conf")),
                     lab_config_services(arena, lab), LAB_OURS, err) &&
           lab_write(lab, io_join(arena, lab->dir, S("cluster.yaml")),
                     lab_config_cluster(arena, lab), LAB_OURS, err);
}

const struct lab_kind lab_postgresql = {
    .name = "postgresql",
    .servers = "PostgreSQL servers",
    .run_as = "postgres",
    .packages = "postgresql-15",
    .states = 1U << LAB_HEALTHY | 1U << LAB_EXPIRING | 1U << LAB_EXPIRED | 1U << LAB_HALF_RENEWED,
    .verify_ca = true,
    .nodes_least = 2,
    .nodes_most = LAB_NODES_MAX,
    .nodes_usual = 3,
    .ports = 1,
    .longest_socket = "/db9/run/.s.PGSQL.65535",
    .find = lab_postgresql_find,
    .name_node = name_node,
    .build = build,
    .prepare = lab_postgresql_prepare,
    .ready = lab_postgresql_ready,
    .running = lab_postgresql_running,
    .ask = lab_postgresql_ask,
    .node_files = lab_postgresql_node_files,
    .client_files = lab_postgresql_client_files,
};
