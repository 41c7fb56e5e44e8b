/* SPDX-License-Identifier: Apache-2.0 */
/* Against a real handshake in memory: what the client receives is what we say is presented. */
#include "trust/present.h"

#include "trust/handshake_test.h"

static SSL_CTX *server_of(const struct pki *leaf, const struct cert *certs, const uint32_t *anchors,
                          size_t count)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    context_identity(context, leaf);
    for (size_t i = 0; i < count; i++) {
        AUTO(X509) X509 *anchor = cert_x509(&certs[anchors[i]]);
        check(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), anchor) == 1);
    }
    return context;
}

/* How many certificates a client receives from that server. */
static size_t received(SSL_CTX *context)
{
    AUTO(SSL_CTX) SSL_CTX *client_context = SSL_CTX_new(TLS_client_method());
    AUTO(SSL) SSL *server = SSL_new(context);
    AUTO(SSL) SSL *client = SSL_new(client_context);
    check(handshake(client, server));
    return (size_t)sk_X509_num(SSL_get_peer_cert_chain(client));
}

TEST(a_lone_leaf_is_presented_with_what_openssl_finds_in_the_trust_store)
{
    AUTO(arena) struct arena arena = { 0 };
    struct model model;
    struct facts facts;
    model_init(&model, &arena);
    facts_init(&facts, &model);
    struct pki root = pki_make(&arena, &(struct pki_spec){ .name = "Root", .ca = true });
    struct pki between =
        pki_make(&arena, &(struct pki_spec){ .name = "Between", .ca = true, .issuer = &root });
    struct pki other = pki_make(&arena, &(struct pki_spec){ .name = "Other", .ca = true });
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1", .issuer = &between });
    const struct pki *stored[] = { &root, &between, &other };
    uint32_t ids[3], leaf_id = model_cert(&model, &leaf.cert);
    for (size_t i = 0; i < COUNT(stored); i++)
        ids[i] = model_cert(&model, &stored[i]->cert);
    uint32_t lone = model_chain(&model, &leaf_id, 1);
    for (unsigned subset = 0; subset < 8; subset++) {
        uint32_t anchors[3];
        size_t count = 0, sent;
        for (size_t i = 0; i < COUNT(ids); i++)
            if ((subset & (1u << i)) != 0)
                anchors[count++] = ids[i];
        AUTO(SSL_CTX) SSL_CTX *server = server_of(&leaf, model.certs.items, anchors, count);
        moment since = INT64_MIN, until = INT64_MAX;
        uint32_t chain = present_chain(&facts, lone, model_anchors(&model, anchors, count),
                                       clock_now(), &since, &until);
        model_members(model.chains.items[chain], &sent);
        check_int(sent, received(server));
    }
}

TEST(a_chain_of_two_and_an_end_without_trust_store_present_what_they_hold)
{
    AUTO(arena) struct arena arena = { 0 };
    struct model model;
    struct facts facts;
    model_init(&model, &arena);
    facts_init(&facts, &model);
    struct pki root = pki_make(&arena, &(struct pki_spec){ .name = "Root", .ca = true });
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1", .issuer = &root });
    uint32_t ids[] = { model_cert(&model, &leaf.cert), model_cert(&model, &root.cert) };
    uint32_t lone = model_chain(&model, ids, 1), pair = model_chain(&model, ids, 2);
    uint32_t anchors = model_anchors(&model, &ids[1], 1);
    moment since = INT64_MIN, until = INT64_MAX;
    check_int(present_chain(&facts, pair, anchors, PKI_NOW, &since, &until), pair);
    check_int(present_chain(&facts, lone, NO_ID, PKI_NOW, &since, &until), lone);
    check(present_chain(&facts, NO_ID, anchors, PKI_NOW, &since, &until) == NO_ID);
    check_int(until, INT64_MAX);
    check_int(present_chain(&facts, lone, anchors, PKI_NOW, &since, &until), pair);
    check_int(until, leaf.cert.not_after);
}
