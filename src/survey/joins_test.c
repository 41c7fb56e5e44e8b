/* SPDX-License-Identifier: Apache-2.0 */
/* Covers copies.c, joins.c, parts.c, pins.c and wire.c: what is declared and seen of a small
   cluster becomes the rows of a model. */
#include "survey/parts.h"

#include "tests/pki.h"
#include "tests/test.h"

struct bench {
    struct arena arena;
    struct cluster cluster;
    struct survey survey;
    struct pki root, rsa, ec, other;
};
DEFINE_AUTO(bench, struct bench, arena_free(&handle->arena))

static void bench_make(struct bench *bench, const char *declared)
{
    AUTO(err) struct err err = { 0 };
    struct arena *arena = &bench->arena;
    struct survey *survey = &bench->survey;
    *bench = (struct bench){ 0 };
    check_ok(cluster_parse(arena, "/c.yaml", str_c(declared), true, &bench->cluster, &err), &err);
    bench->root = pki_make(arena, &(struct pki_spec){ .name = "Root", .ca = true });
    bench->rsa = pki_make(
        arena, &(struct pki_spec){ .name = "rsa", .issuer = &bench->root, .rsa_bits = 2048 });
    bench->ec = pki_make(arena, &(struct pki_spec){ .name = "ec", .issuer = &bench->root });
    bench->other = pki_make(arena, &(struct pki_spec){ .name = "other", .issuer = &bench->root });
    *survey = (struct survey){ .arena = arena, .cluster = &bench->cluster };
    model_init(&survey->model, arena);
    for (size_t i = 0; i < bench->cluster.nodes.count; i++)
        list_push(arena, &survey->nodes) = (struct seen_node){ .reached = true };
}

static struct seen_store *see(struct bench *bench, size_t node, const char *name,
                              const struct pki *leaf)
{
    struct seen_node *seen = &bench->survey.nodes.items[node];
    struct seen_store *store = &list_push(&bench->arena, &seen->stores);
    *store = (struct seen_store){ .name = str_c(name), .matches = true };
    if (leaf != NULL)
        list_push(&bench->arena, &store->certificates) = leaf->cert;
    return store;
}

static struct model *bench_add(struct bench *bench)
{
    for (size_t i = 0; i < bench->cluster.nodes.count; i++)
        for (size_t k = 0; k < bench->cluster.nodes.items[i].services.count; k++)
            survey_add_service(&bench->survey, &bench->cluster.nodes.items[i],
                               &bench->cluster.nodes.items[i].services.items[k]);
    for (size_t i = 0; i < bench->cluster.links.count; i++)
        check(survey_add_link(&bench->survey, &bench->cluster.links.items[i]));
    return &bench->survey.model;
}

static str identity_of(const struct model *model, uint32_t id)
{
    return id == NO_ID ? S("none") : model->identities.items[id].key;
}

#define SERVER                                                                              \
    "web: {stores: {rsa: {certificate: /r, key: /rk}, ec: {certificate: /e, key: /ek},"     \
    " shop: {certificate: /s, key: /sk}}, services: {https: {listen: 'h:443', identities: " \
    "[{store: rsa}, {store: ec}, {store: shop, sni: Shop.example}]}}}"

TEST(each_certificate_that_a_server_may_show_is_a_row_of_its_link)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench, "{nodes: {" SERVER ", app: {services: {app: {}}}}, links: ["
                       "{from: app/app, to: web/https, name: any.example, user: u},"
                       "{from: app/app, to: web/https, name: shop.example}]}");
    see(&bench, 0, "rsa", &bench.rsa), see(&bench, 0, "ec", &bench.ec);
    see(&bench, 0, "shop", &bench.other);
    const struct model *model = bench_add(&bench);
    check_int(model->links.count, 3);
    check_str(model->links.items[0].key, S("app/app->web/https#u"));
    check_str(model->links.items[1].key, S("app/app->web/https:ec#u"));
    check_str(model->links.items[2].key, S("app/app->web/https"));
    check_str(identity_of(model, model->links.items[0].server_identity), S("web/https:rsa"));
    check_str(identity_of(model, model->links.items[1].server_identity), S("web/https:ec"));
    check_str(identity_of(model, model->links.items[2].server_identity), S("web/https:shop"));
    check(survey_is_first(&bench.survey, 0) && survey_is_first(&bench.survey, 2));
    check(!survey_is_first(&bench.survey, 1));
}

TEST(what_a_server_shows_is_told_by_the_name_asked_for_and_by_the_kind_of_key)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench, "{nodes: {" SERVER "}}");
    see(&bench, 0, "rsa", &bench.rsa), see(&bench, 0, "ec", &bench.ec);
    see(&bench, 0, "shop", &bench.ec);
    struct model *model = bench_add(&bench);
    struct seen_service seen = { .name = S("https"), .asked = true };
    struct seen_name named = { .name = S("Shop.example") };
    list_push(&bench.arena, &seen.presented) = bench.other.cert; /* an EC key that is not stored */
    list_push(&bench.arena, &named.presented) = bench.ec.cert;
    list_push(&bench.arena, &seen.named) = named;
    list_push(&bench.arena, &bench.survey.nodes.items[0].services) = seen;
    survey_look_at_wire(&bench.survey);
    const struct identity *rows = model->identities.items;
    check(rows[0].loaded == rows[0].stored); /* rsa: not seen, taken to be as stored */
    check(rows[1].loaded != rows[1].stored); /* ec */
    check(rows[2].loaded == rows[2].stored); /* shop */
    check_int(bench.survey.findings.count, 1);
    check_int(bench.survey.findings.items[0].code, FINDING_restart_needed_after_renewal);
}

TEST(a_client_of_several_identities_chooses_by_issuer_or_is_a_row_for_each)
{
    static const struct {
        const char *stack, *selects;
        bool by_issuer, completes;
    } cases[] = {
        {"openssl",  "",                            false, true },
        { "gnutls",  "",                            false, false},
        { "nginx",   "",                            false, false},
        { "go",      "",                            true,  false},
        { "jsse",    "",                            true,  false},
        { "jsse",    "client_selects: always, ",    false, false},
        { "openssl", "client_selects: by_issuer, ", true,  true },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(bench) struct bench bench;
        AUTO(arena) struct arena arena = { 0 };
        str text = str_printf(&arena,
                              "{nodes: {" SERVER ", app: {stores: {a: {certificate: /a}, b: "
                              "{certificate: /b}}, services: {app: {stack: %s, %sidentities: "
                              "[{store: a}, {store: b}]}}}}, links: [{from: app/app, to: "
                              "web/https, name: shop.example}]}",
                              cases[i].stack, cases[i].selects);
        bench_make(&bench, text.ptr);
        see(&bench, 0, "shop", &bench.other);
        see(&bench, 1, "a", &bench.rsa), see(&bench, 1, "b", &bench.ec);
        const struct model *model = bench_add(&bench);
        const struct link *first = &model->links.items[0];
        check_int(stack_row(model->services.items[first->from].stack)->completes,
                  cases[i].completes);
        check_int(first->by_issuer, cases[i].by_issuer);
        check_int(model->links.count, cases[i].by_issuer ? 1 : 2);
        check_int(first->more_identities.count, cases[i].by_issuer ? 1 : 0);
        check_str(identity_of(model, first->client_identity), S("app/app:a"));
        uint32_t second = cases[i].by_issuer ? first->more_identities.items[0]
                                             : model->links.items[1].client_identity;
        check_str(identity_of(model, second), S("app/app:b"));
        if (!cases[i].by_issuer)
            check_str(model->links.items[1].key, S("app/app->web/https<b"));
    }
}

#define VERIFIER                                                          \
    "api: {stores: {t: {certificates: /t}, p: {format: pins, path: /p}}," \
    " services: {api: {listen: 'h:1', trust: [t], pins: [p], load: {trust: restart}}}}"

TEST(a_signer_is_judged_by_the_verifier_s_trust_and_pins)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench, "{nodes: {sso: {stores: {sign: {certificate: /s, key: /k}}, services: {sts: "
                       "{identities: [{store: sign}]}}}, " VERIFIER "}, links: "
                       "[{kind: signer, from: sso/sts, to: api/api}]}");
    struct pin pin = { PIN_SPKI, bench.ec.cert.spki_sha256 };
    see(&bench, 0, "sign", &bench.ec);
    see(&bench, 1, "t", &bench.root);
    struct seen_store *pins = see(&bench, 1, "p", NULL);
    list_push(&bench.arena, &pins->pins) = pin;
    struct model *model = bench_add(&bench);
    const struct link *link = &model->links.items[0];
    check_int(link->kind, LINK_SIGNER);
    check_str(identity_of(model, link->server_identity), S("sso/sts:sign"));
    check_str(model->trusters.items[link->client_truster].key, S("api/api:t+p"));
    check_int(model->trusters.items[link->client_truster].load, LOAD_RESTART);
    judge_init(&bench.survey.judge, model);
    struct ends ends = ends_stored(model, link);
    check(judge_link(&bench.survey.judge, link, ends, PKI_NOW).ok);
    ends.server_chain = model_chain(model, (uint32_t[]){ model_cert(model, &bench.rsa.cert) }, 1);
    check_int(judge_link(&bench.survey.judge, link, ends, PKI_NOW).cause, CAUSE_pin_mismatch);
}

TEST(pins_can_stand_in_the_cluster_file_or_in_place_of_anchors)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench,
               "{nodes: {" SERVER ", app: {stores: {p: {format: pins, path: /p}}, services: {"
               "alone: {pins: [p]}, none: {}}}}, links: [{from: app/alone, to: web/https}, "
               "{from: app/none, to: web/https}], pins: {web/https: [{cert: 'sha256:"
               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'}]}}");
    see(&bench, 0, "rsa", &bench.rsa);
    struct seen_store *pins = see(&bench, 1, "p", NULL);
    list_push(&bench.arena, &pins->pins) = (struct pin){ PIN_CERT, bench.rsa.cert.sha256 };
    struct model *model = bench_add(&bench);
    judge_init(&bench.survey.judge, model);
    const struct link *alone = &model->links.items[0], *none = &model->links.items[1];
    check(alone->verify == VERIFY_NONE && none->verify == VERIFY_NONE);
    check_int(model->trusters.items[alone->client_truster].stores.count, 2);
    check(judge_link(&bench.survey.judge, alone, ends_stored(model, alone), PKI_NOW).ok);
    check_int(judge_link(&bench.survey.judge, none, ends_stored(model, none), PKI_NOW).cause,
              CAUSE_pin_mismatch);
    uint32_t fixed = map_get(&model->store_ids, S("pins/web/https"));
    check(fixed != NO_ID && model->stores.items[fixed].fixed);
    survey_look_at_pins(&bench.survey);
    check_int(bench.survey.findings.count, 1); /* the one in the cluster file */
    check_int(bench.survey.findings.items[0].code, FINDING_pin_stale);
    check_str(bench.survey.findings.items[0].where, S("pins/web/https"));
}

TEST(services_that_share_a_store_share_no_reference_that_could_be_switched_alone)
{
    AUTO(bench) struct bench bench;
    bench_make(&bench, "{nodes: {n: {stores: {s: {certificate: /s}, o: {certificate: /o}}, "
                       "services: {a: {reference: /a.conf, identities: [{store: s}]}, "
                       "b: {reference: /b.conf, identities: [{store: s}, {store: o}]}}}}}");
    see(&bench, 0, "s", &bench.ec), see(&bench, 0, "o", &bench.rsa);
    const struct model *model = bench_add(&bench);
    const struct identity *rows = model->identities.items;
    check_int(model->identities.count, 3);
    check(rows[0].first == 0 && rows[1].first == 0 && rows[2].first == 2);
    check(!rows[0].has_reference && !rows[1].has_reference && rows[2].has_reference);
}

TEST(stores_that_are_made_from_another_follow_it_whoever_reads_them)
{
    AUTO(bench) struct bench bench;
    bench_make(
        &bench,
        "{nodes: {web: {stores: {pair: {certificate: /p, key: /k}, all: {certificate: /a, "
        "key: /a, derived_from: pair}, spare: {certificate: /s, key: /s, derived_from: pair},"
        " cas: {certificates: /c}, more: {certificates: /m, derived_from: cas}, "
        "lone: {certificate: /l, key: /l}, twin: {certificate: /t, key: /t, derived_from: "
        "lone}}, services: {one: {identities: [{store: pair}], trust: [cas]}, "
        "two: {identities: [{store: all}]}}}}}");
    static const char *const pairs[] = { "pair", "all", "spare", "lone", "twin" };
    for (size_t i = 0; i < COUNT(pairs); i++)
        see(&bench, 0, pairs[i], &bench.ec);
    see(&bench, 0, "cas", &bench.root), see(&bench, 0, "more", &bench.root);
    struct model *model = bench_add(&bench);
    survey_add_copies(&bench.survey);
    check_int(model->derived_identities.count, 2); /* nobody reads the lone one or its twin */
    static const char *const copies[] = { "web/two:all", "web/:spare" };
    for (size_t i = 0; i < COUNT(copies); i++) {
        const struct derivation *derived = &model->derived_identities.items[i];
        check_str(identity_of(model, derived->source), S("web/one:pair"));
        check_str(identity_of(model, derived->copy), str_c(copies[i]));
    }
    check_int(model->derived_stores.count, 1);
    const struct derivation *derived = &model->derived_stores.items[0];
    check_str(model->stores.items[derived->source].name, S("cas"));
    check_str(model->stores.items[derived->copy].name, S("more"));
}
