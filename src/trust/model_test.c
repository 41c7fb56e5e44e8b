/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/model.h"

#include "tests/test.h"

static struct model three_certs(struct arena *arena)
{
    struct model model;
    model_init(&model, arena);
    const str names[] = { S("aa"), S("bb"), S("cc") };
    for (uint32_t i = 0; i < COUNT(names); i++)
        check_int(model_cert(&model, &(struct cert){ .sha256 = names[i] }), i);
    return model;
}

TEST(a_certificate_has_one_id_however_often_it_is_met)
{
    AUTO(arena) struct arena arena = { 0 };
    struct model model = three_certs(&arena);
    check_int(model_cert(&model, &(struct cert){ .sha256 = S("bb") }), 1);
    check_int(model.certs.count, 3);
}

TEST(chains_and_anchor_sets_keep_their_order)
{
    AUTO(arena) struct arena arena = { 0 };
    struct model model = three_certs(&arena);
    const uint32_t forth[] = { 0, 2 }, back[] = { 2, 0, 2 };
    check(model_chain(&model, forth, 2) != model_chain(&model, back, 2));
    check_int(model_chain(&model, forth, 2), model_chain(&model, forth, 2));
    check(model_anchors(&model, forth, 2) != model_anchors(&model, back, 3));
    size_t count;
    const uint32_t *ids =
        model_members(model.anchor_sets.items[model_anchors(&model, back, 3)], &count);
    check(count == 2 && ids[0] == 2 && ids[1] == 0);
}

TEST(anchor_sets_grow_shrink_and_unite)
{
    AUTO(arena) struct arena arena = { 0 };
    struct model model = three_certs(&arena);
    const uint32_t all[] = { 0, 1, 2 };
    uint32_t none = model_anchors(&model, NULL, 0), whole = model_anchors(&model, all, 3);
    uint32_t first = model_anchors_with(&model, none, 0), rest = model_anchors(&model, all + 1, 2);
    check_int(model_anchors_with(&model, first, 0), first);
    check_int(model_anchors_without(&model, first, 0), none);
    check_int(model_anchors_without(&model, whole, 0), rest);
    check_int(model_anchors_without(&model, rest, 0), rest);
    check_int(model_anchors_union(&model, (uint32_t[]){ first, rest, first }, 3), whole);
    check_int(model_anchors_union(&model, NULL, 0), none);
}

TEST(rows_are_found_by_key_and_overwritten_in_place)
{
    AUTO(arena) struct arena arena = { 0 };
    struct model model = three_certs(&arena);
    struct trust_store a = { .key = S("db1/trust"), .anchors = NO_ID };
    struct trust_store b = { .key = S("db1/more"), .anchors = model_anchors(&model, NULL, 0) };
    check_int(model_add_store(&model, &a), 0);
    check_int(model_add_store(&model, &b), 1);
    const uint32_t one = 1;
    a.anchors = model_anchors(&model, &one, 1);
    check_int(model_add_store(&model, &a), 0);
    check_int(map_get(&model.store_ids, S("db1/more")), 1);
    check(map_get(&model.store_ids, S("db9/trust")) == NO_ID);
    struct truster truster = { .key = S("db1/postgres:trust") };
    list_push(&arena, &truster.stores) = 0;
    list_push(&arena, &truster.stores) = 1;
    check_int(truster_stored(&model, &truster), a.anchors);
    model.stores.items[0].anchors = NO_ID; /* unreadable: it adds nothing */
    check_int(truster_stored(&model, &truster), b.anchors);
}

TEST(identities_of_one_node_and_store_know_the_first_of_them)
{
    AUTO(arena) struct arena arena = { 0 };
    struct model model;
    model_init(&model, &arena);
    const struct identity rows[] = {
        {.key = S("a/web:tls"),     .node = S("a"), .store = S("tls")  },
        { .key = S("b/web:tls"),    .node = S("b"), .store = S("tls")  },
        { .key = S("a/mail:tls"),   .node = S("a"), .store = S("tls")  },
        { .key = S("a/mail:other"), .node = S("a"), .store = S("other")},
    };
    const uint32_t want[] = { 0, 1, 0, 3 };
    for (int again = 0; again < 2; again++)
        for (uint32_t i = 0; i < COUNT(rows); i++) {
            check_int(model_add_identity(&model, &rows[i]), i);
            check_int(model.identities.items[i].first, want[i]);
        }
}

TEST(a_pin_matches_the_certificate_or_the_key_that_it_remembers)
{
    AUTO(arena) struct arena arena = { 0 };
    struct model model;
    model_init(&model, &arena);
    uint32_t leaf = model_cert(&model, &(struct cert){ .sha256 = S("aa"), .spki_sha256 = S("kk") });
    uint32_t same_key =
        model_cert(&model, &(struct cert){ .sha256 = S("bb"), .spki_sha256 = S("kk") });
    uint32_t planned =
        model_cert(&model, &(struct cert){ .sha256 = S("new:1"), .spki_sha256 = S("new:1") });
    uint32_t cert = model_pin(&model, (struct pin){ PIN_CERT, S("aa") });
    uint32_t spki = model_pin(&model, (struct pin){ PIN_SPKI, S("kk") });
    check(model_is_pin(&model, cert) && model_is_pin(&model, spki) && !model_is_pin(&model, leaf));
    check(model_pin_matches(&model, cert, leaf) && !model_pin_matches(&model, cert, same_key));
    check(model_pin_matches(&model, spki, leaf) && model_pin_matches(&model, spki, same_key));
    check_int(model_pin_of(&model, PIN_CERT, leaf), cert);
    check_int(model_pin_of(&model, PIN_SPKI, same_key), spki);
    uint32_t next = model_pin_of(&model, PIN_SPKI, planned);
    check(next != model_pin_of(&model, PIN_CERT, planned));
    check(model_pin_matches(&model, next, planned) && !model_pin_matches(&model, next, leaf));
}

TEST(an_offer_keeps_its_order_and_leaves_out_what_is_not_there)
{
    AUTO(arena) struct arena arena = { 0 };
    struct model model;
    model_init(&model, &arena);
    const uint32_t chains[] = { 2, NO_ID, 1 }, turned[] = { 1, 2 };
    uint32_t offer = model_offer(&model, chains, 3);
    check(offer != model_offer(&model, turned, 2));
    size_t count;
    const uint32_t *members = model_members(model.offers.items[offer], &count);
    check(count == 2 && members[0] == 2 && members[1] == 1);
}
