/* SPDX-License-Identifier: Apache-2.0 */
/* Covers order.c, order_rules.c, anchors.c, planner.c, loads.c and turns.c. */
#include "plan/order_test.h"

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
    check(plan.proven && !plan_refuses(&plan));
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
    check(plan.proven && !plan_refuses(&plan));
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
    check(plan.proven && !plan_refuses(&plan));
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
    check(plan.proven && !plan_refuses(&plan));
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
    check(plan.proven && !plan_refuses(&plan));
    check_int(plan.unrepaired.count, 0);
    world_free(&world);
}

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
    goal.since = PKI_NOW; /* every certificate of this world says that it was made before */
    list_push(&world.arena, &goal.replaces) = NO_ID;
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check_int(count_kind(&plan, STEP_issue), 0);
    check_int(count_kind(&plan, STEP_refresh), 1); /* db2 has not loaded what it has */
    list_push(&world.arena, &goal.replaces) = plan_replaced(&world.model, 0);
    goal.since = PKI_NOW - 30 * PKI_DAY; /* or since */
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check_int(count_kind(&plan, STEP_issue), 1);
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
    check(plan.proven && !plan_refuses(&plan));
    world_free(&world);
}

TEST(groups_change_side_by_side_and_each_keeps_most_of_itself_up)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 3 });
    struct service *services = world.model.services.items;
    services[1].group = S("west"), services[2].group = S("east");
    struct plan_goal goal = goal_of(&world, world.root_id);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check(
        str_find(outline(&world.arena, &plan), S("refresh db2/postgres, refresh db3/postgres\n")) <
        outline(&world.arena, &plan).len);
    check(plan.proven && !plan_refuses(&plan));
    world_free(&world);
}

/* ---- outages ---- */

/* The step's outage names the links that the service has a part in, and no others. */
static void check_outage(const struct world *world, const struct step *step)
{
    AUTO(arena) struct arena arena = { 0 };
    str key = str_printf(&arena, "%.*s/%.*s", STR_ARG(step->node), STR_ARG(step->service));
    size_t touched = 0;
    for (size_t i = 0; i < world->model.links.count; i++) {
        const struct link *link = &world->model.links.items[i];
        bool touches = str_eq(world->model.services.items[link->from].key, key) ||
                       str_eq(world->model.services.items[link->to].key, key);
        check(touches == str_list_has(&step->outage, link->key));
        touched += touches;
    }
    check_int(step->outage.count, touched);
    check_int(step->refused.count, 0);
}

TEST(a_service_that_restarts_lists_its_links_as_an_outage_while_the_others_of_its_group_stay)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .restart = true });
    struct plan_goal goal = goal_of(&world, world.second_id);
    goal.replace_others = true;
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check(plan.proven);
    check_int(plan.unrepaired.count, 0);
    size_t restarts = 0;
    for (size_t i = 0; i < plan.waves.count; i++) {
        const struct wave *wave = &plan.waves.items[i];
        size_t together = 0, outages = 0;
        for (size_t j = 0; j < wave->steps.count; j++) {
            const struct step *step = &plan.steps.items[wave->steps.items[j]];
            if (step->kind == STEP_refresh) {
                check_outage(&world, step);
                together++;
                outages += step->outage.count;
            } else {
                check_int(step->outage.count, 0);
            }
        }
        check(together <= 1);
        check_int(wave->outage.count, outages);
        restarts += together;
    }
    check_int(restarts, 3 + 3 + 3); /* for the new root, for the new certificate, without the old */
    world_free(&world);
}

/* db2 listens at a second place, which shows and trusts what is its own there. */
static void add_second_listener(struct world *world)
{
    struct model *model = &world->model;
    struct service service = model->services.items[1];
    struct identity identity =
        model->identities.items[map_get(&model->identity_ids, S("db2/postgres:server"))];
    struct truster truster = model->trusters.items[service.client_truster];
    struct link link = model->links.items[map_get(&model->link_ids, S("app/app->db2/postgres"))];
    identity.service = truster.service = service.name = S("other");
    identity.key = S("db2/other:second");
    identity.store = S("second");
    truster.key = S("db2/other:trust");
    service.key = S("db2/other");
    service.process = S("db2/postgres");
    service.client_truster = model_add_truster(model, &truster);
    link.key = S("app/app->db2/other");
    link.server_identity = model_add_identity(model, &identity);
    link.to = model_add_service(model, &service);
    model_add_link(model, &link);
}

TEST(services_that_load_together_take_one_turn_and_restart_once)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2, .restart = true });
    add_second_listener(&world);
    struct plan_goal goal = goal_of(&world, world.second_id);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check_str(outline(&world.arena, &plan),
              S("snapshot db1/trust, snapshot db2/trust, snapshot app/trust, snapshot db1/server, "
                "snapshot db2/server, snapshot db2/client, snapshot app/client, "
                "snapshot db2/second\n"
                "issue db1/server, issue db2/server, issue db2/client, issue app/client, "
                "issue db2/second\n"
                "trust db1/trust, trust db2/trust, trust app/trust\n"
                "refresh db2/postgres\n"
                "refresh db1/postgres\n"
                "install db2/server, install db2/client, install db2/second, install app/client\n"
                "switch db2/server, switch db2/client, switch db2/second, switch app/client\n"
                "refresh db2/postgres\n"
                "install db1/server\n"
                "switch db1/server\n"
                "refresh db1/postgres\n"
                "verify db2/postgres, verify db2/other, verify app/app, verify db1/postgres\n"));
    check(plan.proven);
    check_int(plan.unrepaired.count, 0);
    const struct step *restart = &plan.steps.items[plan.waves.items[3].steps.items[0]];
    check(str_list_has(&restart->outage, S("app/app->db2/other")));
    check(str_list_has(&restart->outage, S("app/app->db2/postgres")));
    check_int(restart->outage.count, 3); /* and as db1's client */
    world_free(&world);
}

TEST(a_key_that_is_kept_against_the_policy_is_said_to_be_and_why)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2, .in_place = true });
    struct plan_goal goal = goal_of(&world, world.root_id);
    for (int keep = 0; keep < 2; keep++) {
        goal.keep_key = keep;
        plan_make(&world.arena, &world.judge, &goal, &plan);
        check_int(count_kind(&plan, STEP_issue), 4);
        for (size_t i = 0; i < plan.steps.count; i++)
            if (plan.steps.items[i].kind == STEP_issue)
                check((str_find(plan.steps.items[i].text, S("cannot be replaced at once")) <
                       plan.steps.items[i].text.len) == (keep == 0));
    }
    world_free(&world);
}

/* ---- a certificate that is not there any more ---- */

TEST(a_certificate_that_is_gone_is_issued_anew_as_it_is_presented)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2, .leaf_end = PKI_NOW + 80 * PKI_DAY });
    uint32_t server = map_get(&world.model.identity_ids, S("db1/postgres:server"));
    struct identity *identity = &world.model.identities.items[server];
    identity->stored = NO_ID, identity->gone = true;
    struct plan_goal goal = goal_of(&world, world.root_id);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check_str(outline(&world.arena, &plan), S("snapshot db1/server\n"
                                              "issue db1/server\n"
                                              "install db1/server\n"
                                              "switch db1/server\n"
                                              "refresh db1/postgres\n"
                                              "verify db1/postgres\n"));
    check(plan.proven && !plan_refuses(&plan));
    check_int(plan.unrepaired.count, 0);
    for (size_t i = 0; i < plan.steps.count; i++)
        if (plan.steps.items[i].kind == STEP_issue || plan.steps.items[i].kind == STEP_switch)
            check_str(plan.steps.items[i].expects, S("absent"));
    world_free(&world);
}

TEST(a_certificate_that_is_gone_is_not_issued_for_what_the_issuer_has_not_signed)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2, .leaf_end = PKI_NOW + 80 * PKI_DAY });
    uint32_t server = map_get(&world.model.identity_ids, S("db1/postgres:server"));
    struct identity *identity = &world.model.identities.items[server];
    struct pki other =
        pki_make(&world.arena, &(struct pki_spec){ .name = "db1", .issuer = &world.second });
    uint32_t leaf = model_cert(&world.model, &other.cert);
    identity->stored = NO_ID, identity->gone = true;
    struct plan_goal goal = goal_of(&world, world.root_id);
    identity->loaded = model_chain(&world.model, &leaf, 1);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check_int(count_kind(&plan, STEP_issue), 0);
    identity->loaded = NO_ID; /* nor where nobody presents anything */
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check_int(count_kind(&plan, STEP_issue), 0);
    world_free(&world);
}
