/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/cluster.h"

#include "tests/test.h"

#include <string.h>

TEST(a_bad_cluster_file_is_refused_with_its_line_and_what_was_meant)
{
    // clang-format off
    static const struct { const char *text, *msg, *where; } cases[] = {
        { "", "the file is empty", "/x/c.yaml:1" },
        { "cluster: a\ncluster: b\n", "'cluster' is given twice, first on line 1", "/x/c.yaml:2" },
        { "cluster: a\nnodse: {}\n", "a cluster has no key 'nodse'; did you mean 'nodes'?", "/x/c.yaml:2" },
        { "cluster: &a b\n", "anchors and aliases are not supported", "/x/c.yaml:1" },
        { "cluster: a\nnodes:\n  n: {reach: ssh}\n", "'reach' is local or ssh://[USER@]HOST[:PORT], not 'ssh'", "/x/c.yaml:3" },
        { "cluster: a\nnodes:\n  n:\n    reach: ssh://-x\n", "'reach' is local or ssh://[USER@]HOST[:PORT], not 'ssh://-x'", "/x/c.yaml:4" },
        { "cluster: a\nnodes:\n  n:\n    data: d\n    reach: ssh://h\n", "'data' is a path at a node that is reached over ssh: absolute, not 'd'", "/x/c.yaml:4" },
        { "cluster: a\nnodes:\n  n: {reach: ssh://h, stores: {s: {password: {file: p}}}}\n", "'file' is a path at a node that is reached over ssh: absolute, not 'p'", "/x/c.yaml:3" },
        { "cluster: a\nnodes:\n  n: {program: [x]}\n", "'program' of node 'n' is for a node that is reached over ssh", "/x/c.yaml:3" },
        { "cluster: a\nnodes:\n  n: {port: 70000}\n", "'port' is a number from 0 to 65535, not '70000'", "/x/c.yaml:3" },
        { "cluster: a\npolicy: {renew_before: soon}\n", "'renew_before' is a duration such as 30d or 12h, not 'soon'", "/x/c.yaml:2" },
        { "nodes: {}\n", "a cluster needs 'cluster'", "/x/c.yaml:1" },
        { "cluster: a\nlinks:\n- {from: n/s, to: m/s}\n", "link to 'n/s': there is no node 'n'", "/x/c.yaml:3" },
    };
    // clang-format on
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(arena) struct arena arena = { 0 };
        AUTO(err) struct err err = { 0 };
        struct cluster cluster;
        check(!cluster_parse(&arena, "/x/c.yaml", str_c(cases[i].text), false, &cluster, &err));
        check_str(str_c(err.msg), str_c(cases[i].msg));
        check_str(str_c(err.where), str_c(cases[i].where));
    }
}

TEST(a_cluster_file_is_read_by_its_schema_with_absolute_paths)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct cluster cluster;
    check(cluster_parse(&arena, "/x/c.yaml",
                        S("cluster: no\n"
                          "nodes:\n"
                          "  db1:\n"
                          "    stores: {server: {certificate: a.crt, key: /k}}\n"
                          "    services: {pg: {listen: '127.0.0.1:5441',"
                          " identities: [{store: server}]}}\n"
                          "links: [{from: db1/pg, to: db1/pg, verify: full}]\n"),
                        false, &cluster, &err));
    check_str(cluster.name, S("no"));
    check_int(cluster.policy.renew_before, 30 * 86400);
    struct node_conf *node = cluster_node(&cluster, S("db1"));
    check(node != NULL);
    struct store_conf *store = node_store(node, S("server"));
    check(store != NULL);
    check_str(store->certificate, S("/x/a.crt"));
    check_str(store->key, S("/k"));
    check_int(store->password.descriptor, -1);
    check_int(store->line, 4);
    check_str(cluster.links.items[0].kind, S("connect"));
}

TEST(only_the_paths_of_a_node_over_ssh_are_not_relative_to_the_file)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct cluster cluster;
    str text = S("cluster: a\n"
                 "ssh_config: ssh.conf\n"
                 "issuer:\n"
                 "  certificate: ca.pem\n"
                 "  key: ca.key\n"
                 "nodes:\n"
                 "  far:\n"
                 "    reach: ssh://root@h:22\n"
                 "    program: [sudo, reseal]\n"
                 "    data: /x/d\n"
                 "  near:\n"
                 "    data: d\n");
    check_ok(cluster_parse(&arena, "/x/c.yaml", text, false, &cluster, &err), &err);
    check_str(cluster.ssh_config, S("/x/ssh.conf"));
    check_str(cluster.issuer.key, S("/x/ca.key"));
    check_str(cluster.nodes.items[0].data, S("/x/d"));
    check_str(cluster.nodes.items[0].program.items[1], S("reseal"));
    check_str(cluster.nodes.items[1].data, S("/x/d"));
    check_str(cluster.nodes.items[1].reach, S("local"));
    str written = cluster_format(&arena, &cluster);
    check(str_find(written, S("ssh_config: ssh.conf\n")) < written.len);
    check(str_find(written, S("    data: /x/d\n  near:\n    data: d\n")) < written.len);
}

TEST(a_declared_value_wins_over_a_discovered_one)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct cluster cluster, found;
    check(cluster_parse(&arena, "/x/c.yaml",
                        S("cluster: a\nnodes: {n: {system: postgresql, port: 1}}"), false, &cluster,
                        &err));
    check(cluster_parse(&arena, "/x/c.yaml",
                        S("nodes: {n: {port: 2, run_as: pg, services: {s: {role: primary}}}}"),
                        true, &found, &err));
    cluster_merge(&cluster, &found);
    check_int(cluster.nodes.count, 1);
    check_int(cluster.nodes.items[0].port, 1);
    check_str(cluster.nodes.items[0].run_as, S("pg"));
    check(node_service(&cluster.nodes.items[0], S("s")) != NULL);
}

TEST(a_file_is_as_long_as_its_limit_and_what_a_node_says_is_as_long_as_its_own)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct cluster cluster;
    char *text = arena_alloc(&arena, CLUSTER_FRAGMENT_MAX + 2, 1);
    memset(text, '\n', CLUSTER_FRAGMENT_MAX + 1);
    memcpy(text, "cluster: a", 10);
    str longer = { text, CLUSTER_FRAGMENT_MAX + 1 }, longest = { text, CLUSTER_FRAGMENT_MAX };
    check_ok(cluster_parse(&arena, "/x/c.yaml", longer, false, &cluster, &err), &err);
    check_ok(cluster_parse(&arena, "/x/c.yaml", longest, true, &cluster, &err), &err);
    check_err(cluster_parse(&arena, "/x/c.yaml", longer, true, &cluster, &err), &err,
              "larger than 4 MiB");
}

/* 20 bytes of names for each link, whose text the file has again and again. */
TEST(a_long_file_of_links_is_read_with_each_name_kept_once)
{
    AUTO(arena) struct arena arena = { 0 }, texts = { 0 };
    AUTO(err) struct err err = { 0 };
    struct cluster cluster;
    struct buf text = { 0 };
    buf_printf(&texts, &text, "cluster: a\nnodes: {n: {services: {s: {}, t: {}}}}\nlinks:\n");
    for (size_t i = 0; i < 150000; i++)
        buf_printf(&texts, &text, "- {from: n/s, to: n/t, user: u%zu}\n", i % 100);
    check_ok(cluster_parse(&arena, "/x/c.yaml", buf_str(&text), false, &cluster, &err), &err);
    check_int(cluster.links.count, 150000);
    check_str(cluster.links.items[149999].user, S("u99"));
    check_int(cluster.links.items[149999].line, 150003);
    check(cluster.links.items[0].from.ptr == cluster.links.items[149999].from.ptr);
    check(cluster.links.items[0].user.ptr == cluster.links.items[100].user.ptr);
}
