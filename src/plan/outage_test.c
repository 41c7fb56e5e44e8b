/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/order_test.h"

/* Two roots of one name without key identifiers: who looks for the issuer of a certificate takes
   the first of that name in its store, whichever key it has. So there is a moment in every change
   from one to the other in which somebody is refused. */
struct twins {
    struct pki first, second; /* the first is what everyone trusts and has certificates of */
    uint32_t first_id, second_id;
};

static uint32_t chain_by(struct world *world, const struct pki *issuer, uint32_t old_chain)
{
    size_t count;
    const uint32_t *old = model_members(world->model.chains.items[old_chain], &count);
    str name = world->model.certs.items[old[0]].common_name;
    struct pki leaf = pki_make(
        &world->arena,
        &(struct pki_spec){ .name = str_cstr(&world->arena, name),
                            .issuer = issuer,
                            .no_key_ids = true,
                            .not_after = PKI_NOW + 10 * PKI_DAY,
                            .san = str_printf(&world->arena, "DNS:%.*s", STR_ARG(name)).ptr });
    uint32_t id = model_cert(&world->model, &leaf.cert);
    return model_chain(&world->model, &id, 1);
}

static struct twins make_twins(struct world *world)
{
    const struct pki_spec spec = { .name = "Twin", .ca = true, .no_key_ids = true };
    world_make(world, &(struct world_spec){ .nodes = 2 });
    struct model *model = &world->model;
    struct twins twins = { .first = pki_make(&world->arena, &spec),
                           .second = pki_make(&world->arena, &spec) };
    twins.first_id = model_cert(model, &twins.first.cert);
    twins.second_id = model_cert(model, &twins.second.cert);
    uint32_t anchors = model_anchors(model, &twins.first_id, 1);
    for (size_t i = 0; i < model->identities.count; i++) {
        struct identity *identity = &model->identities.items[i];
        identity->stored = identity->loaded = chain_by(world, &twins.first, identity->stored);
    }
    for (size_t i = 0; i < model->stores.count; i++)
        model->stores.items[i].anchors = anchors;
    for (size_t i = 0; i < model->trusters.count; i++)
        model->trusters.items[i].loaded = anchors;
    return twins;
}

TEST(where_no_order_keeps_a_link_up_the_plan_says_so_and_why)
{
    struct world world;
    struct plan plan;
    struct twins twins = make_twins(&world);
    struct plan_goal goal = goal_of(&world, twins.second_id);
    goal.replace_others = true;
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check(plan.proven && plan_refuses(&plan));
    check_int(plan.unrepaired.count, 0);
    for (size_t i = 0; i < plan.steps.count; i++)
        check_int(plan.steps.items[i].refused.count > 0, plan.steps.items[i].why.len > 0);
    world_free(&world);
}

/* Nobody can agree to an outage on the way back: there is rollback --raw. */
TEST(a_way_back_on_which_a_link_is_refused_is_not_proven)
{
    struct world world;
    struct plan plan;
    plan_return_list returns = { 0 };
    struct twins twins = make_twins(&world);
    for (uint32_t i = 0; i < world.model.identities.count; i++)
        list_push(&world.arena, &returns) =
            (struct plan_return){ .identity = i,
                                  .chain = chain_by(&world, &twins.second,
                                                    world.model.identities.items[i].stored),
                                  .trust_store = NO_ID };
    for (uint32_t i = 0; i < world.model.stores.count; i++)
        for (int regain = 0; regain < 2; regain++)
            list_push(&world.arena, &returns) =
                (struct plan_return){ .identity = NO_ID,
                                      .trust_store = i,
                                      .anchor = regain ? twins.second_id : twins.first_id,
                                      .regain = regain };
    struct plan_goal goal = goal_of(&world, NO_ID);
    plan_back(&world.arena, &world.judge, &goal, &returns, &plan);
    check_int(plan.unrepaired.count, 0);
    check(!plan.proven && !plan_refuses(&plan));
    world_free(&world);
}
