/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/compose.h"

#include "tests/test.h"

static str repeat(struct arena *arena, str head, str part, size_t count, str tail)
{
    struct buf buf = { 0 };
    buf_add(arena, &buf, head);
    for (size_t i = 0; i < count; i++)
        buf_add(arena, &buf, part);
    buf_add(arena, &buf, tail);
    return buf_str(&buf);
}

TEST(yaml_that_a_cluster_file_does_not_need_is_refused_with_its_line)
{
    // clang-format off
    static const struct { const char *text, *msg, *where; } cases[] = {
        { "", "the file is empty", "c.yaml:1" },
        { "# nothing\n", "the file is empty", "c.yaml:1" },
        { "a: 1\n---\nb: 2\n", "a second document begins here; one file is one cluster", "c.yaml:2" },
        { "x: 1\nb: 2\na: 3\nb: 4\n", "'b' is given twice, first on line 2", "c.yaml:4" },
        { "a:\n  - {k: 1, k: 2}\n", "'k' is given twice, first on line 2", "c.yaml:2" },
        { "a: \"x\\0y\"\n", "a value must not contain a NUL byte", "c.yaml:1" },
        { "\"x\\0y\": a\n", "a value must not contain a NUL byte", "c.yaml:1" },
        { "a: 1\nb: &x [1]\n", "anchors and aliases are not supported", "c.yaml:2" },
        { "a: &x {b: 1}\n", "anchors and aliases are not supported", "c.yaml:1" },
        { "a: 1\nb: *x\n", "anchors and aliases are not supported", "c.yaml:2" },
        { "? [a]\n: b\n", "a key must be a plain word", "c.yaml:1" },
    };
    // clang-format on
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(arena) struct arena arena = { 0 };
        AUTO(err) struct err err = { 0 };
        struct yaml *root = NULL;
        check_err(yaml_compose(&arena, "c.yaml", str_c(cases[i].text), &root, &err), &err,
                  cases[i].msg);
        check_str(str_c(err.where), str_c(cases[i].where));
    }
}

TEST(yaml_nests_as_deep_as_the_limit_and_no_deeper)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct yaml *root = NULL;
    str inner = repeat(&arena, S("x"), S("]"), YAML_DEPTH_MAX, S(""));
    str good = repeat(&arena, S(""), S("["), YAML_DEPTH_MAX, inner);
    check_ok(yaml_compose(&arena, "c.yaml", good, &root, &err), &err);
    check_int(root->kind, YAML_LIST);
    str deep = repeat(&arena, S(""), S("["), 1, str_printf(&arena, "%.*s]", STR_ARG(good)));
    check_err(yaml_compose(&arena, "c.yaml", deep, &root, &err), &err,
              "nested deeper than 32 levels");
}

TEST(yaml_has_as_many_values_as_the_limit_and_no_more)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct yaml *root = NULL;
    /* The list itself is a value. */
    str good = repeat(&arena, S("["), S("1,"), YAML_NODES_MAX - 1, S("]"));
    check_ok(yaml_compose(&arena, "c.yaml", good, &root, &err), &err);
    check_int(root->items.count, YAML_NODES_MAX - 1);
    str many = repeat(&arena, S("["), S("1,"), YAML_NODES_MAX, S("]"));
    check_err(yaml_compose(&arena, "c.yaml", many, &root, &err), &err, "more than 200000 values");
}

TEST(yaml_is_as_long_as_the_limit_and_no_longer)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct yaml *root = NULL;
    str longer = repeat(&arena, S("a: b"), S("\n"), YAML_TEXT_MAX - 3, S(""));
    check_err(yaml_compose(&arena, "c.yaml", longer, &root, &err), &err, "larger than 4 MiB");
    check_ok(yaml_compose(&arena, "c.yaml", (str){ longer.ptr, YAML_TEXT_MAX }, &root, &err), &err);
}

TEST(composed_yaml_keeps_texts_order_and_lines)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct yaml *root = NULL;
    check_ok(yaml_compose(&arena, "c.yaml", S("b: 007\na:\n- yes\n- ''\n"), &root, &err), &err);
    check_int(root->kind, YAML_MAP);
    check_int(root->items.count, 2);
    check_str(root->items.items[0].key, S("b"));
    check_str(root->items.items[0].value->text, S("007"));
    check_int(root->items.items[1].line, 2);
    const struct yaml *list = root->items.items[1].value;
    check_int(list->kind, YAML_LIST);
    check_str(list->items.items[0].value->text, S("yes"));
    check_int(list->items.items[1].line, 4);
    check_int(list->items.items[1].value->text.len, 0);
}
