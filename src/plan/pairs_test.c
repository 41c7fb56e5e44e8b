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

/* Every step but snapshots and verifications: "kind node/store" or "kind node/service", a line for
   each wave. */
static str changes_of(struct arena *arena, const struct plan *plan)
{
    struct buf out = { 0 };
    buf_add(arena, &out, S(""));
    for (size_t i = 0; i < plan->waves.count; i++) {
        const struct wave *wave = &plan->waves.items[i];
        size_t shown = 0;
        for (size_t j = 0; j < wave->steps.count; j++) {
            const struct step *step = &plan->steps.items[wave->steps.items[j]];
            if (step->kind == STEP_snapshot || step->kind == STEP_verify)
                continue;
            buf_printf(arena, &out, "%s%s%s %.*s/%.*s", shown++ == 0 ? "" : ", ",
                       step_kind_name(step->kind), step->new_key ? "+" : "", STR_ARG(step->node),
                       STR_ARG(step->store.len > 0 ? step->store : step->service));
        }
        if (shown > 0)
            buf_add(arena, &out, S("\n"));
    }
    return buf_str(&out);
}

/* Another identity on db1, of the service there or of nobody, that has the server's certificate. */
static uint32_t add_identity(struct world *world, const char *service, const char *store,
                             enum load_mode load, bool one_file)
{
    const struct identity *server = &world->model.identities.items[0];
    struct identity identity = {
        .key = str_printf(&world->arena, "db1/%s:%s", service, store),
        .node = server->node,
        .service = str_c(service),
        .store = str_c(store),
        .load = load,
        .one_file = one_file,
        .stored = server->stored,
        .loaded = server->stored,
    };
    return model_add_identity(&world->model, &identity);
}

static void add_service(struct world *world, const char *name)
{
    struct service service = { .key = str_printf(&world->arena, "db1/%s", name),
                               .node = S("db1"),
                               .name = str_c(name),
                               .client_truster = NO_ID };
    model_add_service(&world->model, &service);
}

static void derive(struct world *world, uint32_t source, uint32_t copy)
{
    list_push(&world->arena, &world->model.derived_identities) =
        (struct derivation){ source, copy };
}

static void plan_for(struct world *world, struct plan *ret_plan)
{
    struct plan_goal goal = goal_of(world, world->root_id);
    goal.max_unavailable = 0;
    plan_make(&world->arena, &world->judge, &goal, ret_plan);
    check(ret_plan->proven);
}

TEST(a_copy_is_made_right_after_its_source_and_before_anything_is_switched_or_loaded)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2 });
    add_service(&world, "lb");
    derive(&world, 0, add_identity(&world, "lb", "all", LOAD_RELOAD, true));
    derive(&world, 0, add_identity(&world, "", "backup", LOAD_PER_CONNECTION, false));
    plan_for(&world, &plan);
    check_str(changes_of(&world.arena, &plan),
              S("issue+ db1/server, issue+ db2/server, issue+ db2/client, issue+ app/client\n"
                "install+ db2/server, install+ db2/client, install+ app/client, install+ "
                "db1/server\n"
                "install+ db1/all, install+ db1/backup\n"
                "switch+ db2/server, switch+ db2/client, switch+ app/client\n"
                "refresh db2/postgres, refresh db1/lb\n"
                "switch+ db1/server\n"
                "refresh db1/postgres\n"));
    world_free(&world);
}

TEST(a_pair_keeps_its_key_where_a_copy_of_it_could_not_be_replaced_at_once)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2 });
    add_service(&world, "lb");
    derive(&world, 0, add_identity(&world, "lb", "two", LOAD_RELOAD, false));
    plan_for(&world, &plan);
    for (size_t i = 0; i < plan.steps.count; i++) {
        const struct step *step = &plan.steps.items[i];
        bool of_family = str_eq(step->node, S("db1")) &&
                         (str_eq(step->store, S("server")) || str_eq(step->store, S("two")));
        if (step->kind == STEP_install)
            check(step->new_key == !of_family);
    }
    world_free(&world);
}

TEST(a_source_that_no_service_reads_is_renewed_for_its_copys_sake)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2, .leaf_end = PKI_NOW + 80 * PKI_DAY });
    add_service(&world, "lb");
    struct pki pki =
        pki_make(&world.arena, &(struct pki_spec){ .name = "lb",
                                                   .issuer = &world.root,
                                                   .not_after = PKI_NOW + 5 * PKI_DAY });
    uint32_t leaf = model_cert(&world.model, &pki.cert);
    uint32_t source = add_identity(&world, "", "pair", LOAD_PER_CONNECTION, false);
    uint32_t copy = add_identity(&world, "lb", "all", LOAD_RELOAD, true);
    for (uint32_t i = source; i <= copy; i++)
        world.model.identities.items[i].stored = world.model.identities.items[i].loaded =
            model_chain(&world.model, &leaf, 1);
    derive(&world, source, copy);
    plan_for(&world, &plan);
    check_str(changes_of(&world.arena, &plan), S("issue+ db1/pair\n"
                                                 "install+ db1/pair\n"
                                                 "install+ db1/all\n"
                                                 "refresh db1/lb\n"));
    world_free(&world);
}

TEST(a_copy_that_lags_behind_is_made_again_and_loaded)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2, .leaf_end = PKI_NOW + 80 * PKI_DAY });
    add_service(&world, "lb");
    uint32_t copy = add_identity(&world, "lb", "all", LOAD_RELOAD, true);
    world.model.identities.items[copy].stored = world.model.identities.items[copy].loaded =
        world.model.identities.items[1].stored;
    derive(&world, 0, copy);
    plan_for(&world, &plan);
    check_str(changes_of(&world.arena, &plan), S("install+ db1/all\nrefresh db1/lb\n"));
    world_free(&world);
}

static uint32_t add_copy_of_trust(struct world *world, uint32_t anchors)
{
    struct trust_store store = {
        .key = S("db1/copy"), .node = S("db1"), .name = S("copy"), .anchors = anchors
    };
    uint32_t id = model_add_store(&world->model, &store);
    list_push(&world->arena, &world->model.derived_stores) = (struct derivation){ 0, id };
    return id;
}

static size_t step_at(const struct plan *plan, enum step_kind kind, const char *store)
{
    size_t i = 0;
    while (i < plan->steps.count &&
           !(plan->steps.items[i].kind == kind && str_eq(plan->steps.items[i].node, S("db1")) &&
             str_eq(plan->steps.items[i].store, str_c(store))))
        i++;
    check(i < plan->steps.count);
    return i;
}

TEST(a_copied_trust_store_gains_what_its_source_gains_and_what_it_lacked)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2 });
    add_copy_of_trust(&world, model_anchors(&world.model, NULL, 0));
    struct plan_goal goal = goal_of(&world, world.second_id);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check(plan.proven);
    check(step_at(&plan, STEP_trust, "trust") < step_at(&plan, STEP_trust, "copy"));
    size_t on_copy = 0;
    for (size_t i = 0; i < plan.steps.count; i++)
        on_copy +=
            plan.steps.items[i].kind == STEP_trust && str_eq(plan.steps.items[i].store, S("copy"));
    check_int(on_copy, 2);
    world_free(&world);
}

TEST(an_anchor_leaves_a_trust_store_and_its_copy_together)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2 });
    add_copy_of_trust(&world, world.model.stores.items[0].anchors);
    struct plan_goal goal = goal_of(&world, world.second_id);
    goal.replace_others = goal.retiring = true;
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check(plan.proven);
    check(step_at(&plan, STEP_distrust, "trust") < step_at(&plan, STEP_distrust, "copy"));
    check(step_at(&plan, STEP_trust, "copy") < step_at(&plan, STEP_distrust, "trust"));
    world_free(&world);
}
