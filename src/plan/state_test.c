/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/state.h"

#include "tests/test.h"
#include "tests/world.h"

TEST(a_switch_changes_what_is_stored_and_a_refresh_what_is_loaded)
{
    struct world world;
    struct walk walk;
    world_make(&world, &(struct world_spec){ .half_renewed = 2 });
    walk_start(&world.arena, &world.model, &walk);
    check(walk.after.chain_stored[1] != walk.after.chain_loaded[1]);

    struct step other = { .kind = STEP_refresh, .node = S("db1"), .service = S("postgres") };
    walk_step(&walk, &other);
    check(walk.after.chain_stored[1] != walk.after.chain_loaded[1]);

    struct step refresh = { .kind = STEP_refresh, .node = S("db2"), .service = S("postgres") };
    walk_step(&walk, &refresh);
    check_int(walk.after.chain_stored[1], walk.after.chain_loaded[1]);

    struct step change = { .kind = STEP_switch, .identity = 1 };
    change.new_chain = model_chain(&world.model, &world.second_id, 1);
    walk_step(&walk, &change);
    check(walk.after.chain_stored[1] != walk.after.chain_loaded[1]);
    world_free(&world);
}

TEST(a_client_that_reads_per_connection_uses_an_anchor_as_soon_as_it_is_stored)
{
    struct world world;
    struct walk walk;
    world_make(&world, &(struct world_spec){ .nodes = 2 });
    walk_start(&world.arena, &world.model, &walk);
    uint32_t app_store = (uint32_t)world.model.stores.count - 1;
    uint32_t app_truster = (uint32_t)world.model.trusters.count - 1;
    for (uint32_t store = 0; store <= app_store; store++) {
        struct step trust = { .kind = STEP_trust,
                              .trust_store = store,
                              .new_cert = world.second_id };
        walk_step(&walk, &trust);
    }
    check(
        model_anchors_have(&world.model, walk.after.truster_loaded[app_truster], world.second_id));
    check(!model_anchors_have(&world.model, walk.after.truster_loaded[0], world.second_id));
    check(model_anchors_have(&world.model, walk.after.truster_stored[0], world.second_id));
    world_free(&world);
}

TEST(a_walk_lists_each_change_once_and_none_that_was_taken_back)
{
    struct world world;
    struct walk walk;
    world_make(&world, &(struct world_spec){ .nodes = 2 });
    walk_start(&world.arena, &world.model, &walk);
    uint32_t old = walk.before.chain_stored[0], other = walk.before.chain_stored[1];
    struct step steps[] = {
        {.kind = STEP_switch,  .identity = 0,    .new_chain = other         },
        { .kind = STEP_switch, .identity = 0,    .new_chain = old           },
        { .kind = STEP_switch, .identity = 0,    .new_chain = other         },
        { .kind = STEP_switch, .identity = 1,    .new_chain = old           },
        { .kind = STEP_switch, .identity = 1,    .new_chain = other         },
        { .kind = STEP_trust,  .trust_store = 1, .new_cert = world.second_id},
    };
    for (size_t i = 0; i < COUNT(steps); i++)
        walk_step(&walk, &steps[i]);
    walk_sort(&walk);
    /* db2 trusts by one file for its server, which reloads, and for its sessions, which do not. */
    static const struct state_change want[] = {
        {STATE_CHAIN_STORED,    0},
        { STATE_ANCHORS_STORED, 1},
        { STATE_TRUSTER_STORED, 1},
        { STATE_TRUSTER_STORED, 2},
        { STATE_TRUSTER_LOADED, 2}
    };
    check_int(walk.changes.count, COUNT(want));
    for (size_t i = 0; i < COUNT(want); i++) {
        check_int(walk.changes.items[i].part, want[i].part);
        check_int(walk.changes.items[i].id, want[i].id);
    }
    check_int(walk.before.chain_stored[0], old);
    walk_on(&walk);
    check_int(walk.before.chain_stored[0], other);
    check_int(walk.changes.count, 0);
    world_free(&world);
}
