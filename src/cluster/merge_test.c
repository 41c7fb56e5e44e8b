/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/cluster.h"

#include "tests/test.h"

static struct cluster parsed(struct arena *arena, str text, bool fragment)
{
    AUTO(err) struct err err = { 0 };
    struct cluster cluster;
    check_ok(cluster_parse(arena, "/x/c.yaml", text, fragment, &cluster, &err), &err);
    return cluster;
}

TEST(merging_fills_what_is_not_declared_and_keeps_what_is)
{
    AUTO(arena) struct arena arena = { 0 };
    struct cluster cluster = parsed(&arena,
                                    S("cluster: a\n"
                                      "nodes:\n"
                                      "  n:\n"
                                      "    stores: {server: {key: /mine}}\n"
                                      "    services: {s: {listen: 'h:1', trust: [server],"
                                      " load: {identity: restart}}}\n"),
                                    false);
    struct cluster found =
        parsed(&arena,
               S("nodes:\n"
                 "  n:\n"
                 "    data: /data\n"
                 "    stores: {server: {key: /found, crl: /crl}, roots: {}}\n"
                 "    services: {s: {listen: 'h:2', trust: [roots], role: replica,"
                 " load: {identity: reload, trust: reload}}}\n"
                 "  m: {port: 7}\n"),
               true);
    cluster_merge(&cluster, &found);
    check_str(cluster.name, S("a"));
    check_int(cluster.nodes.count, 2);
    struct node_conf *node = cluster_node(&cluster, S("n"));
    check_str(node->data, S("/data"));
    check_str(node_store(node, S("server"))->key, S("/mine"));
    check_str(node_store(node, S("server"))->crl, S("/crl"));
    check(node_store(node, S("roots")) != NULL);
    const struct service_conf *service = node_service(node, S("s"));
    check_str(service->listen, S("h:1"));
    check_str(service->role, S("replica"));
    check_int(service->trust.count, 1);
    check_str(service->trust.items[0], S("server"));
    check_str(service->load.identity, S("restart"));
    check_str(service->load.trust, S("reload"));
    check_int(cluster_node(&cluster, S("m"))->port, 7);
}

TEST(merging_adds_the_links_that_are_not_known_yet)
{
    AUTO(arena) struct arena arena = { 0 };
    struct cluster cluster = parsed(&arena,
                                    S("cluster: a\nnodes: {n: {system: postgresql}}\n"
                                      "links: [{from: n/a, to: n/b, verify: full}]\n"),
                                    false);
    struct cluster found = parsed(&arena,
                                  S("links:\n"
                                    "- {from: n/a, to: n/b, verify: none}\n"
                                    "- {from: n/b, to: n/a}\n"
                                    "- {from: n/a, to: n/b, kind: signer}\n"),
                                  true);
    cluster_merge(&cluster, &found);
    cluster_merge(&cluster, &found);
    check_int(cluster.links.count, 3);
    check_str(cluster.links.items[0].verify, S("full"));
    check_str(cluster.links.items[1].from, S("n/b"));
    check_str(cluster.links.items[2].kind, S("signer"));
}

TEST(a_name_that_is_not_in_the_cluster_finds_nothing)
{
    AUTO(arena) struct arena arena = { 0 };
    struct cluster cluster = parsed(&arena, S("cluster: a\nnodes: {n: {}}\n"), false);
    check(cluster_node(&cluster, S("n")) == cluster.nodes.items);
    check(cluster_node(&cluster, S("N")) == NULL);
    check(node_store(cluster.nodes.items, S("x")) == NULL);
    check(node_service(cluster.nodes.items, S("x")) == NULL);
}

TEST(services_that_one_command_or_one_admin_socket_refreshes_are_one_process)
{
    AUTO(arena) struct arena arena = { 0 };
    struct cluster cluster = parsed(
        &arena,
        S("cluster: a\nnodes: {n: {services: {a: {refresh: [r, x]}, b: {refresh: [r], admin: /t}, "
          "c: {refresh: [r, x], admin: /s}, d: {}, e: {}, f: {admin: /s}, g: {admin: /u}}}}\n"),
        false);
    const struct node_conf *node = cluster.nodes.items;
    const struct service_conf *services = node->services.items;
    static const size_t first[] = { 0, 1, 0, 3, 4, 0, 6 };
    for (size_t i = 0; i < COUNT(first); i++)
        check(node_process(node, &services[i]) == &services[first[i]]);
}
