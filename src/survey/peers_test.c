/* SPDX-License-Identifier: Apache-2.0 */
#include "survey/parts.h"

#include "tests/pki.h"
#include "tests/test.h"

/* db2 and db3 are to stream from db1, and an application connects to it as user app. */
static const char declared[] =
    "{nodes: {db1: {services: {postgres: {listen: '127.0.0.1:1'}}},"
    " db2: {stores: {upstream: {certificate: /2.crt, key: /2.key}},"
    "       services: {postgres: {listen: '127.0.0.1:2'}}},"
    " db3: {stores: {upstream: {certificate: /3.crt, key: /3.key}},"
    "       services: {postgres: {listen: '127.0.0.1:3'}}},"
    " app: {services: {app: {}}}},"
    " links: ["
    "{from: db2/postgres, to: db1/postgres, identity: upstream, user: repl, database: replication},"
    "{from: db3/postgres, to: db1/postgres, identity: upstream, user: repl, database: replication},"
    "{from: app/app, to: db1/postgres, user: app}]}";

struct bench {
    struct arena arena;
    struct cluster cluster;
    struct survey survey;
    struct seen_service *primary; /* whose peers a test fills in */
};
DEFINE_AUTO(bench, struct bench, arena_free(&handle->arena))

static void add_seen(struct bench *bench, const struct pki *leaf)
{
    struct seen_node node = { .reached = true };
    if (leaf != NULL) {
        struct seen_store store = { .name = S("upstream"), .matches = true };
        list_push(&bench->arena, &store.certificates) = leaf->cert;
        list_push(&bench->arena, &node.stores) = store;
    }
    list_push(&bench->arena, &node.services) =
        (struct seen_service){ .name = leaf == NULL ? S("postgres") : S("none") };
    list_push(&bench->arena, &bench->survey.nodes) = node;
}

/* With what db2 and db3 have stored. */
static void bench_make(struct bench *bench, const struct pki *db2, const struct pki *db3)
{
    AUTO(err) struct err err = { 0 };
    struct survey *survey = &bench->survey;
    check_ok(cluster_parse(&bench->arena, "/c.yaml", str_c(declared), true, &bench->cluster, &err),
             &err);
    *survey = (struct survey){ .arena = &bench->arena, .cluster = &bench->cluster };
    model_init(&survey->model, &bench->arena);
    add_seen(bench, NULL);
    add_seen(bench, db2);
    add_seen(bench, db3);
    add_seen(bench, NULL);
    for (size_t i = 0; i < bench->cluster.nodes.count; i++)
        survey_add_service(survey, &bench->cluster.nodes.items[i],
                           &bench->cluster.nodes.items[i].services.items[0]);
    for (size_t i = 0; i < bench->cluster.links.count; i++)
        check(survey_add_link(survey, &bench->cluster.links.items[i]));
    bench->primary = &survey->nodes.items[0].services.items[0];
    bench->primary->peers_known = true;
}

static struct pki leaf(struct bench *bench)
{
    return pki_make(&bench->arena, &(struct pki_spec){ .name = "repl" });
}

static void stream(struct bench *bench, const struct pki *shown, const char *name)
{
    list_push(&bench->arena, &bench->primary->peers) = (struct peer){ .user = S("repl"),
                                                                      .database = S("replication"),
                                                                      .address = S("127.0.0.1"),
                                                                      .name = str_c(name),
                                                                      .serial = shown->cert.serial,
                                                                      .state = S("streaming") };
}

/* "code where; …" of every finding. */
static str found(struct bench *bench)
{
    struct buf out = { 0 };
    survey_look_at_peers(&bench->survey);
    buf_add(&bench->arena, &out, S(""));
    for (size_t i = 0; i < bench->survey.findings.count; i++) {
        const struct finding *finding = &bench->survey.findings.items[i];
        buf_printf(&bench->arena, &out, "%s %.*s; ", finding_row(finding->code)->code,
                   STR_ARG(finding->where));
    }
    return buf_str(&out);
}

static bool is_stale(struct bench *bench, const char *key)
{
    uint32_t id = map_get(&bench->survey.model.identity_ids, str_c(key));
    check(id != NO_ID);
    return bench->survey.model.identities.items[id].stale;
}

TEST(standbys_that_stream_with_what_they_have_stored_are_well)
{
    AUTO(bench) struct bench bench = { 0 };
    struct pki two = leaf(&bench), three = leaf(&bench);
    bench_make(&bench, &two, &three);
    stream(&bench, &three, "walreceiver");
    stream(&bench, &two, "walreceiver");
    check_str(found(&bench), S(""));
    check(!is_stale(&bench, "db2/postgres:upstream") && !is_stale(&bench, "db3/postgres:upstream"));
}

TEST(a_standby_that_runs_on_with_an_older_certificate_is_found)
{
    AUTO(bench) struct bench bench = { 0 };
    struct pki two = leaf(&bench), three = leaf(&bench), old = leaf(&bench);
    bench_make(&bench, &two, &three);
    stream(&bench, &old, "walreceiver");
    stream(&bench, &two, "walreceiver");
    check_str(found(&bench), S("restart_needed_after_renewal db3/postgres; "));
    check(!is_stale(&bench, "db2/postgres:upstream") && is_stale(&bench, "db3/postgres:upstream"));
}

TEST(of_two_older_certificates_each_is_the_standbys_that_has_its_name)
{
    AUTO(bench) struct bench bench = { 0 };
    struct pki two = leaf(&bench), three = leaf(&bench), old = leaf(&bench), older = leaf(&bench);
    bench_make(&bench, &two, &three);
    stream(&bench, &older, "db3");
    stream(&bench, &old, "db2");
    check_str(found(&bench), S("restart_needed_after_renewal db2/postgres; "
                               "restart_needed_after_renewal db3/postgres; "));
    str want = str_printf(&bench.arena,
                          "is connected to db1/postgres with certificate %.*s; db2/upstream holds "
                          "another",
                          STR_ARG(old.cert.serial));
    check_str(bench.survey.findings.items[0].text, want);
}

TEST(a_standby_that_does_not_stream_is_found)
{
    AUTO(bench) struct bench bench = { 0 };
    struct pki two = leaf(&bench), three = leaf(&bench);
    bench_make(&bench, &two, &three);
    stream(&bench, &three, "walreceiver");
    check_str(found(&bench), S("not_replicating db2/postgres; "));
}

TEST(standbys_with_one_certificate_for_both_are_told_apart_by_name)
{
    AUTO(bench) struct bench bench = { 0 };
    struct pki shared = leaf(&bench);
    bench_make(&bench, &shared, &shared);
    stream(&bench, &shared, "db3");
    check_str(found(&bench), S("not_replicating db2/postgres; "));
}

TEST(of_standbys_with_one_certificate_the_one_with_an_older_session_is_found)
{
    AUTO(bench) struct bench bench = { 0 };
    struct pki shared = leaf(&bench), old = leaf(&bench);
    bench_make(&bench, &shared, &shared);
    stream(&bench, &old, "db2");
    stream(&bench, &shared, "db3");
    check_str(found(&bench), S("restart_needed_after_renewal db2/postgres; "));
    check(is_stale(&bench, "db2/postgres:upstream") && !is_stale(&bench, "db3/postgres:upstream"));
}

TEST(standbys_with_one_certificate_and_one_name_are_both_well)
{
    AUTO(bench) struct bench bench = { 0 };
    struct pki shared = leaf(&bench);
    bench_make(&bench, &shared, &shared);
    stream(&bench, &shared, "walreceiver");
    stream(&bench, &shared, "walreceiver");
    check_str(found(&bench), S(""));
}

TEST(a_peer_that_no_link_declares_is_found_once)
{
    AUTO(bench) struct bench bench = { 0 };
    struct pki two = leaf(&bench), three = leaf(&bench);
    bench_make(&bench, &two, &three);
    stream(&bench, &two, "");
    stream(&bench, &three, "");
    static const char *const users[] = { "app", "mallory", "mallory" };
    for (size_t i = 0; i < COUNT(users); i++)
        list_push(&bench.arena, &bench.primary->peers) = (struct peer){ .user = str_c(users[i]),
                                                                        .database = S("orders"),
                                                                        .address = S("10.0.0.9") };
    check_str(found(&bench), S("undeclared_peer db1/postgres; "));
    check_str(
        bench.survey.findings.items[0].text,
        S("user mallory is connected from 10.0.0.9 without a certificate, and no link says so"));
}

TEST(a_stream_that_nobody_declared_is_found)
{
    AUTO(bench) struct bench bench = { 0 };
    struct pki two = leaf(&bench), three = leaf(&bench), other = leaf(&bench);
    bench_make(&bench, &two, &three);
    stream(&bench, &two, "db2");
    stream(&bench, &other, "db9");
    stream(&bench, &three, "db3");
    check_str(found(&bench), S("undeclared_peer db1/postgres; "));
}

TEST(who_shows_what_a_declared_client_has_stored_is_that_client_whatever_it_connects_for)
{
    AUTO(bench) struct bench bench = { 0 };
    struct pki two = leaf(&bench), three = leaf(&bench), old = leaf(&bench);
    bench_make(&bench, &two, &three);
    stream(&bench, &two, "db2");
    stream(&bench, &three, "db3");
    stream(&bench, &three, "db3"); /* again, before the server has missed the first */
    const struct peer peers[] = {
        {.user = S("repl"),   .database = S("postgres"), .serial = two.cert.serial},
        { .user = S("admin"), .database = S("postgres"), .serial = two.cert.serial},
        { .user = S("repl"),  .database = S("postgres"), .serial = old.cert.serial},
    };
    for (size_t i = 0; i < COUNT(peers); i++)
        list_push(&bench.arena, &bench.primary->peers) = peers[i];
    check_str(found(&bench), S("undeclared_peer db1/postgres; undeclared_peer db1/postgres; "));
    check(str_find(bench.survey.findings.items[0].text, S("user admin")) == 0);
    check(str_find(bench.survey.findings.items[1].text, S("user repl")) == 0);
}

TEST(a_server_that_cannot_say_who_is_connected_is_not_found_fault_with)
{
    AUTO(bench) struct bench bench = { 0 };
    struct pki two = leaf(&bench), three = leaf(&bench);
    bench_make(&bench, &two, &three);
    bench.primary->peers_known = false;
    check_str(found(&bench), S(""));
}
