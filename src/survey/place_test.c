/* SPDX-License-Identifier: Apache-2.0 */
#include "survey/place.h"

#include "tests/test.h"

/* a and b are two machines, c is on a's. */
static const char declared[] =
    "{nodes: {a: {reach: 'ssh://root@ha', services: {s: {listen: '0.0.0.0:5432'}}},"
    " b: {reach: 'ssh://root@192.0.2.2:22', services: {s: {listen: '127.0.0.1:5432'}}},"
    " c: {reach: 'ssh://root@hc', services: {s: {listen: 'localhost:5433'}}},"
    " d: {services: {s: {listen: '192.0.2.4:5432'}}},"
    " e: {reach: 'ssh://root@[2001:db8::5]', services: {s: {listen: '[::]:5432'}}}}}";

struct bench {
    struct arena arena;
    struct cluster cluster;
    struct survey survey;
};
DEFINE_AUTO(bench, struct bench, arena_free(&handle->arena))

static void bench_make(struct bench *bench)
{
    AUTO(err) struct err err = { 0 };
    static const struct {
        const char *loopback, *address;
    } seen[] = {
        {"m1",  "192.0.2.1"  },
        { "m2", "192.0.2.2"  },
        { "m1", "192.0.2.1"  },
        { "m4", "192.0.2.4"  },
        { "",   "2001:db8::5"}
    };
    *bench = (struct bench){ 0 };
    check_ok(cluster_parse(&bench->arena, "/c.yaml", str_c(declared), true, &bench->cluster, &err),
             &err);
    bench->survey = (struct survey){ .arena = &bench->arena, .cluster = &bench->cluster };
    for (size_t i = 0; i < COUNT(seen); i++) {
        struct seen_node node = { .reached = true, .loopback = str_c(seen[i].loopback) };
        list_push(&bench->arena, &node.addresses) = str_c(seen[i].address);
        list_push(&bench->arena, &bench->survey.nodes) = node;
    }
    /* What b's own resolver says. */
    struct seen_host known = { .name = S("db-a.example") };
    list_push(&bench->arena, &known.addresses) = S("192.0.2.1");
    list_push(&bench->arena, &bench->survey.nodes.items[1].hosts) = known;
    known = (struct seen_host){ .name = S("db-d.example") };
    list_push(&bench->arena, &known.addresses) = S("192.0.2.4");
    list_push(&bench->arena, &bench->survey.nodes.items[1].hosts) = known;
    known = (struct seen_host){ .name = S("me.example") };
    list_push(&bench->arena, &known.addresses) = S("127.0.1.1");
    list_push(&bench->arena, &bench->survey.nodes.items[0].hosts) = known;
}

/* The nodes whose service it leads to, by their names. */
static str leads(struct bench *bench, const char *from, const char *address)
{
    struct buf buf = { 0 };
    const struct node_conf *client = cluster_node(&bench->cluster, str_c(from));
    for (size_t i = 0; i < bench->cluster.nodes.count; i++) {
        const struct node_conf *node = &bench->cluster.nodes.items[i];
        if (place_leads_to(&bench->survey, client, str_c(address), node, &node->services.items[0]))
            buf_add(&bench->arena, &buf, node->name);
    }
    return buf.bytes.count == 0 ? S("") : buf_str(&buf);
}

TEST(an_address_leads_where_it_leads_seen_from_its_node)
{
    // clang-format off
    static const struct { const char *from, *address, *leads; } cases[] = {
        { "a", "127.0.0.1:5432", "a" }, { "b", "127.0.0.1:5432", "b" },
        { "b", "localhost:5432", "b" }, { "c", "[::1]:5432", "a" },
        { "a", "127.0.0.1:5433", "c" }, { "b", "127.0.0.1:5433", "" },
        { "b", "192.0.2.1:5432", "a" }, { "a", "192.0.2.1:5432", "a" },
        { "b", "192.0.2.1:5433", "" },  /* that one listens on loopback alone */
        { "a", "192.0.2.2:5432", "" },
        { "b", "db-a.example:5432", "a" }, { "d", "db-a.example:5432", "" },
        { "b", "ha:5432", "a" }, { "b", "a:5432", "a" }, /* as it is reached, as it is called */
        { "b", "192.0.2.4:5432", "d" }, { "b", "db-d.example:5432", "d" },
        { "a", "me.example:5432", "a" }, /* a name of its own machine */
        { "b", "[2001:db8::5]:5432", "e" },
        { "a", "192.0.2.1:1", "" }, { "a", "nonsense", "" },
    };
    // clang-format on
    AUTO(bench) struct bench bench;
    bench_make(&bench);
    for (size_t i = 0; i < COUNT(cases); i++)
        if (!str_eq(leads(&bench, cases[i].from, cases[i].address), str_c(cases[i].leads)))
            fail_msg("%s from %s: %s", cases[i].address, cases[i].from,
                     leads(&bench, cases[i].from, cases[i].address).ptr);
}

TEST(who_listens_everywhere_is_dialed_by_an_address_of_its_machine)
{
    // clang-format off
    static const struct { const char *from, *to, *dials; } cases[] = {
        { "b", "a", "192.0.2.1:5432" }, { "c", "a", "0.0.0.0:5432" },
        { "a", "b", "127.0.0.1:5432" }, { "a", "d", "192.0.2.4:5432" },
        { "a", "e", "[2001:db8::5]:5432" },
    };
    // clang-format on
    AUTO(bench) struct bench bench;
    bench_make(&bench);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct node_conf *to = cluster_node(&bench.cluster, str_c(cases[i].to));
        check_str(place_to_dial(&bench.survey, cluster_node(&bench.cluster, str_c(cases[i].from)),
                                to, &to->services.items[0]),
                  str_c(cases[i].dials));
    }
}
