/* SPDX-License-Identifier: Apache-2.0 */
/* Covers pins.c, and with order.c and proof.c what signers and shared stores need. */
#include "plan/order_test.h"

static uint32_t identity_id(const struct world *world, const char *key)
{
    uint32_t id = map_get(&world->model.identity_ids, str_c(key));
    check(id != NO_ID);
    return id;
}

static uint32_t leaf_of(const struct world *world, const char *identity)
{
    size_t count;
    uint32_t chain = world->model.identities.items[identity_id(world, identity)].stored;
    return model_members(world->model.chains.items[chain], &count)[0];
}

/* The application remembers of db1 what the pins say, beside its anchors. Of its two links only the
   one to db1 stays. */
static void pin_db1(struct world *world, const uint32_t *pins, size_t count, bool fixed)
{
    struct model *model = &world->model;
    struct trust_store store = { .key = S("app/pins"),
                                 .node = S("app"),
                                 .name = S("pins"),
                                 .kind = STORE_PINS,
                                 .fixed = fixed,
                                 .anchors = model_anchors(model, pins, count) };
    uint32_t id = map_get(&model->truster_ids, S("app/app:trust"));
    check(id != NO_ID);
    list_push(&world->arena, &model->trusters.items[id].stores) = model_add_store(model, &store);
    model->trusters.items[id].loaded = truster_stored(model, &model->trusters.items[id]);
    size_t left = 0;
    for (size_t i = 0; i < model->links.count; i++)
        if (str_eq(model->links.items[i].key, S("app/app->db1/postgres")))
            model->links.items[left++] = model->links.items[i];
    check_int(left, 1);
    model->links.count = left;
    model->link_ids = (struct map){ .arena = &world->arena };
    map_put(&model->link_ids, model->links.items[0].key, 0);
}

/* What the application remembers in the end. */
static uint32_t pins_in_the_end(struct world *world, const struct plan *plan)
{
    struct walk walk;
    walk_start(&world->arena, &world->model, &walk);
    for (size_t i = 0; i < plan->steps.count; i++)
        walk_step(&walk, &plan->steps.items[i]);
    return walk.after.anchors_stored[map_get(&world->model.store_ids, S("app/pins"))];
}

static const struct step *step_of(const struct plan *plan, enum step_kind kind)
{
    for (size_t i = 0; i < plan->steps.count; i++)
        if (plan->steps.items[i].kind == kind)
            return &plan->steps.items[i];
    fail_msg("no step of kind %s", step_kind_name(kind));
    return NULL;
}

static void plan_with_pin(struct world *world, enum pin_kind kind, struct plan *plan)
{
    world_make(world, &(struct world_spec){ .nodes = 2 });
    uint32_t pin = model_pin_of(&world->model, kind, leaf_of(world, "db1/postgres:server"));
    pin_db1(world, &pin, 1, false);
    struct plan_goal goal = goal_of(world, world->root_id);
    plan_make(&world->arena, &world->judge, &goal, plan);
}

TEST(the_next_pin_is_staged_before_the_switch_and_the_old_one_is_forgotten_at_the_end)
{
    for (int kind = PIN_CERT; kind <= PIN_SPKI; kind++) {
        struct world world;
        struct plan plan;
        plan_with_pin(&world, (enum pin_kind)kind, &plan);
        check(plan.proven && !plan_refuses(&plan));
        check_int(plan.unrepaired.count, 0);
        check_str(outline(&world.arena, &plan),
                  S("snapshot app/pins, snapshot db1/server, snapshot db2/server, "
                    "snapshot db2/client, snapshot app/client\n"
                    "issue db1/server, issue db2/server, issue db2/client, issue app/client\n"
                    "expect app/pins\n"
                    "install db2/server, install db2/client\n"
                    "switch db2/server, switch db2/client\n"
                    "refresh db2/postgres\n"
                    "install app/client\n"
                    "switch app/client\n"
                    "install db1/server\n"
                    "switch db1/server\n"
                    "refresh db1/postgres\n"
                    "forget app/pins\n"
                    "verify db2/postgres, verify app/app, verify db1/postgres\n"));
        const struct step *expect = step_of(&plan, STEP_expect);
        check(str_starts(expect->certificate, kind == PIN_CERT ? S("cert:new:") : S("spki:new:")));
        check_int(pins_in_the_end(&world, &plan),
                  model_anchors(&world.model, &expect->new_cert, 1));
        world_free(&world);
    }
}

TEST(a_pin_of_a_key_that_is_kept_stays)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2, .in_place = true });
    uint32_t pin = model_pin_of(&world.model, PIN_SPKI, leaf_of(&world, "db1/postgres:server"));
    pin_db1(&world, &pin, 1, false);
    struct plan_goal goal = goal_of(&world, world.root_id);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check(plan.proven && !plan_refuses(&plan));
    check_int(count_kind(&plan, STEP_expect) + count_kind(&plan, STEP_forget), 0);
    world_free(&world);
}

TEST(a_key_that_is_remembered_where_nothing_can_be_changed_is_kept)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2 });
    uint32_t pin = model_pin_of(&world.model, PIN_SPKI, leaf_of(&world, "db1/postgres:server"));
    pin_db1(&world, &pin, 1, true);
    struct plan_goal goal = goal_of(&world, world.root_id);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check(plan.proven && !plan_refuses(&plan));
    check_int(plan.unrepaired.count, 0);
    check_int(count_kind(&plan, STEP_expect) + count_kind(&plan, STEP_forget), 0);
    for (size_t i = 0; i < plan.steps.count; i++)
        if (plan.steps.items[i].kind == STEP_issue)
            check_int(plan.steps.items[i].new_key,
                      plan.steps.items[i].identity != identity_id(&world, "db1/postgres:server"));
    world_free(&world);
}

TEST(a_certificate_that_is_remembered_where_nothing_can_be_changed_stops_the_plan)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2 });
    uint32_t pin = model_pin_of(&world.model, PIN_CERT, leaf_of(&world, "db1/postgres:server"));
    pin_db1(&world, &pin, 1, true);
    struct plan_goal goal = goal_of(&world, world.root_id);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check(!plan.proven);
    check(str_list_has(&plan.unrepaired, S("app/app->db1/postgres")));
    world_free(&world);
}

TEST(who_remembers_something_else_is_told_what_is_in_the_store)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2, .leaf_end = PKI_NOW + 80 * PKI_DAY });
    uint32_t pin = model_pin(&world.model, (struct pin){ PIN_SPKI, S("00") });
    pin_db1(&world, &pin, 1, false);
    struct plan_goal goal = goal_of(&world, world.root_id);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check_str(outline(&world.arena, &plan), S("snapshot app/pins\nexpect app/pins\n"));
    check(plan.proven);
    check_int(plan.unrepaired.count, 0); /* and another's pin is left alone */
    check(model_anchors_have(&world.model, pins_in_the_end(&world, &plan), pin));
    world_free(&world);
}

TEST(a_pin_that_another_certificate_still_has_is_not_forgotten)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2 });
    struct model *model = &world.model;
    uint32_t server = identity_id(&world, "db1/postgres:server");
    struct identity twin = model->identities.items[server];
    struct pki late = pki_make(
        &world.arena, &(struct pki_spec){ .name = "db1", .issuer = &world.root, .san = "DNS:db1" });
    /* The other listener has another certificate of the same key, which is not due. */
    struct cert cert = late.cert;
    cert.spki_sha256 = model->certs.items[leaf_of(&world, "db1/postgres:server")].spki_sha256;
    uint32_t id = model_cert(model, &cert);
    twin.key = S("db1/other:other"), twin.service = S("other"), twin.store = S("other");
    twin.stored = twin.loaded = model_chain(model, &id, 1);
    struct service service = {
        .key = S("db1/other"), .node = S("db1"), .name = S("other"), .client_truster = NO_ID
    };
    uint32_t pin = model_pin_of(model, PIN_SPKI, id);
    pin_db1(&world, &pin, 1, false);
    struct link link = model->links.items[0];
    link.key = S("app/app->db1/other");
    link.to = model_add_service(model, &service);
    link.server_identity = model_add_identity(model, &twin);
    link.user_is_cn = false;
    model_add_link(model, &link);
    struct plan_goal goal = goal_of(&world, world.root_id);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check(plan.proven && !plan_refuses(&plan));
    check_int(count_kind(&plan, STEP_expect), 1);
    check_int(count_kind(&plan, STEP_forget), 0);
    world_free(&world);
}

/* ---- stores that several services read ---- */

/* db1 has a second service that shows what its first one shows. */
static void share_store(struct world *world)
{
    struct model *model = &world->model;
    uint32_t server = identity_id(world, "db1/postgres:server");
    struct identity twin = model->identities.items[server];
    struct service service = {
        .key = S("db1/pooler"), .node = S("db1"), .name = S("pooler"), .client_truster = NO_ID
    };
    uint32_t link_id = map_get(&model->link_ids, S("app/app->db1/postgres"));
    struct link link = model->links.items[link_id];
    twin.key = S("db1/pooler:server"), twin.service = S("pooler");
    link.key = S("app/app->db1/pooler");
    link.to = model_add_service(model, &service);
    link.server_identity = model_add_identity(model, &twin);
    link.user_is_cn = false;
    model_add_link(model, &link);
}

static void check_shared(bool in_place, size_t switches)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2, .in_place = in_place });
    share_store(&world);
    struct plan_goal goal = goal_of(&world, world.root_id);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check(plan.proven && !plan_refuses(&plan));
    check_int(plan.unrepaired.count, 0);
    size_t counts[STEP_KIND_COUNT] = { 0 };
    for (size_t i = 0; i < plan.steps.count; i++) {
        const struct step *step = &plan.steps.items[i];
        bool refresh = step->kind == STEP_refresh && str_eq(step->node, S("db1"));
        counts[step->kind] +=
            refresh || (str_eq(step->node, S("db1")) && str_eq(step->store, S("server")));
    }
    check_int(counts[STEP_issue], 1);
    check_int(counts[STEP_install], 1);
    check_int(counts[STEP_switch], switches);
    check_int(counts[STEP_refresh], 2);
    world_free(&world);
}

TEST(a_store_that_two_services_read_is_renewed_once_and_both_are_refreshed)
{
    check_shared(true, 0);
}

TEST(each_reference_to_a_shared_store_is_switched)
{
    check_shared(false, 2);
}

/* ---- signers ---- */

/* The application verifies what db1 signs with its server's certificate; nobody connects. */
static void verify_signatures(struct world *world)
{
    struct model *model = &world->model;
    struct link link = model->links.items[map_get(&model->link_ids, S("app/app->db1/postgres"))];
    link.key = S("db1/postgres->app/app");
    link.kind = LINK_SIGNER;
    uint32_t from = link.to;
    link.to = link.from;
    link.from = from;
    link.client_identity = NO_ID;
    link.verify = VERIFY_CA;
    model->links.count = 0;
    model->link_ids = (struct map){ .arena = &world->arena };
    model_add_link(model, &link);
}

static size_t wave_of(const struct plan *plan, enum step_kind kind)
{
    for (size_t i = 0; i < plan->waves.count; i++)
        if (plan->steps.items[plan->waves.items[i].steps.items[0]].kind == kind)
            return i;
    fail_msg("no wave of kind %s", step_kind_name(kind));
    return 0;
}

TEST(a_signer_s_old_anchor_goes_only_after_a_hold)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2, .leaf_end = PKI_NOW + 80 * PKI_DAY });
    verify_signatures(&world);
    struct plan_goal goal = goal_of(&world, world.root_id);
    goal.issuer = goal.anchor = world.second_id;
    goal.replace_others = true;
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check(plan.proven && !plan_refuses(&plan));
    check_int(plan.unrepaired.count, 0);
    size_t hold = wave_of(&plan, STEP_hold), distrust = wave_of(&plan, STEP_distrust);
    check(wave_of(&plan, STEP_trust) < wave_of(&plan, STEP_switch) && hold < distrust);
    /* Without the wait, what was signed before would be refused: the proof says so. */
    plan.waves.items[hold].steps.count = 0;
    plan_prove(&world.arena, &world.judge, PKI_NOW, &plan);
    check(!plan.proven);
    check(str_list_has(&plan.waves.items[distrust].broken, S("db1/postgres->app/app")));
    world_free(&world);
}

TEST(a_signer_s_old_pin_goes_only_after_a_hold)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2 });
    uint32_t pin = model_pin_of(&world.model, PIN_SPKI, leaf_of(&world, "db1/postgres:server"));
    pin_db1(&world, &pin, 1, false);
    verify_signatures(&world);
    struct plan_goal goal = goal_of(&world, world.root_id);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check(plan.proven && !plan_refuses(&plan));
    check(wave_of(&plan, STEP_expect) < wave_of(&plan, STEP_switch));
    size_t hold = wave_of(&plan, STEP_hold);
    check(wave_of(&plan, STEP_switch) < hold && hold < wave_of(&plan, STEP_forget));
    check(str_starts(step_of(&plan, STEP_hold)->certificate, S("spki:")));
    world_free(&world);
}

/* ---- clients that choose by issuer ---- */

TEST(who_chooses_by_issuer_keeps_a_certificate_of_an_issuer_that_the_server_names)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2, .leaf_end = PKI_NOW + 80 * PKI_DAY });
    for (size_t i = 0; i < world.model.links.count; i++)
        world.model.links.items[i].by_issuer = true;
    struct plan_goal goal = goal_of(&world, world.root_id);
    goal.issuer = goal.anchor = world.second_id;
    goal.replace_others = true;
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check(plan.proven && !plan_refuses(&plan));
    check_int(plan.unrepaired.count, 0);
    check_int(count_kind(&plan, STEP_distrust), 3);
    world_free(&world);
}
