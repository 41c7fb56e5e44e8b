/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/judge.h"

#include "tests/test.h"
#include "trust/pair_test.h"
#include "trust/rules.h"

TEST(a_pair_in_order_is_accepted_until_its_first_boundary)
{
    AUTO(pair) struct pair pair;
    pair_init(&pair);
    pair.client.not_after = PKI_NOW + 7 * PKI_DAY;
    pair_link(&pair);
    struct verdict verdict = pair_judge(&pair);
    check(verdict.ok && verdict.cause == CAUSE_none && verdict.certificate == NO_ID);
    check_int(verdict.until, PKI_NOW + 7 * PKI_DAY);
}

/* Faults of one leaf, and what each is called when the server has it and when the client has it. */
TEST(a_fault_of_either_leaf_has_its_cause_and_its_side)
{
    // clang-format off
    static const struct {
        struct pki_spec fault; /* laid over the leaf's spec */
        enum cause server, client;
    } cases[] = {
        { { .not_after = PKI_NOW - 1 }, CAUSE_leaf_expired, CAUSE_client_cert_expired },
        { { .not_after = PKI_NOW }, CAUSE_leaf_expired, CAUSE_client_cert_expired },
        { { .not_after = PKI_NOW + 1 }, CAUSE_none, CAUSE_none },
        { { .not_before = PKI_NOW + 1 }, CAUSE_not_yet_valid, CAUSE_not_yet_valid },
        { { .not_before = PKI_NOW }, CAUSE_none, CAUSE_none },
        { { .digest = "SHA1" }, CAUSE_weak_signature_or_key, CAUSE_weak_signature_or_key },
        { { .rsa_bits = 1024 }, CAUSE_weak_signature_or_key, CAUSE_weak_signature_or_key },
        { { .rsa_bits = 2048 }, CAUSE_none, CAUSE_none },
        { { .extended_key_usage = "serverAuth" }, CAUSE_none, CAUSE_wrong_key_usage },
        { { .extended_key_usage = "clientAuth" }, CAUSE_wrong_key_usage, CAUSE_none },
        { { .extended_key_usage = "serverAuth,clientAuth" }, CAUSE_none, CAUSE_none },
        { { .key_usage = "critical,digitalSignature" }, CAUSE_none, CAUSE_none },
        { { .key_usage = "critical,keyEncipherment" }, CAUSE_none, CAUSE_wrong_key_usage },
        { { .key_usage = "critical,nonRepudiation" },
          CAUSE_wrong_key_usage, CAUSE_wrong_key_usage },
    };
    // clang-format on
    for (size_t i = 0; i < 2 * COUNT(cases); i++) {
        AUTO(pair) struct pair pair;
        bool client = i % 2 == 1;
        const struct pki_spec *fault = &cases[i / 2].fault;
        pair_init(&pair);
        struct pki_spec *spec = client ? &pair.client : &pair.server;
        spec->not_before = fault->not_before;
        spec->not_after = fault->not_after;
        spec->digest = fault->digest;
        spec->rsa_bits = fault->rsa_bits;
        spec->extended_key_usage = fault->extended_key_usage;
        spec->key_usage = fault->key_usage;
        pair_link(&pair);
        struct verdict verdict = pair_judge(&pair);
        enum cause want = client ? cases[i / 2].client : cases[i / 2].server;
        if (verdict.cause != want)
            fail_msg("case %zu of the %s: %s", i / 2, client ? "client" : "server",
                     verdict.ok ? "ok" : cause_code(verdict.cause));
        check(verdict.ok == (want == CAUSE_none));
        check(verdict.ok || verdict.client_side == client);
        check(verdict.ok || verdict.certificate == (client ? pair.client_id : pair.server_id));
    }
}

TEST(the_name_matters_only_where_it_is_verified_in_full)
{
    AUTO(pair) struct pair pair;
    pair_init(&pair);
    pair_link(&pair);
    pair.link.name = S("db9");
    check_int(pair_judge(&pair).cause, CAUSE_hostname_mismatch);
    check(!pair_judge(&pair).client_side);
    pair.link.verify = VERIFY_CA;
    check(pair_judge(&pair).ok);
}

TEST(the_user_and_the_wanted_identity_are_held_against_the_clients_certificate)
{
    AUTO(pair) struct pair pair;
    pair_init(&pair);
    pair_link(&pair);
    pair.link.user = S("app");
    struct verdict verdict = pair_judge(&pair);
    check_int(verdict.cause, CAUSE_client_identity_not_authorised);
    check(verdict.client_side && verdict.certificate == pair.client_id);
    pair.link.user_is_cn = false;
    check(pair_judge(&pair).ok);
    pair.model.services.items[pair.link.to].client_identity = S("CN=app");
    check_int(pair_judge(&pair).cause, CAUSE_client_identity_not_authorised);
    pair.model.services.items[pair.link.to].client_identity = S("");
    check(pair_judge(&pair).ok);
}

TEST(a_client_that_presents_nothing_is_refused_where_a_certificate_is_required)
{
    AUTO(pair) struct pair pair;
    pair_init(&pair);
    pair_link(&pair);
    struct service *server = &pair.model.services.items[pair.link.to];
    pair.link.user_is_cn = false;
    pair.ends.client_chain = NO_ID;
    check_int(pair_judge(&pair).cause, CAUSE_client_cert_missing);
    check(pair_judge(&pair).client_side && pair_judge(&pair).certificate == NO_ID);
    server->client_auth = CLIENT_AUTH_OPTIONAL;
    check(pair_judge(&pair).ok);
    pair.link.user_is_cn = true;
    check_int(pair_judge(&pair).cause, CAUSE_client_cert_missing);
    server->client_auth = CLIENT_AUTH_REQUIRED;
    pair.ends.server_chain = NO_ID;
    check_int(pair_judge(&pair).cause, CAUSE_keystore_missing);
}

TEST(a_server_without_a_certificate_is_refused_by_those_who_verify_nothing_too)
{
    AUTO(pair) struct pair pair;
    pair_init(&pair);
    pair_link(&pair);
    struct identity identity = { .key = S("db1/postgres:server"),
                                 .stored = NO_ID,
                                 .loaded = pair.ends.server_chain };
    pair.link.server_identity = model_add_identity(&pair.model, &identity);
    pair.link.verify = VERIFY_NONE;
    check(pair_judge(&pair).ok);
    pair.ends.server_chain = NO_ID;
    check_int(pair_judge(&pair).cause, CAUSE_keystore_missing);
}

TEST(a_client_certificate_is_judged_unless_the_server_asks_for_none)
{
    AUTO(pair) struct pair pair;
    pair_init(&pair);
    pair.client.not_after = PKI_NOW - 1;
    pair_link(&pair);
    pair.link.user_is_cn = false;
    struct service *server = &pair.model.services.items[pair.link.to];
    server->client_auth = CLIENT_AUTH_OPTIONAL;
    check_int(pair_judge(&pair).cause, CAUSE_client_cert_expired);
    server->client_auth = CLIENT_AUTH_NONE;
    check(pair_judge(&pair).ok);
}

/* What a trust store without the right root is called, at either end. */
TEST(a_trust_store_is_empty_stale_or_knows_another_issuer)
{
    AUTO(pair) struct pair pair;
    pair_init(&pair);
    pair_link(&pair);
    struct pki other = pki_make(&pair.arena, &(struct pki_spec){ .name = "Other", .ca = true });
    struct pki old = pki_make(&pair.arena, &(struct pki_spec){ .name = "Root", .ca = true });
    uint32_t ids[] = { pair_cert(&pair, &other), pair_cert(&pair, &old) };
    // clang-format off
    const struct {
        uint32_t anchors;
        enum cause server, client;
    } cases[] = {
        { model_anchors(&pair.model, NULL, 0), CAUSE_truststore_empty, CAUSE_truststore_empty },
        { model_anchors(&pair.model, ids, 1), CAUSE_issuer_unknown, CAUSE_client_ca_not_accepted },
        { model_anchors(&pair.model, &ids[1], 1),
          CAUSE_truststore_stale_after_rotation, CAUSE_truststore_stale_after_rotation },
        { model_anchors_with(&pair.model, model_anchors(&pair.model, ids, 2), pair.root_id),
          CAUSE_none, CAUSE_none },
    };
    // clang-format on
    struct ends good = pair.ends;
    for (size_t i = 0; i < COUNT(cases); i++) {
        pair.ends = good;
        pair.ends.client_anchors = cases[i].anchors;
        check_int(pair_judge(&pair).cause, cases[i].server);
        pair.ends = good;
        pair.ends.server_anchors = cases[i].anchors;
        check_int(pair_judge(&pair).cause, cases[i].client);
    }
}

TEST(a_self_signed_leaf_is_accepted_only_as_its_own_anchor)
{
    AUTO(pair) struct pair pair;
    pair_init(&pair);
    pair.server.issuer = NULL;
    pair_link(&pair);
    check_int(pair_judge(&pair).cause, CAUSE_self_signed_untrusted);
    pair.ends.client_anchors = model_anchors(&pair.model, &pair.server_id, 1);
    check(pair_judge(&pair).ok);
}

TEST(an_expired_root_at_the_judging_end_is_named)
{
    AUTO(pair) struct pair pair;
    pair_init(&pair);
    pair_link(&pair);
    pair.link.verify = VERIFY_NONE;
    moment later = pair.root.cert.not_after;
    check_int(judge_link(&pair.judge, &pair.link, pair.ends, later - 1).cause,
              CAUSE_client_cert_expired);
    struct verdict verdict = judge_link(&pair.judge, &pair.link, pair.ends, later);
    check_int(verdict.cause, CAUSE_root_expired);
    check(verdict.certificate == pair.root_id && verdict.client_side);
    check_int(verdict.until, INT64_MAX);
}

TEST(a_missing_intermediate_that_is_known_elsewhere_makes_the_chain_incomplete)
{
    AUTO(pair) struct pair pair;
    pair_init(&pair);
    struct pki between = pki_make(
        &pair.arena, &(struct pki_spec){ .name = "Between", .ca = true, .issuer = &pair.root });
    pair.server.issuer = &between;
    pair_link(&pair);
    check_int(pair_judge(&pair).cause, CAUSE_issuer_unknown);
    uint32_t chain[] = { pair.server_id, pair_cert(&pair, &between) };
    check_int(pair_judge(&pair).cause, CAUSE_chain_incomplete);
    pair.ends.server_chain = model_chain(&pair.model, chain, 2);
    check(pair_judge(&pair).ok);
}

/* PostgreSQL with a lone leaf sends the intermediate that it finds in its ssl_ca_file. */
TEST(removing_an_intermediate_from_the_senders_trust_file_breaks_what_is_sent)
{
    AUTO(pair) struct pair pair;
    pair_init(&pair);
    struct pki between = pki_make(
        &pair.arena, &(struct pki_spec){ .name = "Between", .ca = true, .issuer = &pair.root });
    pair.server.issuer = &between;
    pair_link(&pair);
    pair.ends.server_anchors =
        model_anchors_with(&pair.model, pair.ends.server_anchors, pair_cert(&pair, &between));
    check(pair_judge(&pair).ok);
    pair.ends.server_anchors = model_anchors(&pair.model, &pair.root_id, 1);
    check_int(pair_judge(&pair).cause, CAUSE_chain_incomplete);
}

TEST(a_planned_certificate_is_judged_by_its_fields_and_its_signature_is_taken_for_granted)
{
    AUTO(pair) struct pair pair;
    pair_init(&pair);
    pair.server.not_after = PKI_NOW - 1;
    pair_link(&pair);
    struct pki second = pki_make(&pair.arena, &(struct pki_spec){ .name = "Second", .ca = true });
    uint32_t issuer = pair_cert(&pair, &second);
    struct cert planned = pair.model.certs.items[pair.server_id];
    planned.sha256 = planned.spki_sha256 = S("new:1");
    planned.issuer_der = second.cert.subject_der;
    planned.authority_key_id = second.cert.subject_key_id;
    planned.not_after = PKI_NOW + PKI_DAY;
    uint32_t id = model_cert(&pair.model, &planned);
    judge_assume_signed(&pair.judge, id, issuer);
    pair.ends.server_chain = model_chain(&pair.model, &id, 1);
    check_int(pair_judge(&pair).cause, CAUSE_issuer_unknown);
    pair.ends.client_anchors = model_anchors_with(&pair.model, pair.ends.client_anchors, issuer);
    check(pair_judge(&pair).ok);
    check_int(pair_judge(&pair).until, PKI_NOW + PKI_DAY);
}

TEST(a_hundred_thousand_links_over_the_same_ends_cost_two_signature_checks)
{
    AUTO(pair) struct pair pair;
    pair_init(&pair);
    pair_link(&pair);
    for (int i = 0; i < 100000; i++)
        check(judge_link(&pair.judge, &pair.link, pair.ends, PKI_NOW + i % 1000).ok);
    check_int(pair.judge.facts.signature_checks, 2);
    check_int(pair.judge.paths.count, 2);
}

TEST(an_earlier_verdict_is_not_taken_for_another_moment)
{
    AUTO(pair) struct pair pair;
    pair_init(&pair);
    pair.server.not_after = PKI_NOW + PKI_DAY;
    pair_link(&pair);
    const moment days[] = { 0, 2, 0, -2, 1, 0 };
    const enum cause want[] = { CAUSE_none,          CAUSE_leaf_expired, CAUSE_none,
                                CAUSE_not_yet_valid, CAUSE_leaf_expired, CAUSE_none };
    for (size_t i = 0; i < COUNT(days); i++)
        check_int(judge_link(&pair.judge, &pair.link, pair.ends, PKI_NOW + days[i] * PKI_DAY).cause,
                  want[i]);
}

TEST(stored_and_loaded_ends_are_told_apart)
{
    AUTO(pair) struct pair pair;
    pair_init(&pair);
    pair_link(&pair);
    struct model *model = &pair.model;
    uint32_t none = model_anchors(model, NULL, 0), root = pair.ends.client_anchors;
    struct trust_store store = { .key = S("db2/trust"), .anchors = root };
    struct truster truster = { .key = S("db2/postgres:trust"), .loaded = none };
    list_push(&pair.arena, &truster.stores) = model_add_store(model, &store);
    struct identity identity = { .key = S("db1/postgres:server"),
                                 .stored = pair.ends.server_chain,
                                 .loaded = pair.ends.client_chain };
    pair.link.client_truster = model_add_truster(model, &truster);
    pair.link.server_identity = model_add_identity(model, &identity);
    struct ends loaded = ends_loaded(model, &pair.link), stored = ends_stored(model, &pair.link);
    check(loaded.client_anchors == none && stored.client_anchors == root);
    check(loaded.server_chain == identity.loaded && stored.server_chain == identity.stored);
    check(loaded.client_chain == NO_ID && stored.server_anchors == NO_ID);
}

/* The intermediate's faults by the exact cause, where OpenSSL has one code for several. */
TEST(a_fault_of_the_intermediate_has_its_exact_cause)
{
    const struct pki_spec faults[] = {
        {.name = "Between",                .ca = true},
        {                  .name = "Between", .basic_constraints = "CA:FALSE"         },
        {  .name = "Between", .ca = true,          .key_usage = "digitalSignature" },
        { .name = "Between",        .ca = true,                 .not_after = PKI_NOW - 1 },
        { .name = "Between",              .ca = true,                       .no_key_ids = true },
    };
    const enum cause want[] = { CAUSE_none, CAUSE_ca_basic_constraints, CAUSE_wrong_key_usage,
                                CAUSE_intermediate_expired, CAUSE_chain_incomplete };
    for (size_t i = 0; i < COUNT(faults); i++) {
        AUTO(pair) struct pair pair;
        pair_init(&pair);
        struct pki_spec spec = faults[i];
        spec.issuer = &pair.root;
        struct pki between = pki_make(&pair.arena, &spec);
        struct pki twin = pki_make(&pair.arena, &spec); /* the same name, another key */
        pair.server.issuer = &between;
        pair.server.no_key_ids = spec.no_key_ids;
        pair_link(&pair);
        uint32_t chain[] = { pair.server_id, pair_cert(&pair, i == 4 ? &twin : &between) };
        pair.ends.server_chain = model_chain(&pair.model, chain, 2);
        check_int(pair_judge(&pair).cause, want[i]);
    }
}

TEST(an_anchor_that_fits_by_name_alone_is_stale_when_it_did_not_sign)
{
    AUTO(pair) struct pair pair;
    pair_init(&pair);
    pair.server.no_key_ids = true;
    pair_link(&pair);
    struct pki twin = pki_make(&pair.arena, &(struct pki_spec){ .name = "Root", .ca = true });
    uint32_t id = pair_cert(&pair, &twin);
    pair.ends.client_anchors = model_anchors(&pair.model, &id, 1);
    struct verdict verdict = pair_judge(&pair);
    check_int(verdict.cause, CAUSE_truststore_stale_after_rotation);
    check_int(verdict.certificate, pair.server_id);
}

TEST(a_leaf_that_cannot_be_read_or_understood_is_malformed)
{
    AUTO(pair) struct pair pair;
    pair_init(&pair);
    pair_link(&pair);
    struct cert odd = pair.model.certs.items[pair.server_id], cut = odd;
    odd.sha256 = S("odd");
    odd.critical_unknown = true;
    cut.sha256 = S("cut");
    cut.der.len--;
    const uint32_t ids[] = { model_cert(&pair.model, &odd), model_cert(&pair.model, &cut) };
    for (size_t i = 0; i < COUNT(ids); i++) {
        pair.ends.server_chain = model_chain(&pair.model, &ids[i], 1);
        check_int(pair_judge(&pair).cause, CAUSE_cert_malformed);
    }
}

TEST(of_a_signer_neither_names_nor_purposes_matter_but_its_dates_do)
{
    AUTO(pair) struct pair pair;
    pair_init(&pair);
    pair.server.extended_key_usage = "codeSigning";
    pair_link(&pair);
    check_int(pair_judge(&pair).cause, CAUSE_wrong_key_usage);
    pair.link.kind = LINK_SIGNER;
    pair.link.name = S("another");
    pair.ends.client_chain = pair.ends.server_anchors = NO_ID;
    check(pair_judge(&pair).ok);
    moment end = pair.model.certs.items[pair.server_id].not_after;
    check_int(judge_link(&pair.judge, &pair.link, pair.ends, end).cause,
              CAUSE_signing_cert_expired);
    pair.ends.client_anchors = model_anchors(&pair.model, NULL, 0);
    check_int(pair_judge(&pair).cause, CAUSE_truststore_empty);
}
