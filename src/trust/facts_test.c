/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/facts.h"

#include "tests/pki.h"
#include "tests/test.h"

TEST(names_that_differ_in_case_have_one_id)
{
    AUTO(arena) struct arena arena = { 0 };
    struct model model;
    struct facts facts;
    model_init(&model, &arena);
    facts_init(&facts, &model);
    const char *names[] = { "Root", "ROOT", "Other" };
    for (size_t i = 0; i < COUNT(names); i++) {
        struct pki root = pki_make(&arena, &(struct pki_spec){ .name = names[i], .ca = true });
        model_cert(&model, &root.cert);
    }
    check_int(facts_of(&facts, 0)->subject, facts_of(&facts, 1)->subject);
    check(facts_of(&facts, 0)->subject != facts_of(&facts, 2)->subject);
    check_int(facts_first_named(&facts, facts_of(&facts, 0)->subject), 1);
    check_int(facts_of(&facts, 1)->next_same_subject, 0);
    check(facts_of(&facts, 0)->next_same_subject == NO_ID);
}

TEST(a_pair_is_asked_once_and_a_key_identifier_tells_issuers_apart)
{
    AUTO(arena) struct arena arena = { 0 };
    struct model model;
    struct facts facts;
    model_init(&model, &arena);
    facts_init(&facts, &model);
    struct pki root = pki_make(&arena, &(struct pki_spec){ .name = "Root", .ca = true });
    struct pki twin = pki_make(&arena, &(struct pki_spec){ .name = "Root", .ca = true });
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1", .issuer = &root });
    uint32_t root_id = model_cert(&model, &root.cert), twin_id = model_cert(&model, &twin.cert);
    uint32_t leaf_id = model_cert(&model, &leaf.cert);
    check(facts_likely_issued(&facts, leaf_id, root_id));
    check(!facts_likely_issued(&facts, leaf_id, twin_id));
    check(facts_of(&facts, root_id)->self_signed && !facts_of(&facts, leaf_id)->self_signed);
    for (int i = 0; i < 3; i++) {
        check(facts_signed(&facts, leaf_id, root_id));
        check(!facts_signed(&facts, leaf_id, twin_id));
    }
    check_int(facts.signature_checks, 2);
}

TEST(a_certificate_that_cannot_be_decoded_has_no_facts)
{
    AUTO(arena) struct arena arena = { 0 };
    struct model model;
    struct facts facts;
    model_init(&model, &arena);
    facts_init(&facts, &model);
    struct pki root = pki_make(&arena, &(struct pki_spec){ .name = "Root", .ca = true });
    root.cert.der.len -= 1;
    uint32_t id = model_cert(&model, &root.cert);
    check(!facts_of(&facts, id)->decodable && !facts_of(&facts, id)->self_signed);
}

TEST(a_planned_certificate_is_signed_by_every_certificate_with_its_issuers_key)
{
    AUTO(arena) struct arena arena = { 0 };
    struct model model;
    struct facts facts;
    model_init(&model, &arena);
    facts_init(&facts, &model);
    struct pki root = pki_make(&arena, &(struct pki_spec){ .name = "Root", .ca = true });
    struct pki again =
        pki_make(&arena, &(struct pki_spec){ .name = "Root", .ca = true, .key_of = &root });
    struct pki twin = pki_make(&arena, &(struct pki_spec){ .name = "Root", .ca = true });
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1", .issuer = &twin });
    struct cert planned = leaf.cert;
    planned.sha256 = planned.spki_sha256 = S("new:1");
    uint32_t root_id = model_cert(&model, &root.cert), again_id = model_cert(&model, &again.cert);
    uint32_t twin_id = model_cert(&model, &twin.cert), planned_id = model_cert(&model, &planned);
    facts_assume_signed(&facts, planned_id, again_id);
    check(facts_signed(&facts, planned_id, again_id));
    check(facts_signed(&facts, planned_id, root_id));
    check(!facts_signed(&facts, planned_id, twin_id));
    check_int(facts.signature_checks, 0);
}
