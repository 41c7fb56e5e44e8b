/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/state.h"

#include "tests/test.h"
#include "tests/world.h"

TEST(a_switch_changes_what_is_stored_and_a_refresh_what_is_loaded)
{
    struct world world;
    struct state state;
    world_make(&world, &(struct world_spec){ .half_renewed = 2 });
    state_of_model(&world.arena, &world.model, &state);
    check(state.chain_stored[1] != state.chain_loaded[1]);

    struct step other = { .kind = STEP_refresh, .node = S("db1"), .service = S("postgres") };
    state_apply(&world.model, &state, &other);
    check(state.chain_stored[1] != state.chain_loaded[1]);

    struct step refresh = { .kind = STEP_refresh, .node = S("db2"), .service = S("postgres") };
    state_apply(&world.model, &state, &refresh);
    check_int(state.chain_stored[1], state.chain_loaded[1]);

    struct step change = { .kind = STEP_switch, .identity = 1 };
    change.new_chain = model_chain(&world.model, &world.second_id, 1);
    state_apply(&world.model, &state, &change);
    check(state.chain_stored[1] != state.chain_loaded[1]);
    world_free(&world);
}

TEST(a_client_that_reads_per_connection_uses_an_anchor_as_soon_as_it_is_stored)
{
    struct world world;
    struct state state;
    world_make(&world, &(struct world_spec){ .nodes = 2 });
    state_of_model(&world.arena, &world.model, &state);
    uint32_t app_store = (uint32_t)world.model.stores.count - 1;
    uint32_t app_truster = (uint32_t)world.model.trusters.count - 1;
    for (uint32_t store = 0; store <= app_store; store++) {
        struct step trust = { .kind = STEP_trust,
                              .trust_store = store,
                              .new_cert = world.second_id };
        state_apply(&world.model, &state, &trust);
    }
    check(model_anchors_have(&world.model, state.truster_loaded[app_truster], world.second_id));
    check(!model_anchors_have(&world.model, state.truster_loaded[0], world.second_id));
    check(model_anchors_have(&world.model, state.truster_stored[0], world.second_id));
    world_free(&world);
}
