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
        check_err(yaml_compose(&arena, "c.yaml", str_c(cases[i].text), NULL, &root, &err), &err,
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
    check_ok(yaml_compose(&arena, "c.yaml", good, NULL, &root, &err), &err);
    check_int(root->kind, YAML_LIST);
    str deep = repeat(&arena, S(""), S("["), 1, str_printf(&arena, "%.*s]", STR_ARG(good)));
    check_err(yaml_compose(&arena, "c.yaml", deep, NULL, &root, &err), &err,
              "nested deeper than 32 levels");
}

TEST(yaml_has_as_many_values_as_the_limit_and_no_more)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct yaml *root = NULL;
    /* The list itself is a value. */
    str good = repeat(&arena, S("["), S("1,"), YAML_VALUES_MAX - 1, S("]"));
    check_ok(yaml_compose(&arena, "c.yaml", good, NULL, &root, &err), &err);
    check_int(root->items.count, YAML_VALUES_MAX - 1);
    str many = repeat(&arena, S("["), S("1,"), YAML_VALUES_MAX, S("]"));
    check_err(yaml_compose(&arena, "c.yaml", many, NULL, &root, &err), &err,
              "more than a million values in one section");
}

TEST(composed_yaml_keeps_texts_order_and_lines)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct yaml *root = NULL;
    check_ok(yaml_compose(&arena, "c.yaml", S("b: 007\na:\n- yes\n- ''\n"), NULL, &root, &err),
             &err);
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

/* ---- items taken one at a time ---- */

struct trace {
    struct arena arena;
    struct buf text;
};
DEFINE_AUTO(trace, struct trace, arena_free(&handle->arena))

static bool wants(void *context, str key, enum yaml_kind kind)
{
    struct trace *trace = context;
    buf_printf(&trace->arena, &trace->text, "%.*s? ", STR_ARG(key));
    return str_eq(key, S("many")) || (str_eq(key, S("list")) && kind == YAML_LIST);
}

static bool take(void *context, str key, const struct yaml_item *item, struct err *err)
{
    struct trace *trace = context;
    buf_printf(&trace->arena, &trace->text, "%.*s[%.*s]:%d ", STR_ARG(key), STR_ARG(item->key),
               item->line);
    if (item->value->kind == YAML_SCALAR && str_eq(item->value->text, S("stop")))
        return err_set(err, ERR_FORMAT, "stopped");
    return true;
}

static bool compose_taken(struct trace *trace, str text, struct yaml **ret_root, struct err *err)
{
    const struct yaml_taker taker = { trace, wants, take };
    buf_add(&trace->arena, &trace->text, S(""));
    return yaml_compose(&trace->arena, "c.yaml", text, &taker, ret_root, err);
}

TEST(items_below_the_root_are_taken_one_at_a_time_and_are_not_in_the_tree)
{
    AUTO(trace) struct trace trace = { 0 };
    AUTO(err) struct err err = { 0 };
    struct yaml *root = NULL;
    str text = S("a: {many: [1]}\nmany:\n  x: 1\n  y: {many: {k: 1}}\nlist: {no: 1}\nz: 2\n");
    check_ok(compose_taken(&trace, text, &root, &err), &err);
    check_str(buf_str(&trace.text), S("a? many? many[x]:3 many[y]:4 list? "));
    check_int(root->items.count, 4);
    check_int(root->items.items[1].value->kind, YAML_MAP);
    check_int(root->items.items[1].value->items.count, 0);
    check_int(root->items.items[2].value->items.count, 1);
    check_str(root->items.items[3].value->text, S("2"));
}

TEST(taken_items_are_held_to_the_same_rules)
{
    // clang-format off
    static const struct { const char *text, *msg, *where; } cases[] = {
        { "many:\n  x: 1\n  y: 2\n  x: 3\n", "'x' is given twice, first on line 2", "c.yaml:4" },
        { "many: {x: 1, x: 2}\n", "'x' is given twice, first on line 1", "c.yaml:1" },
        { "many:\n  x: &a 1\n", "anchors and aliases are not supported", "c.yaml:2" },
        { "many: &a [1]\n", "anchors and aliases are not supported", "c.yaml:1" },
        { "many: [1]\nmany: [2]\n", "'many' is given twice, first on line 1", "c.yaml:2" },
    };
    // clang-format on
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(trace) struct trace trace = { 0 };
        AUTO(err) struct err err = { 0 };
        struct yaml *root = NULL;
        check_err(compose_taken(&trace, str_c(cases[i].text), &root, &err), &err, cases[i].msg);
        check_str(str_c(err.where), str_c(cases[i].where));
    }
}

TEST(an_item_that_is_refused_ends_the_reading)
{
    AUTO(trace) struct trace trace = { 0 };
    AUTO(err) struct err err = { 0 };
    struct yaml *root = NULL;
    check_err(compose_taken(&trace, S("list: [go, stop, more]\n"), &root, &err), &err, "stopped");
    check_str(buf_str(&trace.text), S("list? list[]:1 list[]:1 "));
}

TEST(the_bound_on_values_is_for_each_item_that_is_taken)
{
    AUTO(trace) struct trace trace = { 0 };
    AUTO(err) struct err err = { 0 };
    struct yaml *root = NULL;
    /* An item with the values that were read before it: root, key, list, and the item's own list.
     */
    str item = repeat(&trace.arena, S("["), S("1,"), YAML_VALUES_MAX - 4, S("]"));
    str text = str_printf(&trace.arena, "list:\n- %.*s\n- %.*s\n", STR_ARG(item), STR_ARG(item));
    check_ok(compose_taken(&trace, text, &root, &err), &err);
    text = str_printf(&trace.arena, "a: 1\nlist:\n- %.*s\n", STR_ARG(item));
    check_err(compose_taken(&trace, text, &root, &err), &err,
              "more than a million values in one section");
}
