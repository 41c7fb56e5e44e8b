/* SPDX-License-Identifier: Apache-2.0 */
/* Covers back.c and planner.c. */
#include "plan/plan.h"

#include "tests/test.h"
#include "tests/world.h"

/* A cluster of two servers that was renewed from the second root, which every store now has. */
struct renewed {
    struct world world;
    plan_return_list returns; /* the whole way back */
    struct plan plan;
};

static uint32_t renewed_chain(struct world *world, uint32_t old)
{
    size_t count;
    const uint32_t *members = model_members(world->model.chains.items[old], &count);
    str cn = world->model.certs.items[members[0]].common_name;
    const char *name = str_cstr(&world->arena, cn);
    struct pki leaf = pki_make(
        &world->arena, &(struct pki_spec){ .name = name,
                                           .issuer = &world->second,
                                           .extended_key_usage = "serverAuth,clientAuth",
                                           .san = str_printf(&world->arena, "DNS:%s", name).ptr });
    uint32_t id = model_cert(&world->model, &leaf.cert);
    return model_chain(&world->model, &id, 1);
}

static void renew(struct renewed *at, const struct world_spec *spec, bool in_place)
{
    *at = (struct renewed){ 0 };
    world_make(&at->world, spec);
    struct model *model = &at->world.model;
    for (uint32_t i = 0; i < model->identities.count; i++) {
        struct identity *identity = &model->identities.items[i];
        list_push(&at->world.arena, &at->returns) = (struct plan_return){ .identity = i,
                                                                          .chain = identity->stored,
                                                                          .new_key = !in_place,
                                                                          .in_place = in_place,
                                                                          .trust_store = NO_ID };
        identity->stored = identity->loaded = renewed_chain(&at->world, identity->stored);
    }
    const uint32_t both[] = { at->world.root_id, at->world.second_id };
    uint32_t anchors = model_anchors(model, both, 2);
    for (uint32_t i = 0; i < model->stores.count; i++) {
        model->stores.items[i].anchors = anchors;
        list_push(&at->world.arena, &at->returns) = (struct plan_return){
            .identity = NO_ID, .trust_store = i, .anchor = at->world.second_id
        };
    }
    for (uint32_t i = 0; i < model->trusters.count; i++)
        model->trusters.items[i].loaded = anchors;
}
DEFINE_AUTO(renewed, struct renewed, world_free(&handle->world))

static void go_back(struct renewed *at)
{
    struct plan_goal goal = { .cluster = S("test"), .now = PKI_NOW, .max_unavailable = 1 };
    plan_back(&at->world.arena, &at->world.judge, &goal, &at->returns, &at->plan);
}

/* "kind node/store, …" a line for each wave. */
static str outline(struct renewed *at)
{
    struct buf out = { 0 };
    buf_add(&at->world.arena, &out, S(""));
    for (size_t i = 0; i < at->plan.waves.count; i++) {
        const struct wave *wave = &at->plan.waves.items[i];
        for (size_t j = 0; j < wave->steps.count; j++) {
            const struct step *step = &at->plan.steps.items[wave->steps.items[j]];
            buf_printf(&at->world.arena, &out, "%s%s %.*s/%.*s", j == 0 ? "" : ", ",
                       step_kind_name(step->kind), STR_ARG(step->node),
                       STR_ARG(step->store.len > 0 ? step->store : step->service));
        }
        buf_add(&at->world.arena, &out, S("\n"));
    }
    return buf_str(&out);
}

TEST(the_way_back_switches_replicas_first_and_takes_the_anchor_away_last)
{
    AUTO(renewed) struct renewed at;
    renew(&at, &(struct world_spec){ .nodes = 2 }, false);
    go_back(&at);
    check_str(outline(&at), S("snapshot db1/trust, snapshot db2/trust, snapshot app/trust, "
                              "snapshot db1/server, snapshot db2/server, snapshot db2/client, "
                              "snapshot app/client\n"
                              "switch db2/server, switch db2/client\n"
                              "refresh db2/postgres\n"
                              "switch app/client\n"
                              "switch db1/server\n"
                              "refresh db1/postgres\n"
                              "distrust db1/trust, distrust db2/trust, distrust app/trust\n"
                              "refresh db2/postgres\n"
                              "refresh db1/postgres\n"
                              "verify db2/postgres, verify app/app, verify db1/postgres\n"));
    check(at.plan.proven);
    check_int(at.plan.unrepaired.count, 0);
}

TEST(a_step_back_names_the_certificate_that_it_goes_back_to)
{
    AUTO(renewed) struct renewed at;
    renew(&at, &(struct world_spec){ .nodes = 2 }, false);
    go_back(&at);
    size_t switches = 0;
    for (size_t i = 0; i < at.plan.steps.count; i++) {
        const struct step *step = &at.plan.steps.items[i];
        if (step->kind == STEP_distrust)
            check_str(step->certificate, str_printf(&at.world.arena, "sha256:%.*s",
                                                    STR_ARG(at.world.second.cert.sha256)));
        if (step->kind != STEP_switch)
            continue;
        switches++;
        check_int(step->certificate.len, 7 + 64);
        check(str_starts(step->certificate, S("sha256:")));
        check(str_starts(step->expects, S("sha256:")));
        check(!str_eq(step->certificate, step->expects));
        check_str(step->leaves, step->certificate);
        check(step->new_key && !step->in_place);
    }
    check_int(switches, 4);
}

TEST(an_anchor_that_is_taken_away_before_the_identities_have_gone_back_breaks_the_proof)
{
    AUTO(renewed) struct renewed at;
    renew(&at, &(struct world_spec){ .nodes = 2 }, false);
    go_back(&at);
    struct wave removal = at.plan.waves.items[6];
    check_int(at.plan.steps.items[removal.steps.items[0]].kind, STEP_distrust);
    for (size_t i = 6; i > 1; i--)
        at.plan.waves.items[i] = at.plan.waves.items[i - 1];
    at.plan.waves.items[1] = removal;
    plan_prove(&at.world.arena, &at.world.judge, PKI_NOW, &at.plan);
    check(!at.plan.proven);
    check(at.plan.waves.items[1].broken.count > 0);
}

TEST(the_way_back_to_what_has_expired_is_not_proven)
{
    AUTO(renewed) struct renewed at;
    renew(&at, &(struct world_spec){ .nodes = 2, .leaf_end = PKI_NOW - PKI_DAY }, false);
    go_back(&at);
    check(!at.plan.proven);
    check(at.plan.unrepaired.count > 0);
}

TEST(what_was_written_in_place_is_written_over_again)
{
    AUTO(renewed) struct renewed at;
    renew(&at, &(struct world_spec){ .nodes = 2, .in_place = true }, true);
    at.returns.count = 4; /* the identities alone */
    go_back(&at);
    check_str(outline(&at), S("snapshot db1/server, snapshot db2/server, snapshot db2/client, "
                              "snapshot app/client\n"
                              "install db2/server, install db2/client\n"
                              "refresh db2/postgres\n"
                              "install app/client\n"
                              "install db1/server\n"
                              "refresh db1/postgres\n"
                              "verify db2/postgres, verify app/app, verify db1/postgres\n"));
    check(at.plan.proven);
    for (size_t i = 0; i < at.plan.steps.count; i++)
        if (at.plan.steps.items[i].kind == STEP_install)
            check(at.plan.steps.items[i].in_place && !at.plan.steps.items[i].new_key);
}

/* Another service of db1 reads the server's files. */
static void add_reader(struct renewed *at, enum load_mode load)
{
    struct model *model = &at->world.model;
    struct service service = { .key = S("db1/gate"),
                               .node = S("db1"),
                               .name = S("gate"),
                               .stack = STACK_openssl,
                               .client_truster = NO_ID };
    struct identity identity = model->identities.items[0];
    identity.key = S("db1/gate:server");
    identity.service = S("gate");
    identity.load = load;
    model_add_service(model, &service);
    model_add_identity(model, &identity);
}

TEST(every_reader_of_files_that_are_written_over_loads_them_again)
{
    for (int named = 0; named < 2; named++) {
        AUTO(renewed) struct renewed at;
        renew(&at, &(struct world_spec){ .nodes = 1, .in_place = true }, true);
        add_reader(&at, LOAD_RELOAD);
        at.returns.count = 1; /* the server's */
        if (named == 1) {     /* it was saved for the other one too */
            list_push(&at.world.arena, &at.returns) = at.returns.items[0];
            at.returns.items[1].identity = (uint32_t)at.world.model.identities.count - 1;
        }
        go_back(&at);
        check_str(outline(&at), S("snapshot db1/server, snapshot db1/server\n"
                                  "install db1/server\n"
                                  "refresh db1/gate\n"
                                  "refresh db1/postgres\n"
                                  "verify db1/gate, verify db1/postgres\n"));
        check(at.plan.proven);
    }
}

TEST(what_never_changed_or_is_back_already_needs_no_step)
{
    AUTO(renewed) struct renewed at;
    renew(&at, &(struct world_spec){ .nodes = 2 }, false);
    struct model *model = &at.world.model;
    for (uint32_t i = 0; i < model->identities.count; i++)
        if (!str_eq(model->identities.items[i].node, S("app")))
            model->identities.items[i].stored = model->identities.items[i].loaded =
                at.returns.items[i].chain;
    for (uint32_t i = 0; i < model->stores.count; i++)
        model->stores.items[i].anchors =
            model_anchors_without(model, model->stores.items[i].anchors, at.world.root_id);
    for (size_t i = 4; i < at.returns.count; i++)
        at.returns.items[i].anchor = at.world.root_id;
    go_back(&at);
    check_str(outline(&at), S("snapshot app/client\nswitch app/client\nverify app/app\n"));
    at.returns.count = 0;
    go_back(&at);
    check_str(outline(&at), S(""));
    check(at.plan.proven);
}
