/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/planning.h"

#include "base/sink.h"
#include "tests/test.h"

/* What is printed of a plan of two steps that refuse these links meanwhile. */
static str printed(struct arena *arena, str_list first, str_list second)
{
    AUTO(sink) struct sink sink = { 0 };
    AUTO(err) struct err err = { 0 };
    struct survey survey = { .arena = arena };
    struct planning planning = { .arena = arena, .survey = &survey };
    check_ok(sink_open(&sink, &err), &err);
    struct cmd cmd = { .arena = { 0 }, .program = "reseal", .out = sink.file, .width = 100 };
    model_init(&survey.model, arena);
    judge_init(&survey.judge, &survey.model);
    planning.plan.cluster = S("c");
    planning.plan.proven = true;
    list_push(arena, &planning.plan.steps) = (struct step){ .kind = STEP_switch, .refused = first };
    list_push(arena, &planning.plan.steps) =
        (struct step){ .kind = STEP_refresh, .refused = second };
    planning_print(&cmd, &planning, NULL);
    arena_free(&cmd.arena);
    return str_copy(arena, sink_text(&sink));
}

TEST(the_proof_says_how_many_links_are_declared_as_an_outage_and_names_each_once)
{
    AUTO(arena) struct arena arena = { 0 };
    str_list one = { 0 }, two = { 0 };
    str_list_add(&arena, &one, S("a/x->b/y"));
    str_list_add(&arena, &two, S("a/x->b/y"));
    check_str(
        printed(&arena, one, two),
        S("c: 2 steps in 0 waves\n\n\nproof: no working link breaks in 0 judged states, besides "
          "the 1 link that the plan declares as an outage; 0 links do not work at the end\n"
          "  refused meanwhile: a/x->b/y\n"));
    for (int i = 0; i < 14; i++)
        str_list_add(&arena, &two, str_printf(&arena, "c/%d->b/y", i));
    str text = printed(&arena, one, two);
    check(str_find(text, S("besides the 15 links that")) < text.len);
    check(str_ends(text, S("  refused meanwhile: c/10->b/y\n  and 3 more (--json shows all)\n")));
}
