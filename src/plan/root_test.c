/* SPDX-License-Identifier: Apache-2.0 */
/* Covers anchors.c: another root goes in, and the old one goes out. */
#include "plan/order_test.h"

static struct plan_goal change_of_root(const struct world *world)
{
    struct plan_goal goal = goal_of(world, world->second_id);
    goal.replace_others = true;
    return goal;
}

static bool is_anywhere(struct world *world, const struct plan *plan, uint32_t anchor)
{
    struct walk walk;
    walk_start(&world->arena, &world->model, &walk);
    for (size_t i = 0; i < plan->steps.count; i++)
        walk_step(&walk, &plan->steps.items[i]);
    const struct state *end = &walk.after;
    for (size_t i = 0; i < world->model.stores.count; i++)
        if (model_anchors_have(&world->model, end->anchors_stored[i], anchor))
            return true;
    for (size_t i = 0; i < world->model.trusters.count; i++)
        if (model_anchors_have(&world->model, end->truster_loaded[i], anchor))
            return true;
    return false;
}

TEST(another_root_goes_in_first_and_the_old_one_goes_out_last_after_a_hold)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2, .leaf_end = PKI_NOW + 80 * PKI_DAY });
    struct plan_goal goal = change_of_root(&world);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check_str(outline(&world.arena, &plan),
              S("snapshot db1/trust, snapshot db2/trust, snapshot app/trust, snapshot db1/server, "
                "snapshot db2/server, snapshot db2/client, snapshot app/client\n"
                "issue db1/server, issue db2/server, issue db2/client, issue app/client\n"
                "trust db1/trust, trust db2/trust, trust app/trust\n"
                "refresh db2/postgres\n"
                "refresh db1/postgres\n"
                "install db2/server, install db2/client\n"
                "switch db2/server, switch db2/client\n"
                "refresh db2/postgres\n"
                "install app/client\n"
                "switch app/client\n"
                "install db1/server\n"
                "switch db1/server\n"
                "refresh db1/postgres\n"
                "hold /\n"
                "distrust db1/trust, distrust db2/trust, distrust app/trust\n"
                "refresh db2/postgres\n"
                "refresh db1/postgres\n"
                "verify db2/postgres, verify app/app, verify db1/postgres\n"));
    check(plan.proven && !plan_refuses(&plan));
    check_int(plan.unrepaired.count, 0);
    check_int(plan.retired.count, 1);
    check_int(plan.retired.items[0], world.root_id);
    check(!is_anywhere(&world, &plan, world.root_id));
    check(is_anywhere(&world, &plan, world.second_id));
    world_free(&world);
}

TEST(a_change_of_root_that_was_stopped_before_its_end_takes_the_old_one_out)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2, .leaf_end = PKI_NOW + 80 * PKI_DAY });
    struct plan_goal goal = goal_of(&world, world.root_id);
    list_push(&world.arena, &goal.retire) = world.second_id;
    for (size_t i = 0; i < world.model.stores.count; i++) {
        uint32_t *anchors = &world.model.stores.items[i].anchors;
        *anchors = model_anchors_with(&world.model, *anchors, world.second_id);
    }
    for (size_t i = 0; i < world.model.trusters.count; i++)
        world.model.trusters.items[i].loaded = world.model.stores.items[0].anchors;
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check_str(outline(&world.arena, &plan),
              S("snapshot db1/trust, snapshot db2/trust, snapshot app/trust\n"
                "hold /\n"
                "distrust db1/trust, distrust db2/trust, distrust app/trust\n"
                "refresh db2/postgres\n"
                "refresh db1/postgres\n"
                "verify db2/postgres, verify db1/postgres\n"));
    check(plan.proven && !plan_refuses(&plan));
    check(!is_anywhere(&world, &plan, world.second_id));
    world_free(&world);
}

TEST(an_old_anchor_that_is_out_of_every_file_is_put_out_of_memory_too)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2, .leaf_end = PKI_NOW + 80 * PKI_DAY });
    struct plan_goal goal = goal_of(&world, world.root_id);
    list_push(&world.arena, &goal.retire) = world.second_id;
    uint32_t *loaded = &world.model.trusters.items[0].loaded;
    *loaded = model_anchors_with(&world.model, *loaded, world.second_id);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check_str(outline(&world.arena, &plan), S("refresh db1/postgres\nverify db1/postgres\n"));
    world_free(&world);
}

TEST(an_anchor_that_a_link_needs_stays_and_the_plan_says_for_whom)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2, .leaf_end = PKI_NOW + 80 * PKI_DAY });
    struct plan_goal goal = goal_of(&world, world.second_id);
    list_push(&world.arena, &goal.retire) = world.root_id;
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check_int(plan.steps.count, 0);
    check_int(plan.kept.count, 3);
    check_str(plan.kept.items[0].link, S("db2/postgres->db1/postgres"));
    world_free(&world);
}

TEST(two_roots_of_one_name_are_told_apart_by_their_keys)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2, .leaf_end = PKI_NOW + 80 * PKI_DAY });
    struct pki twin = pki_make(&world.arena, &(struct pki_spec){ .name = "Root", .ca = true });
    uint32_t id = model_cert(&world.model, &twin.cert);
    struct plan_goal goal = goal_of(&world, id);
    goal.replace_others = true;
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check_int(count_kind(&plan, STEP_issue), 4);
    check(plan.proven && !plan_refuses(&plan));
    check_int(plan.unrepaired.count, 0);
    check(!is_anywhere(&world, &plan, world.root_id));
    check(is_anywhere(&world, &plan, id));
    world_free(&world);
}

TEST(a_root_made_anew_with_its_old_key_takes_the_old_ones_place)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2, .leaf_end = PKI_NOW + 80 * PKI_DAY });
    struct pki anew =
        pki_make(&world.arena, &(struct pki_spec){ .name = "Root",
                                                   .ca = true,
                                                   .key_of = &world.root,
                                                   .not_after = PKI_NOW + 7000 * PKI_DAY });
    uint32_t id = model_cert(&world.model, &anew.cert);
    struct plan_goal goal = goal_of(&world, id);
    goal.replace_others = true;
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check_int(count_kind(&plan, STEP_issue), 0); /* it signed them all */
    check_int(count_kind(&plan, STEP_trust), 3);
    check(plan.proven && !plan_refuses(&plan));
    check(!is_anywhere(&world, &plan, world.root_id));
    world_free(&world);
}

TEST(behind_an_intermediate_its_root_is_what_is_trusted_and_it_is_sent_along)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2, .leaf_end = PKI_NOW + 80 * PKI_DAY });
    struct pki middle = pki_make(
        &world.arena, &(struct pki_spec){ .name = "Middle", .ca = true, .issuer = &world.second });
    uint32_t id = model_cert(&world.model, &middle.cert);
    struct plan_goal goal = goal_of(&world, id);
    goal.anchor = world.second_id;
    goal.replace_others = true;
    list_push(&world.arena, &goal.sent_along) = id;
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check(plan.proven && !plan_refuses(&plan));
    check_int(plan.unrepaired.count, 0);
    check(!is_anywhere(&world, &plan, world.root_id));
    check(!is_anywhere(&world, &plan, id));
    check(is_anywhere(&world, &plan, world.second_id));
    world_free(&world);
}

TEST(behind_a_cross_certificate_nothing_has_to_be_loaded_before_identities_change)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2, .leaf_end = PKI_NOW + 80 * PKI_DAY });
    struct pki cross = pki_make(&world.arena, &(struct pki_spec){ .name = "Second",
                                                                  .ca = true,
                                                                  .issuer = &world.root,
                                                                  .key_of = &world.second });
    struct plan_goal goal = change_of_root(&world);
    list_push(&world.arena, &goal.sent_along) = model_cert(&world.model, &cross.cert);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check(plan.proven && !plan_refuses(&plan));
    check_int(plan.unrepaired.count, 0);
    for (size_t i = 0; i < plan.steps.count; i++)
        check(!str_eq(plan.steps.items[i].leaves, S("trust loaded")));
    check(!is_anywhere(&world, &plan, world.root_id));
    world_free(&world);
}

TEST(a_cross_certificate_goes_before_the_root_that_signed_it)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2, .leaf_end = PKI_NOW + 80 * PKI_DAY });
    struct pki cross = pki_make(&world.arena, &(struct pki_spec){ .name = "Second",
                                                                  .ca = true,
                                                                  .key_of = &world.second,
                                                                  .issuer = &world.root });
    uint32_t id = model_cert(&world.model, &cross.cert);
    for (size_t i = 0; i < world.model.stores.count; i++)
        world.model.stores.items[i].anchors =
            model_anchors_with(&world.model, world.model.stores.items[i].anchors, id);
    struct plan_goal goal = change_of_root(&world);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check(plan.proven && !plan_refuses(&plan));
    check(!is_anywhere(&world, &plan, id) && !is_anywhere(&world, &plan, world.root_id));
    uint32_t gone[2];
    size_t waves = 0;
    for (size_t i = 0; i < plan.waves.count; i++) {
        const struct step *first = &plan.steps.items[plan.waves.items[i].steps.items[0]];
        if (first->kind == STEP_distrust)
            gone[waves++] = first->new_cert;
    }
    check_int(waves, 2);
    check(gone[0] == id && gone[1] == world.root_id);
    world_free(&world);
}

TEST(an_old_anchor_that_a_refresh_loads_meanwhile_is_put_out_of_memory_too)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2, .leaf_end = PKI_NOW + 80 * PKI_DAY });
    for (size_t i = 0; i < world.model.trusters.count; i++)
        world.model.trusters.items[i].loaded =
            model_anchors(&world.model, &world.second_id, 1); /* the root was stored since */
    struct plan_goal goal = change_of_root(&world);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check(!is_anywhere(&world, &plan, world.root_id));
    world_free(&world);
}

TEST(an_anchor_goes_to_a_store_of_anchors_and_never_to_one_of_pins)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2, .leaf_end = PKI_NOW + 80 * PKI_DAY });
    uint32_t app = map_get(&world.model.truster_ids, S("app/app:trust"));
    struct pin known = { PIN_SPKI, world.root.cert.spki_sha256 };
    uint32_t pin = model_pin(&world.model, known);
    struct trust_store pins = { .key = S("app/pins"),
                                .node = S("app"),
                                .name = S("pins"),
                                .kind = STORE_PINS,
                                .anchors = model_anchors(&world.model, &pin, 1) };
    struct truster *truster = &world.model.trusters.items[app];
    uint32_t anchors = truster->stores.items[0];
    truster->stores.items[0] = model_add_store(&world.model, &pins);
    list_push(&world.arena, &truster->stores) = anchors;
    truster->loaded = truster_stored(&world.model, truster);
    struct plan_goal goal = change_of_root(&world);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    size_t trusted = 0;
    for (size_t i = 0; i < plan.steps.count; i++) {
        bool trusts = plan.steps.items[i].kind == STEP_trust;
        check(!trusts || !str_eq(plan.steps.items[i].store, S("pins")));
        trusted += trusts;
    }
    check_int(trusted, 3);
    world_free(&world);
}

TEST(what_vouches_for_a_certificate_that_a_client_presents_elsewhere_goes_too)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2, .leaf_end = PKI_NOW + 80 * PKI_DAY });
    struct model *model = &world.model;
    struct link *link = &model->links.items[map_get(&model->link_ids, S("app/app->db1/postgres"))];
    struct identity other = model->identities.items[link->client_identity];
    struct pki third = pki_make(&world.arena, &(struct pki_spec){ .name = "Third", .ca = true });
    struct pki leaf = pki_make(&world.arena, &(struct pki_spec){ .name = "app", .issuer = &third });
    uint32_t anchor = model_cert(model, &third.cert), presented = model_cert(model, &leaf.cert);
    other.key = S("app/app:other"), other.store = S("other");
    other.stored = other.loaded = model_chain(model, &presented, 1);
    link->by_issuer = true;
    list_push(&world.arena, &link->more_identities) = model_add_identity(model, &other);
    struct truster *verifier =
        &model->trusters.items[model->services.items[link->to].client_truster];
    uint32_t *stored = &model->stores.items[verifier->stores.items[0]].anchors;
    *stored = model_anchors_with(model, *stored, anchor);
    verifier->loaded = *stored;
    struct plan_goal goal = change_of_root(&world);
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check(plan.proven && !plan_refuses(&plan));
    check_int(count_kind(&plan, STEP_issue), 5);
    check(!is_anywhere(&world, &plan, anchor));
    check(!is_anywhere(&world, &plan, world.root_id));
    world_free(&world);
}
