/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/schema.h"

#include "base/clock.h"
#include "tests/test.h"

#include <string.h>

static bool fallback_parses(const struct field *field)
{
    int64_t seconds = 0;
    uint64_t number = 0;
    if (field->kind == FIELD_CHOICE)
        return choice_valid(field->choices, str_c(field->fallback));
    if (field->kind == FIELD_REACH)
        return str_eq(str_c(field->fallback), S("local"));
    if (field->kind == FIELD_DURATION)
        return clock_parse_duration(str_c(field->fallback), &seconds) && seconds > 0;
    if (field->kind == FIELD_NUMBER)
        return str_to_u64(str_c(field->fallback), field->max, &number);
    return false; /* the parser fills in no other kind */
}

static void check_row(const struct section *section, const struct field *field)
{
    if (field->doc == NULL || field->doc[0] == '\0')
        fail_msg("%s.%s has no documentation", section->name, field->key);
    if (field->fallback != NULL && !fallback_parses(field))
        fail_msg("%s.%s: bad default %s", section->name, field->key, field->fallback);
    if (field->fallback != NULL && field->required)
        fail_msg("%s.%s is required and has a default", section->name, field->key);
    if ((field->kind == FIELD_CHOICE) != (field->choices != NULL))
        fail_msg("%s.%s: choices and kind disagree", section->name, field->key);
    if ((field->kind >= FIELD_SECTION) != (field->section != NULL))
        fail_msg("%s.%s: section and kind disagree", section->name, field->key);
    if ((field->kind == FIELD_NUMBER) != (field->max > 0))
        fail_msg("%s.%s: limit and kind disagree", section->name, field->key);
    if (field->offset >= section->size)
        fail_msg("%s.%s lies outside its struct", section->name, field->key);
}

static size_t check_section(const struct section *section)
{
    size_t rows = section->count;
    for (size_t i = 0; i < section->count; i++) {
        const struct field *field = &section->fields[i];
        check_row(section, field);
        for (size_t k = 0; k < i; k++) {
            if (strcmp(section->fields[k].key, field->key) == 0)
                fail_msg("%s.%s is there twice", section->name, field->key);
            if (section->fields[k].offset == field->offset)
                fail_msg("%s.%s shares its member", section->name, field->key);
        }
        if (field->section != NULL)
            rows += check_section(field->section);
    }
    return rows;
}

TEST(every_row_of_the_cluster_schema_is_documented_unique_and_has_a_valid_default)
{
    check(check_section(&cluster_section) > 60);
}

TEST(a_choice_is_one_of_the_words_and_no_part_of_them)
{
    check(choice_valid("none|ca|full", S("none")));
    check(choice_valid("none|ca|full", S("full")));
    check(!choice_valid("none|ca|full", S("ful")));
    check(!choice_valid("none|ca|full", S("none|ca")));
    check(!choice_valid("none|ca|full", S("")));
}

static const struct field *field_of(const struct section *section, const char *key)
{
    for (size_t i = 0; i < section->count; i++)
        if (strcmp(section->fields[i].key, key) == 0)
            return &section->fields[i];
    fail_msg("no field %s", key);
    return NULL;
}

TEST(a_parsed_value_is_known_to_be_its_default_or_not)
{
    // clang-format off
    static const struct { const char *section, *key; bool is_default; } cases[] = {
        { "policy", "renew_before", true }, { "policy", "lifetime", false },
        { "policy", "key", true }, { "policy", "max_unavailable", false },
    };
    // clang-format on
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct cluster cluster;
    check_ok(cluster_parse(&arena, "/x/c.yaml",
                           S("cluster: a\n"
                             "policy: {lifetime: 60d, key: new, max_unavailable: 2}\n"),
                           false, &cluster, &err),
             &err);
    const struct section *policy = field_of(&cluster_section, "policy")->section;
    for (size_t i = 0; i < COUNT(cases); i++)
        check_int(field_is_default(&cluster.policy, field_of(policy, cases[i].key)),
                  cases[i].is_default);
    check(field_is_default(&cluster, field_of(&cluster_section, "issuer")));
    check(field_is_default(&cluster, field_of(&cluster_section, "nodes")));
    check(!field_is_default(&cluster, field_of(&cluster_section, "policy")));
    check(!field_is_default(&cluster, field_of(&cluster_section, "cluster")));
}

TEST(adding_to_a_list_by_its_row_is_seen_through_its_member)
{
    AUTO(arena) struct arena arena = { 0 };
    struct cluster cluster = { .arena = &arena };
    const struct field *nodes = field_of(&cluster_section, "nodes");
    for (size_t i = 0; i < 20; i++)
        ((struct node_conf *)field_add(&arena, &cluster, nodes))->port = i;
    check_int(cluster.nodes.count, 20);
    for (size_t i = 0; i < 20; i++)
        check_int(cluster.nodes.items[i].port, i);
    check(list_item(nodes, field_list(&cluster, nodes), 7) == &cluster.nodes.items[7]);
}

TEST(the_sections_of_the_schema_are_found_once_each_and_have_different_names)
{
    AUTO(arena) struct arena arena = { 0 };
    section_list sections = { 0 };
    schema_sections(&arena, &cluster_section, &sections);
    for (size_t i = 0; i < sections.count; i++)
        for (size_t k = 0; k < i; k++)
            check(strcmp(sections.items[i]->name, sections.items[k]->name) != 0);
    check(sections.items[0] == &cluster_section);
    check(sections.count >= 10);
}
