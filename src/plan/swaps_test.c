/* SPDX-License-Identifier: Apache-2.0 */
/* Covers swaps.c and swap_time.c: stores that have room for one anchor. */
#include "plan/order_test.h"

/* Two servers and a client; the client's trust store, or each, has room for one. */
struct slot {
    struct world world;
    struct plan_goal goal;
    struct plan plan;
    uint32_t cross; /* the second root by the first */
};
DEFINE_AUTO(slot, struct slot, world_free(&handle->world))

static void slot_make(struct slot *slot, const struct world_spec *spec)
{
    *slot = (struct slot){ 0 };
    world_make(&slot->world, spec);
    struct world *world = &slot->world;
    struct pki cross = pki_make(&world->arena, &(struct pki_spec){ .name = "Second",
                                                                   .ca = true,
                                                                   .issuer = &world->root,
                                                                   .key_of = &world->second });
    slot->cross = model_cert(&world->model, &cross.cert);
    slot->goal = goal_of(world, world->second_id);
    slot->goal.replace_others = true;
}

static struct trust_store *store_of(struct slot *slot, const char *key)
{
    uint32_t id = map_get(&slot->world.model.store_ids, str_c(key));
    check(id != NO_ID);
    return &slot->world.model.stores.items[id];
}

static struct identity *identity_of(struct slot *slot, const char *key)
{
    uint32_t id = map_get(&slot->world.model.identity_ids, str_c(key));
    check(id != NO_ID);
    return &slot->world.model.identities.items[id];
}

static str outline_of(struct slot *slot)
{
    plan_make(&slot->world.arena, &slot->world.judge, &slot->goal, &slot->plan);
    return outline(&slot->world.arena, &slot->plan);
}

static const struct step *replacement(const struct slot *slot)
{
    const struct step *found = NULL;
    for (size_t i = 0; i < slot->plan.steps.count; i++)
        if (slot->plan.steps.items[i].kind == STEP_replace)
            found = &slot->plan.steps.items[i];
    return found;
}

/* What every store holds in the end. */
static void check_end(struct slot *slot, const char *store, uint32_t anchor)
{
    struct walk walk;
    walk_start(&slot->world.arena, &slot->world.model, &walk);
    for (size_t i = 0; i < slot->plan.steps.count; i++)
        walk_step(&walk, &slot->plan.steps.items[i]);
    uint32_t id = map_get(&slot->world.model.store_ids, str_c(store));
    check_int(walk.after.anchors_stored[id], model_anchors(&slot->world.model, &anchor, 1));
}

/* A leaf of this name by the second root, with the cross certificate behind it. */
static uint32_t crossed_chain(struct slot *slot, const char *name, moment end)
{
    struct arena *arena = &slot->world.arena;
    struct pki leaf =
        pki_make(arena, &(struct pki_spec){ .name = name,
                                            .issuer = &slot->world.second,
                                            .not_after = end,
                                            .extended_key_usage = "serverAuth,clientAuth",
                                            .san = str_printf(arena, "DNS:%s", name).ptr });
    const uint32_t chain[] = { model_cert(&slot->world.model, &leaf.cert), slot->cross };
    return model_chain(&slot->world.model, chain, 2);
}

static void present(struct slot *slot, const char *identity, uint32_t chain)
{
    struct identity *row = identity_of(slot, identity);
    row->stored = row->loaded = chain;
}

TEST(what_is_cross_signed_is_good_for_the_old_anchor_until_the_new_one_takes_its_place)
{
    AUTO(slot) struct slot slot;
    slot_make(&slot, &(struct world_spec){ .nodes = 2, .leaf_end = PKI_NOW + 80 * PKI_DAY });
    store_of(&slot, "app/trust")->single = true;
    list_push(&slot.world.arena, &slot.goal.sent_along) = slot.cross;
    str steps = outline_of(&slot);
    check(slot.plan.proven && !plan_refuses(&slot.plan));
    check_int(slot.plan.unrepaired.count, 0);
    check(str_find(steps, S("refresh db1/postgres\n"
                            "hold /\n")) < steps.len);
    check(str_find(steps, S("replace app/trust\n")) > str_find(steps, S("hold /\n")));
    const struct step *step = replacement(&slot);
    check_str(step->expects,
              model_cert_name(&slot.world.arena, &slot.world.model, slot.world.root_id));
    check_str(step->leaves, step->certificate);
    check_str(step->text, S("put CN=Second in the place of CN=Root in app/trust"));
    check_end(&slot, "app/trust", slot.world.second_id);
    check_int(slot.plan.retired.count, 1);
}

TEST(where_nothing_is_good_for_both_anchors_the_links_of_that_store_are_down_and_no_others)
{
    AUTO(slot) struct slot slot;
    slot_make(&slot, &(struct world_spec){ .nodes = 2, .leaf_end = PKI_NOW + 80 * PKI_DAY });
    store_of(&slot, "app/trust")->single = true;
    check_str(outline_of(&slot),
              S("snapshot db1/trust, snapshot db2/trust, snapshot app/trust, snapshot db1/server, "
                "snapshot db2/server, snapshot db2/client, snapshot app/client\n"
                "issue db1/server, issue db2/server, issue db2/client, issue app/client\n"
                "trust db1/trust, trust db2/trust\n"
                "refresh db2/postgres\n"
                "refresh db1/postgres\n"
                "install db2/server, install db2/client\n"
                "switch db2/server, switch db2/client\n"
                "refresh db2/postgres\n"
                "replace app/trust\n"
                "install app/client\n"
                "switch app/client\n"
                "install db1/server\n"
                "switch db1/server\n"
                "refresh db1/postgres\n"
                "hold /\n"
                "distrust db1/trust, distrust db2/trust\n"
                "refresh db2/postgres\n"
                "refresh db1/postgres\n"
                "verify db2/postgres, verify app/app, verify db1/postgres\n"));
    check(slot.plan.proven && plan_refuses(&slot.plan));
    check_int(slot.plan.unrepaired.count, 0);
    for (size_t i = 0; i < slot.plan.steps.count; i++) {
        const struct step *step = &slot.plan.steps.items[i];
        for (size_t k = 0; k < step->refused.count; k++)
            check(str_starts(step->refused.items[k], S("app/app->")));
        if (step->refused.count > 0)
            check(str_starts(step->why, S("app/trust holds one anchor at a time, and ")));
    }
    check_end(&slot, "app/trust", slot.world.second_id);
}

TEST(what_is_good_for_both_now_and_not_later_is_met_by_the_new_anchor_first)
{
    AUTO(slot) struct slot slot;
    slot_make(&slot, &(struct world_spec){ .nodes = 2 });
    store_of(&slot, "app/trust")->single = true;
    slot.goal.replace_others = false;
    present(&slot, "db1/postgres:server", crossed_chain(&slot, "db1", PKI_NOW + 10 * PKI_DAY));
    present(&slot, "db2/postgres:server", crossed_chain(&slot, "db2", PKI_NOW + 10 * PKI_DAY));
    str steps = outline_of(&slot);
    check(slot.plan.proven && !plan_refuses(&slot.plan));
    check(str_find(steps, S("replace app/trust\n")) < str_find(steps, S("install ")));
    check_end(&slot, "app/trust", slot.world.second_id);
}

TEST(a_reader_that_loads_at_its_start_is_restarted_once_for_what_took_the_old_anchors_place)
{
    AUTO(slot) struct slot slot;
    slot_make(&slot, &(struct world_spec){ .nodes = 2, .restart = true });
    store_of(&slot, "db1/trust")->single = true;
    list_push(&slot.world.arena, &slot.goal.sent_along) = slot.cross;
    str steps = outline_of(&slot);
    size_t loads = 0;
    for (size_t i = 0; i < slot.plan.steps.count; i++)
        loads += str_eq(slot.plan.steps.items[i].node, S("db1")) &&
                 slot.plan.steps.items[i].kind == STEP_refresh;
    check(slot.plan.proven && !plan_refuses(&slot.plan));
    check(str_find(steps, S("replace db1/trust\n")) < steps.len);
    check_int(loads, 2); /* its certificate, and the anchor */
    check_end(&slot, "db1/trust", slot.world.second_id);
}

TEST(what_was_replaced_and_not_loaded_when_it_stopped_is_loaded_by_the_same_step)
{
    AUTO(slot) struct slot slot;
    slot_make(&slot, &(struct world_spec){ .nodes = 2, .leaf_end = PKI_NOW + 80 * PKI_DAY });
    store_of(&slot, "db1/trust")->single = true;
    list_push(&slot.world.arena, &slot.goal.sent_along) = slot.cross;
    (void)outline_of(&slot);
    str load = S("");
    for (size_t i = 0; i < slot.plan.steps.count; i++)
        if (str_eq(slot.plan.steps.items[i].leaves, S("anchor replaced")))
            load = slot.plan.steps.items[i].id;
    check(load.len > 0);
    static const char *const names[][2] = {
        {"db1/postgres:server",  "db1"     },
        { "db2/postgres:server", "db2"     },
        { "db2/postgres:client", "postgres"},
        { "app/app:client",      "app"     }
    };
    for (size_t i = 0; i < COUNT(names); i++)
        present(&slot, names[i][0], crossed_chain(&slot, names[i][1], PKI_NOW + 80 * PKI_DAY));
    list_push(&slot.world.arena, &slot.goal.retire) = slot.world.root_id;
    uint32_t next = model_anchors(&slot.world.model, &slot.world.second_id, 1);
    for (size_t i = 0; i < slot.world.model.stores.count; i++)
        slot.world.model.stores.items[i].anchors = next;
    for (size_t i = 1; i < slot.world.model.trusters.count; i++)
        slot.world.model.trusters.items[i].loaded = next;
    check_str(outline_of(&slot), S("refresh db1/postgres\nverify db1/postgres\n"));
    check_str(slot.plan.steps.items[0].id, load);
}

TEST(a_link_is_not_repaired_by_an_anchor_that_breaks_another_for_good)
{
    AUTO(slot) struct slot slot;
    slot_make(&slot, &(struct world_spec){ .nodes = 2, .leaf_end = PKI_NOW + 80 * PKI_DAY });
    store_of(&slot, "app/trust")->single = true;
    slot.goal.replace_others = false;
    present(&slot, "db2/postgres:server", crossed_chain(&slot, "db2", PKI_NOW - PKI_DAY));
    (void)outline_of(&slot);
    check(slot.plan.proven && !plan_refuses(&slot.plan));
    check(replacement(&slot) == NULL);
    check_int(slot.plan.unrepaired.count, 1);
    check_str(slot.plan.unrepaired.items[0], S("app/app->db2/postgres"));
}

TEST(on_the_way_back_the_earlier_anchor_takes_the_place_of_the_later_one)
{
    AUTO(slot) struct slot slot;
    slot_make(&slot, &(struct world_spec){ .nodes = 2, .leaf_end = PKI_NOW + 80 * PKI_DAY });
    struct world *world = &slot.world;
    struct trust_store *store = store_of(&slot, "app/trust");
    store->single = true;
    plan_return_list returns = { 0 };
    static const char *const names[] = { "db1/postgres:server", "db2/postgres:server" };
    for (size_t i = 0; i < COUNT(names); i++) {
        struct identity *row = identity_of(&slot, names[i]);
        list_push(&world->arena, &returns) =
            (struct plan_return){ .identity = (uint32_t)(row - world->model.identities.items),
                                  .chain = row->stored,
                                  .new_key = true,
                                  .trust_store = NO_ID };
        present(&slot, names[i], crossed_chain(&slot, i == 0 ? "db1" : "db2", 0));
    }
    store->anchors = model_anchors(&world->model, &world->second_id, 1);
    uint32_t truster = map_get(&world->model.truster_ids, S("app/app:trust"));
    world->model.trusters.items[truster].loaded = store->anchors;
    list_push(&world->arena, &returns) =
        (struct plan_return){ .identity = NO_ID,
                              .trust_store = (uint32_t)(store - world->model.stores.items),
                              .anchor = world->root_id,
                              .regain = true };
    struct plan_goal goal = goal_of(world, NO_ID);
    plan_back(&world->arena, &world->judge, &goal, &returns, &slot.plan);
    str steps = outline(&world->arena, &slot.plan);
    check(slot.plan.proven);
    check_int(slot.plan.unrepaired.count, 0);
    check(str_find(steps, S("replace app/trust\n")) < str_find(steps, S("switch ")));
    check_end(&slot, "app/trust", world->root_id);
}
