/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/plan.h"

#include "tests/test.h"
#include "tests/world.h"

/* Two roots of one name without key identifiers: who looks for the issuer of a certificate takes
   the first of that name in its store, whichever key it has. */
TEST(where_no_order_keeps_a_link_up_the_plan_says_so_and_why)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2 });
    struct pki first = pki_make(
        &world.arena, &(struct pki_spec){ .name = "Twin", .ca = true, .no_key_ids = true });
    struct pki second = pki_make(
        &world.arena, &(struct pki_spec){ .name = "Twin", .ca = true, .no_key_ids = true });
    uint32_t first_id = model_cert(&world.model, &first.cert);
    uint32_t second_id = model_cert(&world.model, &second.cert);
    for (size_t i = 0; i < world.model.identities.count; i++) {
        struct identity *identity = &world.model.identities.items[i];
        size_t count;
        const uint32_t *old = model_members(world.model.chains.items[identity->stored], &count);
        str name = world.model.certs.items[old[0]].common_name;
        struct pki leaf = pki_make(
            &world.arena,
            &(struct pki_spec){ .name = str_cstr(&world.arena, name),
                                .issuer = &first,
                                .no_key_ids = true,
                                .not_after = PKI_NOW + 10 * PKI_DAY,
                                .san = str_printf(&world.arena, "DNS:%.*s", STR_ARG(name)).ptr });
        uint32_t id = model_cert(&world.model, &leaf.cert);
        identity->stored = identity->loaded = model_chain(&world.model, &id, 1);
    }
    for (size_t i = 0; i < world.model.stores.count; i++)
        world.model.stores.items[i].anchors = model_anchors(&world.model, &first_id, 1);
    for (size_t i = 0; i < world.model.trusters.count; i++)
        world.model.trusters.items[i].loaded = model_anchors(&world.model, &first_id, 1);
    struct plan_goal goal = { .cluster = S("test"),
                              .now = PKI_NOW,
                              .renew_before = 30 * PKI_DAY,
                              .lifetime = 90 * PKI_DAY,
                              .issuer = second_id,
                              .anchor = second_id,
                              .replace_others = true,
                              .max_unavailable = 1 };
    plan_make(&world.arena, &world.judge, &goal, &plan);
    check(plan.proven && plan_refuses(&plan));
    check_int(plan.unrepaired.count, 0);
    for (size_t i = 0; i < plan.steps.count; i++)
        check_int(plan.steps.items[i].refused.count > 0, plan.steps.items[i].why.len > 0);
    world_free(&world);
}
