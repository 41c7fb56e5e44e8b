/* SPDX-License-Identifier: Apache-2.0 */
#include "survey/index.h"

#include "tests/test.h"

TEST(what_was_seen_is_found_by_its_nodes_and_its_own_name)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct cluster cluster;
    struct survey survey = { .arena = &arena, .cluster = &cluster };
    const char *text = "nodes:\n"
                       "  a:\n"
                       "    stores: {one: {certificate: /1}, two: {certificate: /2}}\n"
                       "    services:\n"
                       "      s: {identities: [{store: one}, {store: one, sni: x}]}\n"
                       "      t: {identities: [{store: two}]}\n"
                       "      u: {identities: [{store: two}]}\n"
                       "  b: {stores: {one: {certificate: /1}}}\n"
                       "pins: {a/s: [{cert: \"sha256:"
                       "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}]}\n";
    check_ok(cluster_parse(&arena, "/c.yaml", str_c(text), true, &cluster, &err), &err);
    for (size_t i = 0; i < 2; i++) {
        struct seen_node seen = { .reached = true };
        list_push(&arena, &seen.stores) = (struct seen_store){ .name = S("one"), .trust = i == 1 };
        list_push(&arena, &survey.nodes) = seen;
    }
    struct survey_index *index = survey_index(&survey);
    check(survey_index(&survey) == index);
    check(!index_seen_store(index, S("a"), S("one"))->trust);
    check(index_seen_store(index, S("b"), S("one"))->trust);
    check(index_seen_store(index, S("a"), S("two")) == NULL);
    check(map_get(&index->pinned, S("a/s")) != MAP_NONE);
    check(map_get(&index->pinned, S("a/t")) == MAP_NONE);
    /* One service may name a store twice; a client may connect with what another service names. */
    check(!index_is_shared(index, S("a"), S("s"), S("one")));
    check(index_is_shared(index, S("a"), S("t"), S("one")));
    check(index_is_shared(index, S("a"), S("t"), S("two")));
    check(!index_is_shared(index, S("b"), S("t"), S("two")));
    check_int(index_file(index, S("a"), S("/f"), NO_ID), NO_ID);
    check_int(index_file(index, S("a"), S("/f"), 7), 7);
    check_int(index_file(index, S("a"), S("/f"), 8), 7);
    check_int(index_file(index, S("b"), S("/f"), NO_ID), NO_ID);
}
