/* SPDX-License-Identifier: Apache-2.0 */
/* Covers order.c and order_rules.c. */
#include "plan/plan.h"

#include "tests/test.h"
#include "tests/world.h"

static struct plan_goal goal_of(const struct world *world, uint32_t issuer)
{
    (void)world;
    return (struct plan_goal){ .cluster = S("test"),
                               .now = PKI_NOW,
                               .renew_before = 30 * PKI_DAY,
                               .lifetime = 90 * PKI_DAY,
                               .issuer = issuer,
                               .max_unavailable = 1 };
}

/* "wave: kind node/service:store; …" for comparing a whole plan. */
static str outline(struct arena *arena, const struct plan *plan)
{
    struct buf out = { 0 };
    buf_add(arena, &out, S(""));
    for (size_t i = 0; i < plan->waves.count; i++) {
        const struct wave *wave = &plan->waves.items[i];
        for (size_t j = 0; j < wave->steps.count; j++) {
            const struct step *step = &plan->steps.items[wave->steps.items[j]];
            buf_printf(arena, &out, "%s%s %.*s/%.*s", j == 0 ? "" : ", ",
                       step_kind_name(step->kind), STR_ARG(step->node),
                       STR_ARG(step->store.len > 0 ? step->store : step->service));
        }
        buf_add(arena, &out, S("\n"));
    }
    return buf_str(&out);
}

static size_t count_kind(const struct plan *plan, enum step_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->steps.count; i++)
        count += plan->steps.items[i].kind == kind;
    return count;
}

TEST(an_expiring_cluster_is_renewed_replicas_first_and_the_primary_last)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2 });
    struct plan_goal goal = goal_of(&world, world.root_id);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check_str(outline(&world.arena, &plan),
              S("snapshot db1/server, snapshot db2/server, snapshot db2/client, "
                "snapshot app/client\n"
                "issue db1/server, issue db2/server, issue db2/client, issue app/client\n"
                "install db2/server, install db2/client\n"
                "switch db2/server, switch db2/client\n"
                "refresh db2/postgres\n"
                "install app/client\n"
                "switch app/client\n"
                "install db1/server\n"
                "switch db1/server\n"
                "refresh db1/postgres\n"
                "verify db2/postgres, verify app/app, verify db1/postgres\n"));
    check(plan.proven);
    check_int(plan.unrepaired.count, 0);
    world_free(&world);
}

TEST(a_second_issuers_root_is_trusted_and_loaded_everywhere_before_an_identity_needs_it)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ 0 });
    struct plan_goal goal = goal_of(&world, world.second_id);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check_int(count_kind(&plan, STEP_trust), 4);
    check(plan.proven);
    check_int(plan.unrepaired.count, 0);
    size_t first_switch = 0, last_trust_load = 0;
    for (size_t i = 0; i < plan.steps.count; i++) {
        const struct step *step = &plan.steps.items[i];
        if (step->kind == STEP_switch && first_switch == 0)
            first_switch = i;
        if (step->kind == STEP_refresh && str_eq(step->leaves, S("trust loaded")))
            last_trust_load = i;
    }
    check(last_trust_load > 0 && last_trust_load < first_switch);
    world_free(&world);
}

TEST(an_expired_cluster_is_repaired_though_no_link_works_at_the_start)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .leaf_end = PKI_NOW - PKI_DAY });
    struct plan_goal goal = goal_of(&world, world.root_id);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check_int(count_kind(&plan, STEP_issue), 6);
    check(plan.proven);
    check_int(plan.unrepaired.count, 0);
    world_free(&world);
}

TEST(what_is_renewed_but_not_loaded_only_needs_loading)
{
    struct world world;
    struct plan plan;
    world_make(&world,
               &(struct world_spec){ .leaf_end = PKI_NOW + 80 * PKI_DAY, .half_renewed = 3 });
    struct plan_goal goal = goal_of(&world, world.root_id);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check_str(outline(&world.arena, &plan), S("refresh db3/postgres\nverify db3/postgres\n"));
    world_free(&world);
}

TEST(a_healthy_cluster_needs_no_step)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .leaf_end = PKI_NOW + 80 * PKI_DAY });
    struct plan_goal goal = goal_of(&world, world.root_id);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check_int(plan.steps.count, 0);
    check(plan.proven);
    world_free(&world);
}

TEST(without_a_reference_to_switch_the_key_is_kept_and_the_certificate_takes_the_old_ones_place)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .in_place = true });
    struct plan_goal goal = goal_of(&world, world.root_id);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check_int(count_kind(&plan, STEP_switch), 0);
    for (size_t i = 0; i < plan.steps.count; i++)
        if (plan.steps.items[i].kind == STEP_issue)
            check(str_ends(plan.steps.items[i].leaves, S("the same key")));
    check(plan.proven);
    check_int(plan.unrepaired.count, 0);
    world_free(&world);
}

TEST(a_renewal_of_everything_that_goes_on_leaves_alone_what_it_has_renewed)
{
    struct world world;
    struct plan plan;
    world_make(&world,
               &(struct world_spec){ .leaf_end = PKI_NOW + 80 * PKI_DAY, .half_renewed = 2 });
    struct plan_goal goal = goal_of(&world, world.root_id);
    goal.renew_all = true;
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check_int(count_kind(&plan, STEP_issue), 6);
    goal.since = PKI_NOW - PKI_DAY + 300; /* every certificate of this world was made then */
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check_int(count_kind(&plan, STEP_issue), 0);
    check_int(count_kind(&plan, STEP_refresh), 1); /* db2 has not loaded what it has */
    goal.since += 1;
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check_int(count_kind(&plan, STEP_issue), 6);
    world_free(&world);
}

TEST(a_key_that_is_not_the_certificates_is_not_kept)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ 0 });
    world.model.identities.items[0].key_mismatch = true;
    struct plan_goal goal = goal_of(&world, world.root_id);
    goal.keep_key = true;
    plan_make(&world.arena, &world.judge, &goal, &plan);
    for (size_t i = 0; i < plan.steps.count; i++)
        if (plan.steps.items[i].kind == STEP_issue)
            check_int(plan.steps.items[i].new_key, plan.steps.items[i].identity == 0);
    world_free(&world);
}

TEST(the_same_step_has_the_same_id_whenever_it_is_planned)
{
    struct world world;
    struct plan first, second;
    world_make(&world, &(struct world_spec){ 0 });
    struct plan_goal goal = goal_of(&world, world.root_id);
    plan_make(&world.arena, &world.judge, &goal, &first);
    goal.now += 3600;
    plan_make(&world.arena, &world.judge, &goal, &second);
    check_int(first.steps.count, second.steps.count);
    for (size_t i = 0; i < first.steps.count; i++) {
        check_str(first.steps.items[i].id, second.steps.items[i].id);
        for (size_t j = 0; j < i; j++)
            check(!str_eq(first.steps.items[i].id, first.steps.items[j].id));
    }
    world_free(&world);
}

TEST(an_anchor_that_is_loaded_but_not_stored_is_loaded_again_once_it_is_stored)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ 0 });
    uint32_t both[] = { world.root_id, world.second_id };
    for (size_t i = 0; i < world.model.trusters.count; i++)
        world.model.trusters.items[i].loaded = model_anchors(&world.model, both, 2);
    struct plan_goal goal = goal_of(&world, world.second_id);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    size_t loads = 0;
    for (size_t i = 0; i < plan.steps.count; i++)
        loads += str_eq(plan.steps.items[i].leaves, S("trust loaded"));
    check_int(loads, 3);
    check(plan.proven);
    world_free(&world);
}
