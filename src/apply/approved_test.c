/* SPDX-License-Identifier: Apache-2.0 */
/* Covers approved.c and preflight.c. */
#include "apply/approved.h"

#include "apply/preflight.h"
#include "tests/test.h"
#include "tests/world.h"

TEST(what_was_planned_is_read_back_from_its_document)
{
    AUTO(err) struct err err = { 0 };
    struct world world;
    world_make(&world, &(struct world_spec){ .nodes = 2 });
    struct cluster cluster = { .arena = &world.arena };
    struct survey survey = { .arena = &world.arena, .cluster = &cluster, .model = world.model };
    list_push(&world.arena, &survey.sources) = (struct seen_file){ S("/a.crt"), S("sha256:00") };
    struct planning planning = { .arena = &world.arena, .survey = &survey };
    planning.goal = (struct plan_goal){ .cluster = S("orders"),
                                        .now = PKI_NOW,
                                        .renew_before = 30 * PKI_DAY,
                                        .lifetime = 90 * PKI_DAY,
                                        .issuer = world.second_id,
                                        .max_unavailable = 1 };
    planning.options.keep_key = true;
    list_push(&world.arena, &planning.options.without) = S("db9");
    list_push(&world.arena, &planning.options.replaces) = S("sha256:01");
    judge_init(&survey.judge, &survey.model);
    plan_make(&world.arena, &survey.judge, &planning.goal, &planning.plan);
    check(planning.plan.steps.count > 10);
    struct approved approved;
    check_ok(approved_of(&planning, &approved, &err), &err);
    check_str(approved.cluster, S("orders"));
    check(approved.options.keep_key && !approved.options.renew_all);
    check_int(approved.options.without.count, 1);
    check_str(approved.options.without.items[0], S("db9"));
    check_int(approved.options.replaces.count, 1);
    check_str(approved.options.replaces.items[0], S("sha256:01"));
    check_int(approved.made_from.count, 1);
    check_str(approved.made_from.items[0].store, S("/a.crt"));
    check_str(approved.made_from.items[0].digest, S("sha256:00"));
    check_int(approved.steps.count, planning.plan.steps.count);
    for (size_t i = 0; i < approved.steps.count; i++) {
        const struct step *got = &approved.steps.items[i], *want = &planning.plan.steps.items[i];
        check_int(got->kind, want->kind);
        const str pairs[][2] = {
            {got->id,           want->id         },
            { got->node,        want->node       },
            { got->service,     want->service    },
            { got->store,       want->store      },
            { got->certificate, want->certificate},
            { got->expects,     want->expects    },
            { got->leaves,      want->leaves     },
            { got->text,        want->text       }
        };
        for (size_t k = 0; k < COUNT(pairs); k++)
            check_str(pairs[k][0], pairs[k][1]);
        check(approved_has(&approved, want->id));
    }
    check(!approved_has(&approved, S("0000000000000000")));
    world_free(&world);
}

TEST(a_document_that_is_no_plan_is_refused)
{
    static const struct {
        const char *text;
        enum err_kind want;
    } cases[] = {
        {"{\"cluster\":\"a\",\"steps\":[],\"proof\":{}}",                              ERR_NONE  },
        { "",                                                                          ERR_FORMAT},
        { "[]",                                                                        ERR_FORMAT},
        { "{\"cluster\":\"a\",\"steps\":[]}",                                          ERR_FORMAT},
        { "{\"cluster\":\"a\",\"steps\":{},\"proof\":{}}",                             ERR_FORMAT},
        { "{\"steps\":[],\"proof\":{}}",                                               ERR_FORMAT},
        { "{\"cluster\":\"a\",\"cluster\":\"b\",\"steps\":[],\"proof\":{}}",           ERR_FORMAT},
        { "{\"cluster\":\"a\",\"steps\":[{}],\"proof\":{}}",                           ERR_FORMAT},
        { "{\"cluster\":\"a\",\"steps\":[7],\"proof\":{}}",                            ERR_FORMAT},
        { "{\"cluster\":\"a\",\"steps\":[{\"id\":\"1\",\"node\":\"n\",\"kind\":"
          "\"run\"}],\"proof\":{}}",                                          ERR_FORMAT},
        { "{\"cluster\":\"a\",\"steps\":[],\"proof\":{},\"options\":{\"without\":7}}", ERR_FORMAT},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(arena) struct arena arena = { 0 };
        AUTO(err) struct err err = { 0 };
        struct approved approved;
        (void)!approved_parse(&arena, str_c(cases[i].text), &approved, &err);
        if (err.kind != cases[i].want)
            fail_msg("case %zu: %s", i, err_kind_name(err.kind));
    }
}

TEST(a_node_that_did_not_answer_or_a_store_that_cannot_be_read_stops_a_plan_and_a_date_does_not)
{
    static const struct {
        enum finding_code code;
        enum err_kind want;
    } cases[] = {
        {FINDING_node_unreachable,         ERR_REFUSED},
        { FINDING_keystore_unreadable,     ERR_REFUSED},
        { FINDING_keystore_password_wrong, ERR_REFUSED},
        { FINDING_clock_skew,              ERR_NONE   },
        { FINDING_expiring,                ERR_NONE   },
        { FINDING_undeclared_peer,         ERR_NONE   },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(arena) struct arena arena = { 0 };
        AUTO(err) struct err err = { 0 };
        struct survey survey = { .arena = &arena };
        finding_add(&arena, &survey.findings, FINDING_expiring, S("db1/server"), S("soon"));
        finding_add(&arena, &survey.findings, cases[i].code, S("db2"), S("no"))->next = S("try x");
        (void)!preflight_survey(&survey, &err);
        check_int(err.kind, cases[i].want);
        if (err.kind == ERR_NONE)
            continue;
        assert_string_equal(err.msg, "db2: no");
        assert_string_equal(err.next, "try x");
    }
}

TEST(a_clock_that_is_off_stops_a_plan_that_would_issue_before_anything_else_is_looked_at)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct cluster cluster = { .arena = &arena };
    struct survey survey = { .arena = &arena, .cluster = &cluster };
    struct planning_options options = { 0 };
    struct planning planning;
    check_ok(preflight_clocks(&survey, &err), &err);
    finding_add(&arena, &survey.findings, FINDING_clock_skew, S("db2"), S("off"))->next = S("see");
    check(!planning_make(&arena, &survey, &options, &planning, &err));
    check_int(err.kind, ERR_REFUSED);
    assert_string_equal(err.msg, "db2: off");
    assert_string_equal(err.next, "see");
}
