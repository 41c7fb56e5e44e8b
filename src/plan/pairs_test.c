/* SPDX-License-Identifier: Apache-2.0 */
/* How certificate and key are replaced together. */
#include "plan/order_test.h"

TEST(a_pair_in_one_file_gets_a_new_key_in_its_place_where_it_is_loaded_when_told)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2, .one_file = true });
    struct plan_goal goal = goal_of(&world, world.root_id);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    for (size_t i = 0; i < plan.steps.count; i++) {
        const struct step *step = &plan.steps.items[i];
        bool loaded = str_eq(step->store, S("server")); /* the others are read when they connect */
        if (step->kind == STEP_install)
            check(step->new_key && step->in_place == loaded);
        check(step->kind != STEP_switch || !loaded);
    }
    check_int(count_kind(&plan, STEP_install), 4);
    check_int(count_kind(&plan, STEP_switch), 2);
    check(plan.proven);
    world_free(&world);
}
