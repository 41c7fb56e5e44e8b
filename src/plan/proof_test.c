/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/plan.h"

#include "tests/test.h"
#include "tests/world.h"

static void plan_for_second_root(struct world *world, struct plan *plan)
{
    world_make(world, &(struct world_spec){ .nodes = 2 });
    struct plan_goal goal = { .now = PKI_NOW,
                              .renew_before = 30 * PKI_DAY,
                              .lifetime = 90 * PKI_DAY,
                              .issuer = world->second_id,
                              .anchor = world->second_id,
                              .max_unavailable = 1 };
    plan_make(&world->arena, &world->judge, &goal, plan);
    check(plan->proven);
}

static enum step_kind kind_of(const struct plan *plan, size_t wave)
{
    return plan->steps.items[plan->waves.items[wave].steps.items[0]].kind;
}

/* The plan without its waves of one kind. */
static void drop_waves(struct plan *plan, enum step_kind kind, const char *leaves)
{
    size_t kept = 0;
    for (size_t i = 0; i < plan->waves.count; i++) {
        const struct step *first = &plan->steps.items[plan->waves.items[i].steps.items[0]];
        if (kind_of(plan, i) != kind || (leaves != NULL && !str_eq(first->leaves, str_c(leaves))))
            plan->waves.items[kept++] = plan->waves.items[i];
    }
    check(kept < plan->waves.count);
    plan->waves.count = kept;
}

TEST(a_plan_that_forgets_to_add_the_new_root_is_not_proven)
{
    struct world world;
    struct plan plan;
    plan_for_second_root(&world, &plan);
    drop_waves(&plan, STEP_trust, NULL);
    plan_prove(&world.arena, &world.judge, PKI_NOW, &plan);
    check(!plan.proven);
    check(plan.unrepaired.count > 0);
    world_free(&world);
}

TEST(a_plan_that_adds_the_new_root_but_does_not_load_it_is_not_proven)
{
    struct world world;
    struct plan plan;
    plan_for_second_root(&world, &plan);
    drop_waves(&plan, STEP_refresh, "trust loaded");
    plan_prove(&world.arena, &world.judge, PKI_NOW, &plan);
    check(!plan.proven);
    world_free(&world);
}

TEST(a_plan_that_switches_before_the_new_root_is_everywhere_names_the_links_it_breaks)
{
    struct world world;
    struct plan plan;
    plan_for_second_root(&world, &plan);
    size_t trust = 0, change = 0;
    for (size_t i = 0; i < plan.waves.count; i++) {
        trust = kind_of(&plan, i) == STEP_trust ? i : trust;
        change = kind_of(&plan, i) == STEP_switch && change == 0 ? i : change;
    }
    check(trust < change);
    struct wave early = plan.waves.items[change];
    plan.waves.items[change] = plan.waves.items[trust];
    plan.waves.items[trust] = early;
    plan_prove(&world.arena, &world.judge, PKI_NOW, &plan);
    check(!plan.proven);
    check(str_list_has(&plan.waves.items[trust].broken, S("app/app->db2/postgres")));
    world_free(&world);
}

TEST(a_link_that_a_step_declares_as_an_outage_is_not_held_to_in_that_wave)
{
    struct world world;
    struct plan plan;
    plan_for_second_root(&world, &plan);
    drop_waves(&plan, STEP_trust, NULL);
    for (size_t i = 0; i < plan.steps.count; i++)
        for (size_t j = 0; j < world.model.links.count; j++)
            str_list_add(&world.arena, &plan.steps.items[i].refused,
                         world.model.links.items[j].key);
    plan_prove(&world.arena, &world.judge, PKI_NOW, &plan);
    check(plan.proven);
    check(plan.unrepaired.count > 0); /* and it is still said that the links end up broken */
    world_free(&world);
}

TEST(a_restart_hides_no_handshake_that_would_be_refused)
{
    struct world world;
    struct plan plan;
    plan_for_second_root(&world, &plan);
    drop_waves(&plan, STEP_trust, NULL);
    for (size_t i = 0; i < plan.steps.count; i++)
        for (size_t j = 0; j < world.model.links.count; j++)
            str_list_add(&world.arena, &plan.steps.items[i].outage, world.model.links.items[j].key);
    plan_prove(&world.arena, &world.judge, PKI_NOW, &plan);
    check(!plan.proven);
    check_int(plan.waves.items[0].outage.count, world.model.links.count);
    world_free(&world);
}

TEST(a_wave_judges_the_links_that_its_steps_touch_and_each_state_of_them_once)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2 });
    struct plan_goal goal = { .now = PKI_NOW,
                              .renew_before = 30 * PKI_DAY,
                              .lifetime = 90 * PKI_DAY,
                              .issuer = world.root_id,
                              .max_unavailable = 1 };
    plan_make(&world.arena, &world.judge, &goal, &plan);
    /* Three links: db2 to db1, app to db1, app to db2. A server stores, then loads what is stored:
       each time two states of it, and a client's own sessions load with it. */
    static const struct {
        enum step_kind kind;
        uint64_t judged;
    } want[] = {
        {STEP_snapshot, 3    }, /* everything, as it is */
        { STEP_issue,   0    }, /* nothing that a peer can see */
        { STEP_install, 0    }, /* beside the old */
        { STEP_switch,  2 + 2}, /* db2: of its server, for app; of its client, for db1 */
        { STEP_refresh, 2 + 2}, /* db2 */
        { STEP_install, 0    },
        { STEP_switch,  2 + 2}, /* app, which reads at each connection: for db1, for db2 */
        { STEP_install, 0    },
        { STEP_switch,  2 + 2}, /* db1: for db2, for app */
        { STEP_refresh, 2 + 2}, /* db1 */
        { STEP_verify,  0    },
    };
    check_int(plan.waves.count, COUNT(want));
    for (size_t i = 0; i < COUNT(want); i++) {
        check_int(kind_of(&plan, i), want[i].kind);
        check_int(plan.waves.items[i].judged, want[i].judged);
    }
    world_free(&world);
}

TEST(a_step_that_restarts_and_has_one_link_refused_is_held_to_the_others)
{
    struct world world;
    struct plan plan;
    plan_for_second_root(&world, &plan);
    drop_waves(&plan, STEP_trust, NULL);
    str refused = world.model.links.items[0].key;
    for (size_t i = 0; i < plan.steps.count; i++) {
        str_list_add(&world.arena, &plan.steps.items[i].refused, refused);
        for (size_t j = 0; j < world.model.links.count; j++)
            str_list_add(&world.arena, &plan.steps.items[i].outage, world.model.links.items[j].key);
    }
    plan_prove(&world.arena, &world.judge, PKI_NOW, &plan);
    check(!plan.proven);
    for (size_t i = 0; i < plan.waves.count; i++)
        check(!str_list_has(&plan.waves.items[i].broken, refused));
    world_free(&world);
}
