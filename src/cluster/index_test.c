/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/index.h"

#include "tests/test.h"

static struct cluster parse(struct arena *arena, str text)
{
    AUTO(err) struct err err = { 0 };
    struct cluster cluster;
    check_ok(cluster_parse(arena, "/x/c.yaml", text, true, &cluster, &err), &err);
    return cluster;
}

TEST(what_a_cluster_has_is_found_by_the_names_of_its_node_and_its_own)
{
    AUTO(arena) struct arena arena = { 0 };
    struct cluster_index index;
    struct cluster cluster = parse(
        &arena, S("nodes:\n"
                  "  a: {services: {s: {role: primary}, t: {}}, stores: {s: {certificate: /1}}}\n"
                  "  b: {services: {s: {role: replica}}, stores: {s: {certificate: /2}}}\n"));
    cluster_index(&arena, &cluster, &index);
    check(index_node(&index, S("b")) == &cluster.nodes.items[1]);
    check_str(index_service(&index, S("a"), S("s"))->role, S("primary"));
    check_str(index_service(&index, S("b"), S("s"))->role, S("replica"));
    check_str(index_store(&index, S("b"), S("s"))->certificate, S("/2"));
    check(index_node(&index, S("c")) == NULL);
    check(index_service(&index, S("b"), S("t")) == NULL);
    check(index_service(&index, S(""), S("s")) == NULL);
    check(index_store(&index, S("a"), S("t")) == NULL);
}

TEST(an_index_holds_a_thousand_nodes_and_names_longer_than_any_file_has)
{
    AUTO(arena) struct arena arena = { 0 };
    struct cluster_index index;
    struct cluster cluster = { .arena = &arena };
    char longest[600];
    for (size_t i = 0; i < sizeof(longest); i++)
        longest[i] = 'x';
    for (size_t i = 0; i < 1000; i++) {
        struct node_conf node = { .name = str_printf(&arena, "n%zu", i) };
        list_push(&arena, &node.services) = (struct service_conf){
            .name = {longest, sizeof(longest)},
              .line = (int)i
        };
        list_push(&arena, &cluster.nodes) = node;
    }
    cluster_index(&arena, &cluster, &index);
    for (size_t i = 0; i < 1000; i++) {
        str name = cluster.nodes.items[i].name;
        check(index_node(&index, name) == &cluster.nodes.items[i]);
        check_int(index_service(&index, name, (str){ longest, sizeof(longest) })->line, i);
    }
}
