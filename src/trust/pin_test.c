/* SPDX-License-Identifier: Apache-2.0 */
/* Covers the pins of model.c, rules.c and judge.c: against OpenSSL's DANE-EE (RFC 6698), which
   holds a leaf against the digest that is remembered of it and against nothing else. */
#include "tests/test.h"
#include "trust/handshake_test.h"
#include "trust/pair_test.h"

static uint32_t pins(struct pair *pair, const uint32_t *ids, size_t count)
{
    return model_anchors(&pair->model, ids, count);
}

static void from_hex(str hex, unsigned char *bytes)
{
    for (size_t i = 0; i < hex.len / 2; i++)
        check(sscanf(hex.ptr + 2 * i, "%2hhx", &bytes[i]) == 1);
}

/* Whether OpenSSL, as a client that remembers this of its server, accepts it. */
static bool openssl_accepts(const struct pki *server, enum pin_kind kind, str digest)
{
    AUTO(SSL_CTX) SSL_CTX *server_context = SSL_CTX_new(TLS_server_method());
    AUTO(SSL_CTX) SSL_CTX *client_context = SSL_CTX_new(TLS_client_method());
    context_identity(server_context, server);
    check(SSL_CTX_dane_enable(client_context) == 1);
    AUTO(SSL) SSL *server_end = SSL_new(server_context);
    AUTO(SSL) SSL *client_end = SSL_new(client_context);
    unsigned char bytes[32];
    from_hex(digest, bytes);
    check(SSL_dane_enable(client_end, "db1") == 1);
    check(SSL_dane_tlsa_add(client_end, 3, kind == PIN_SPKI, 1, bytes, sizeof(bytes)) == 1);
    SSL_set_verify(client_end, SSL_VERIFY_PEER, NULL);
    return handshake(client_end, server_end);
}

TEST(a_server_known_by_its_pins_alone_is_accepted_by_them_whatever_its_dates)
{
    AUTO(pair) struct pair pair;
    pair_init(&pair);
    pair.server.not_after = PKI_NOW - 1;
    pair_link(&pair);
    struct pki leaves[3];
    leaves[0] = pki_make(&pair.arena, &pair.server);
    pair.server.key_of = &leaves[0];
    leaves[1] = pki_make(&pair.arena, &pair.server); /* the same key, another certificate */
    pair.server.key_of = NULL;
    leaves[2] = pki_make(&pair.arena, &pair.server);
    pair.link.verify = VERIFY_NONE;
    for (size_t i = 0; i < 3 * 3 * 2; i++) {
        enum pin_kind kind = i % 2 == 0 ? PIN_CERT : PIN_SPKI;
        const struct pki *shown = &leaves[i / 2 % 3];
        const struct cert *known = &leaves[i / 6].cert;
        str digest = kind == PIN_CERT ? known->sha256 : known->spki_sha256;
        uint32_t pin = model_pin(&pair.model, (struct pin){ kind, digest }),
                 id = pair_cert(&pair, shown);
        pair.ends.client_anchors = pins(&pair, &pin, 1);
        pair.ends.server_chain = model_chain(&pair.model, &id, 1);
        struct verdict verdict = pair_judge(&pair);
        check_int(verdict.ok, openssl_accepts(shown, kind, digest));
        check(verdict.ok || (verdict.cause == CAUSE_pin_mismatch && !verdict.client_side &&
                             verdict.certificate == id));
    }
}

TEST(pins_beside_anchors_are_held_against_the_leaf_when_the_anchors_have_accepted_it)
{
    AUTO(pair) struct pair pair;
    pair_init(&pair);
    pair_link(&pair);
    uint32_t stranger = model_pin(&pair.model, (struct pin){ PIN_SPKI, S("00") });
    uint32_t pinned[] = { pair.root_id, stranger,
                          model_pin_of(&pair.model, PIN_SPKI, pair.server_id) };
    pair.ends.client_anchors = pins(&pair, pinned, 2);
    check_int(pair_judge(&pair).cause, CAUSE_pin_mismatch);
    pair.ends.client_anchors = pins(&pair, pinned, 3); /* one of several is enough */
    check(pair_judge(&pair).ok);
    pair.ends.client_anchors = pins(&pair, &pinned[1], 2); /* and an anchor is still wanted */
    check_int(pair_judge(&pair).cause, CAUSE_truststore_empty);
    pair.link.name = S("db9");
    pair.ends.client_anchors = pins(&pair, pinned, 3);
    check_int(pair_judge(&pair).cause, CAUSE_hostname_mismatch);
}

TEST(a_server_can_know_its_clients_by_pins)
{
    AUTO(pair) struct pair pair;
    pair_init(&pair);
    pair.client.not_after = PKI_NOW - 1;
    pair_link(&pair);
    uint32_t pin = model_pin_of(&pair.model, PIN_CERT, pair.client_id);
    pair.model.services.items[pair.link.to].pins_alone = true;
    pair.ends.server_anchors = pins(&pair, &pin, 1);
    check(pair_judge(&pair).ok);
    pair.ends.client_chain = pair.ends.server_chain;
    pair.link.user_is_cn = false;
    pair.model.services.items[pair.link.to].client_identity = S("");
    check_int(pair_judge(&pair).cause, CAUSE_pin_mismatch);
    check(pair_judge(&pair).client_side);
    pair.ends.client_chain = NO_ID;
    check_int(pair_judge(&pair).cause, CAUSE_client_cert_missing);
}

TEST(where_nothing_is_remembered_everything_is_accepted)
{
    AUTO(pair) struct pair pair;
    pair_init(&pair);
    pair_link(&pair);
    pair.link.verify = VERIFY_NONE;
    pair.ends.client_anchors = pins(&pair, NULL, 0);
    check(pair_judge(&pair).ok);
    pair.ends.server_chain = NO_ID;
    check_int(pair_judge(&pair).cause, CAUSE_keystore_missing);
}
