/* SPDX-License-Identifier: Apache-2.0 */
/* Covers order.c where certificates come from elsewhere, in their own time. */
#include "plan/order_test.h"

/* The chain that came for the first issue step of `plan`, made as `spec` says. */
static struct plan_known came_for(struct world *world, const struct plan *plan,
                                  const struct pki *sub, struct pki_spec spec)
{
    const struct step *issue = NULL;
    for (size_t i = 0; i < plan->steps.count && issue == NULL; i++)
        if (plan->steps.items[i].kind == STEP_issue)
            issue = &plan->steps.items[i];
    check(issue != NULL);
    spec.name = spec.name == NULL ? str_cstr(&world->arena, issue->node) : spec.name;
    spec.san = str_printf(&world->arena, "DNS:%s", spec.name).ptr;
    spec.issuer = sub == NULL ? &world->root : sub;
    struct pki leaf = pki_make(&world->arena, &spec);
    uint32_t chain[2] = { model_cert(&world->model, &leaf.cert) };
    if (sub != NULL)
        chain[1] = model_cert(&world->model, &sub->cert);
    return (struct plan_known){ issue->id, model_chain(&world->model, chain, sub == NULL ? 1 : 2) };
}

TEST(the_proof_is_about_the_certificate_that_came_and_the_steps_stay_the_same)
{
    struct world world;
    struct plan plan, with;
    world_make(&world, &(struct world_spec){ 0 });
    struct pki sub = pki_make(
        &world.arena, &(struct pki_spec){ .name = "Sub", .ca = true, .issuer = &world.root });
    struct plan_goal goal = goal_of(&world, world.root_id);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    const struct {
        const struct pki *sub;
        struct pki_spec spec;
        bool proven;
    } cases[] = {
        {NULL,  { .extended_key_usage = "serverAuth" },                            true },
        { &sub, { 0 },                                                             true },
        { NULL, { .extended_key_usage = "clientAuth" },                            false},
        { NULL, { .name = "elsewhere" },                                           false},
        { NULL, { .not_before = PKI_NOW - 9 * PKI_DAY, .not_after = PKI_NOW - 1 }, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        goal.known.count = 0;
        list_push(&world.arena, &goal.known) = came_for(&world, &plan, cases[i].sub, cases[i].spec);
        plan_make(&world.arena, &world.judge, &goal, &with);
        check_int(with.proven, cases[i].proven);
        check_int(with.steps.count, plan.steps.count);
        for (size_t k = 0; k < plan.steps.count; k++) {
            check_str(with.steps.items[k].id, plan.steps.items[k].id);
            check_str(with.steps.items[k].certificate, plan.steps.items[k].certificate);
        }
    }
    world_free(&world);
}

TEST(a_certificate_that_came_and_is_in_use_is_not_asked_for_again_whatever_its_date)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .leaf_end = PKI_NOW + 80 * PKI_DAY });
    struct plan_goal goal = goal_of(&world, world.root_id);
    goal.renew_all = true;
    goal.since = PKI_NOW;
    for (uint32_t i = 0; i < world.model.identities.count; i++)
        list_push(&world.arena, &goal.replaces) = plan_replaced(&world.model, i);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check_int(count_kind(&plan, STEP_issue), 6);
    struct plan_known known =
        came_for(&world, &plan, NULL, (struct pki_spec){ .not_before = PKI_NOW - 30 * PKI_DAY });
    list_push(&world.arena, &goal.known) = known;
    for (uint32_t i = 0; i < world.model.identities.count; i++)
        if (str_eq(world.model.identities.items[i].key, S("db1/postgres:server")))
            world.model.identities.items[i].stored = world.model.identities.items[i].loaded =
                known.chain;
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check_int(count_kind(&plan, STEP_issue), 5);
    check_str(plan.steps.items[0].node, S("db2"));
    world_free(&world);
}

TEST(what_is_due_is_what_was_due_when_the_renewal_was_begun)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .leaf_end = PKI_NOW + 40 * PKI_DAY });
    struct plan_goal goal = goal_of(&world, world.root_id);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check_int(plan.steps.count, 0);
    goal.now += 11 * PKI_DAY;
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check_int(count_kind(&plan, STEP_issue), 6);
    goal.since = PKI_NOW;
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check_int(plan.steps.count, 0);
    world_free(&world);
}

/* Its root alone is declared; what came is signed by an intermediate below it. */
TEST(a_certificate_from_below_the_issuer_is_the_issuers_too)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .leaf_end = PKI_NOW + 80 * PKI_DAY });
    struct plan_goal goal = goal_of(&world, world.second_id);
    struct pki sub = pki_make(
        &world.arena, &(struct pki_spec){ .name = "Sub", .ca = true, .issuer = &world.second });
    goal.replace_others = true;
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check_int(count_kind(&plan, STEP_issue), 6);
    struct plan_known known = came_for(&world, &plan, &sub, (struct pki_spec){ 0 });
    world.model.identities.items[0].stored = world.model.identities.items[0].loaded = known.chain;
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check_int(count_kind(&plan, STEP_issue), 5);
    world_free(&world);
}
