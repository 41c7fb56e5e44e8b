/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/plan.h"

#include "tests/test.h"
#include "tests/world.h"

#include <jansson.h>
#include <stdlib.h>

DEFINE_AUTO(json, json_t *, json_decref(*handle))

static json_t *document(struct world *world, const struct plan *plan)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    struct emit emit = { .out = out };
    plan_source_list sources = { 0 };
    list_push(&world->arena, &sources) = (struct plan_source){ S("/a"), S("sha256:00") };
    emit_object(&emit, NULL);
    plan_emit(&emit, &world->model, plan, &sources);
    emit_object_end(&emit);
    fclose(out);
    json_error_t error;
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    free(text);
    check(root != NULL);
    return root;
}

TEST(a_document_holds_the_start_every_change_and_what_was_judged)
{
    struct world world;
    struct plan plan;
    world_make(&world, &(struct world_spec){ .nodes = 2 });
    struct plan_goal goal = { .now = PKI_NOW,
                              .renew_before = 30 * PKI_DAY,
                              .lifetime = 90 * PKI_DAY,
                              .issuer = world.second_id,
                              .anchor = world.second_id,
                              .max_unavailable = 1 };
    plan_make(&world.arena, &world.judge, &goal, &plan);
    AUTO(json) json_t *root = document(&world, &plan);
    const json_t *proof = json_object_get(root, "proof");
    const json_t *start = json_object_get(proof, "start");
    check_int(json_array_size(json_object_get(root, "steps")), plan.steps.count);
    check_int(json_object_size(json_object_get(start, "stored")), 4);
    check_int(json_object_size(json_object_get(start, "trusts")), 3 + 4);

    size_t index;
    json_t *wave;
    int64_t judged = 0;
    size_t added = 0;
    json_array_foreach(json_object_get(proof, "waves"), index, wave)
    {
        const json_t *changes = json_object_get(wave, "changes");
        judged += json_integer_value(json_object_get(wave, "judged"));
        check_int(json_array_size(json_object_get(wave, "broken")), 0);
        const json_t *trust = json_object_get(json_object_get(changes, "trusts"), "db1/trust");
        added += json_array_size(json_object_get(trust, "add"));
    }
    check(judged > 0);
    check_int(added, 1);
    world_free(&world);
}

TEST(every_step_kind_is_found_by_its_name)
{
    enum step_kind kind;
    for (int row = 0; row < STEP_KIND_COUNT; row++) {
        check(step_kind_parse(str_c(step_kind_name((enum step_kind)row)), &kind));
        check_int(kind, row);
        check(step_kind_text((enum step_kind)row)[0] != '\0');
    }
    check(!step_kind_parse(S("restart"), &kind));
}
