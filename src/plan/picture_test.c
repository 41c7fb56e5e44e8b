/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/picture.h"

#include "tests/pki.h"
#include "tests/test.h"
#include "tests/world.h"

static uint32_t add(struct model *model, struct arena *arena, const struct pki_spec *spec,
                    struct pki *ret_pki)
{
    *ret_pki = pki_make(arena, spec);
    return model_cert(model, &ret_pki->cert);
}

static str root_with(struct arena *arena, const char *before, str hex)
{
    return str_printf(arena, "Root (%s%.*s)", before, 8, hex.ptr);
}

TEST(authorities_of_one_name_are_told_apart_by_their_keys_and_then_by_their_fingerprints)
{
    AUTO(arena) struct arena arena = { 0 };
    struct model model;
    struct judge judge;
    struct names names;
    struct pki alone, old, new, again, leaf, other;
    model_init(&model, &arena);
    judge_init(&judge, &model);
    uint32_t ids[] = {
        add(&model, &arena, &(struct pki_spec){ .name = "Alone", .ca = true }, &alone),
        add(&model, &arena, &(struct pki_spec){ .name = "Root", .ca = true }, &old),
        add(&model, &arena, &(struct pki_spec){ .name = "Root", .ca = true }, &new),
        add(&model, &arena, &(struct pki_spec){ .name = "Root", .ca = true, .key_of = &new },
            &again),
        add(&model, &arena, &(struct pki_spec){ .name = "a", .issuer = &new }, &leaf),
        add(&model, &arena, &(struct pki_spec){ .name = "b", .issuer = &alone }, &other),
    };
    names_init(&names, &arena, &judge);
    check_str(name_of_authority(&names, ids[0]), S("Alone"));
    check_str(name_of_authority(&names, ids[1]), root_with(&arena, "key ", old.cert.spki_sha256));
    check_str(name_of_authority(&names, ids[2]), root_with(&arena, "", new.cert.sha256));
    check_str(name_of_authority(&names, ids[3]), root_with(&arena, "", again.cert.sha256));
    /* Which of the certificates of its issuer's key was meant cannot be told, nor does it matter.
     */
    check_str(name_of_issuer(&names, ids[4]), root_with(&arena, "key ", new.cert.spki_sha256));
    check_str(name_of_issuer(&names, ids[5]), S("Alone"));
}

TEST(an_issuer_that_the_cluster_does_not_have_is_named_as_the_certificate_names_it)
{
    AUTO(arena) struct arena arena = { 0 };
    struct model model;
    struct judge judge;
    struct names names;
    struct pki root, leaf, own;
    model_init(&model, &arena);
    judge_init(&judge, &model);
    root = pki_make(&arena, &(struct pki_spec){ .name = "Far", .organisation = "X", .ca = true });
    uint32_t id = add(&model, &arena, &(struct pki_spec){ .name = "a", .issuer = &root }, &leaf);
    uint32_t self = add(&model, &arena, &(struct pki_spec){ .name = "own" }, &own);
    names_init(&names, &arena, &judge);
    check_str(name_of_issuer(&names, id), leaf.cert.issuer);
    check_str(name_of_issuer(&names, self), S("itself"));
}

TEST(a_pin_is_named_by_what_it_remembers)
{
    AUTO(arena) struct arena arena = { 0 };
    struct model model;
    struct judge judge;
    struct names names;
    model_init(&model, &arena);
    judge_init(&judge, &model);
    struct pin pin = { PIN_SPKI,
                       S("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef") };
    uint32_t id = model_pin(&model, pin);
    names_init(&names, &arena, &judge);
    check_str(name_of_authority(&names, id), S("pin 01234567"));
}

static struct picture picture_of(struct world *world, struct names *names,
                                 const struct state *state)
{
    struct picture picture;
    names_init(names, &world->arena, &world->judge);
    picture_make(&world->arena, names, state, &picture);
    return picture;
}

TEST(who_runs_with_something_else_than_is_stored_is_counted_or_in_a_group_of_its_own)
{
    struct world world;
    struct names names;
    struct state state;
    world_make(&world, &(struct world_spec){ .nodes = 3, .half_renewed = 2 });
    world.model.trusters.items[0].loaded = model_anchors(&world.model, &world.second_id, 1);
    state_of_model(&world.arena, &world.model, &state);
    struct picture picture = picture_of(&world, &names, &state);
    check_int(picture.presents.count, 1);
    check_str(picture.presents.items[0].what, S("Root"));
    check_int(picture.presents.items[0].ids.count, world.model.identities.count);
    check_int(picture.presents.items[0].pending, 1);
    check_int(picture.presents.items[0].fresh, 0);
    check_int(picture.trusts.count, 2);
    check_str(picture.trusts.items[0].what, S("Root"));
    check_str(picture.trusts.items[0].stored, S(""));
    check_str(picture.trusts.items[1].what, S("Second"));
    check_str(picture.trusts.items[1].stored, S("Root"));
    check_int(picture.trusts.items[1].ids.count, 1);
    world_free(&world);
}

TEST(who_has_nothing_presents_nothing_and_trusts_nobody)
{
    struct world world;
    struct names names;
    struct state state;
    world_make(&world, &(struct world_spec){ .nodes = 1 });
    world.model.identities.items[0].stored = world.model.identities.items[0].loaded = NO_ID;
    world.model.stores.items[1].anchors = world.model.trusters.items[1].loaded =
        model_anchors(&world.model, NULL, 0);
    state_of_model(&world.arena, &world.model, &state);
    struct picture picture = picture_of(&world, &names, &state);
    check_int(picture.presents.count, 2);
    check_str(picture.presents.items[1].what, S("nobody"));
    check_str(name_of_leaf(&names, state.chain_loaded[0]), S("nothing"));
    check_int(name_of_leaf(&names, state.chain_loaded[1]).len, 8);
    check_str(picture.trusts.items[1].what, S("nobody"));
    check_int(picture.trusts.items[1].ids.items[0], 1);
    world_free(&world);
}

TEST(of_many_anchors_the_first_and_the_last_are_named_and_the_others_counted)
{
    struct world world;
    struct names names;
    struct state state;
    uint32_t ids[7];
    struct pki roots[7];
    world_make(&world, &(struct world_spec){ .nodes = 1 });
    for (size_t i = 0; i < COUNT(ids); i++) {
        struct pki_spec spec = { .name = str_printf(&world.arena, "R%zu", i).ptr, .ca = true };
        ids[i] = add(&world.model, &world.arena, &spec, &roots[i]);
    }
    world.model.trusters.items[0].loaded = model_anchors(&world.model, ids, 6);
    world.model.trusters.items[1].loaded = model_anchors(&world.model, ids, 7);
    state_of_model(&world.arena, &world.model, &state);
    struct picture picture = picture_of(&world, &names, &state);
    check_int(picture.trusts.count, 2);
    check_str(picture.trusts.items[0].what, S("R0, R1, R2, R3, R4, R5"));
    check_str(picture.trusts.items[1].what, S("R0, R1, 3 others, R5, R6"));
    world_free(&world);
}

TEST(a_service_is_named_with_its_store_only_where_it_has_several)
{
    struct world world;
    struct names names;
    world_make(&world, &(struct world_spec){ .nodes = 2 });
    names_init(&names, &world.arena, &world.judge);
    check_str(name_of_identity(&names, 0), S("db1/postgres"));
    check_str(name_of_identity(&names, 1), S("db2/postgres:server"));
    check_str(name_of_truster(&names, 0), S("db1/postgres"));
    check_str(name_of_truster(&names, 2), S("db2/postgres:upstream"));
    world_free(&world);
}
