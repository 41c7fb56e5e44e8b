/* SPDX-License-Identifier: Apache-2.0 */
/* Covers the choice of a client certificate in judge.c: against OpenSSL's own answer whether a
   chain has an issuer that the server asked for (SSL_check_chain, CERT_PKEY_ISSUER_NAME). */
#include "tests/test.h"
#include "trust/handshake_test.h"
#include "trust/pair_test.h"

enum { ROOTS = 3, CHAINS = 4 };

struct choice {
    struct pair pair;
    struct pki roots[ROOTS], between, leaves[CHAINS];
    uint32_t root_ids[ROOTS], chains[CHAINS];
};

/* Leaves of each root, and one of an intermediate of the last. */
static void choice_init(struct choice *choice)
{
    struct pair *pair = &choice->pair;
    pair_init(pair);
    pair_link(pair);
    for (size_t i = 0; i < ROOTS; i++) {
        const char *name = str_printf(&pair->arena, "Root %zu", i).ptr;
        choice->roots[i] = pki_make(&pair->arena, &(struct pki_spec){ .name = name, .ca = true });
        choice->root_ids[i] = pair_cert(pair, &choice->roots[i]);
    }
    choice->between =
        pki_make(&pair->arena,
                 &(struct pki_spec){ .name = "Between", .ca = true, .issuer = &choice->roots[2] });
    for (size_t i = 0; i < CHAINS; i++) {
        pair->client.issuer = i < ROOTS ? &choice->roots[i] : &choice->between;
        choice->leaves[i] = pki_make(&pair->arena, &pair->client);
        const uint32_t ids[] = { pair_cert(pair, &choice->leaves[i]),
                                 pair_cert(pair, &choice->between) };
        choice->chains[i] = model_chain(&pair->model, ids, i < ROOTS ? 1 : 2);
    }
    pair->link.by_issuer = true;
    pair->link.verify = VERIFY_NONE;
}

struct asked {
    const struct choice *choice;
    bool named[CHAINS];
};

static int ask(SSL *ssl, void *to)
{
    struct asked *asked = to;
    for (size_t i = 0; i < CHAINS; i++) {
        AUTO(X509) X509 *leaf = cert_x509(&asked->choice->leaves[i].cert);
        AUTO(X509) X509 *between = cert_x509(&asked->choice->between.cert);
        AUTO(EVP_PKEY) EVP_PKEY *key = pki_key(&asked->choice->leaves[i]);
        STACK_OF(X509) *chain = sk_X509_new_null();
        if (i >= ROOTS)
            sk_X509_push(chain, between);
        asked->named[i] = (SSL_check_chain(ssl, leaf, key, chain) & CERT_PKEY_ISSUER_NAME) != 0;
        sk_X509_free(chain);
    }
    return 1;
}

/* Which chains have an issuer that a server with these roots asks for. */
static void ask_openssl(struct asked *asked, unsigned roots)
{
    AUTO(SSL_CTX) SSL_CTX *server_context = SSL_CTX_new(TLS_server_method());
    AUTO(SSL_CTX) SSL_CTX *client_context = SSL_CTX_new(TLS_client_method());
    context_identity(server_context, &asked->choice->leaves[0]);
    for (size_t i = 0; i < ROOTS; i++) {
        AUTO(X509) X509 *root = cert_x509(&asked->choice->roots[i].cert);
        if ((roots & 1u << i) != 0)
            check(SSL_CTX_add_client_CA(server_context, root) == 1);
    }
    SSL_CTX_set_verify(server_context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_cb(client_context, ask, asked);
    AUTO(SSL) SSL *server = SSL_new(server_context);
    AUTO(SSL) SSL *client = SSL_new(client_context);
    check(handshake(client, server));
}

TEST(a_client_that_chooses_by_issuer_presents_the_first_that_the_server_names)
{
    struct choice choice;
    choice_init(&choice);
    struct pair *pair = &choice.pair;
    for (unsigned roots = 0; roots < 1u << ROOTS; roots++) {
        struct asked asked = { .choice = &choice };
        uint32_t anchors[ROOTS];
        size_t count = 0, first = 0;
        ask_openssl(&asked, roots);
        while (first < CHAINS && !asked.named[first])
            first++;
        for (size_t i = 0; i < ROOTS; i++)
            if ((roots & 1u << i) != 0)
                anchors[count++] = choice.root_ids[i];
        pair->ends.server_anchors = model_anchors(&pair->model, anchors, count);
        for (size_t only = 0; only < CHAINS; only++) {
            pair->ends.client_chain = model_offer(&pair->model, &choice.chains[only], 1);
            check_int(pair_judge(pair).ok, asked.named[only] && count > 0);
        }
        pair->ends.client_chain = model_offer(&pair->model, choice.chains, CHAINS);
        check_int(pair_judge(pair).ok, first < CHAINS && count > 0);
    }
    pair_free(pair);
}

TEST(a_client_whose_issuers_are_not_named_presents_nothing_and_the_verdict_says_what_it_holds_back)
{
    struct choice choice;
    choice_init(&choice);
    struct pair *pair = &choice.pair;
    pair->ends.client_chain = model_offer(&pair->model, choice.chains, 2);
    pair->ends.server_anchors = model_anchors(&pair->model, &choice.root_ids[2], 1);
    struct verdict verdict = pair_judge(pair);
    check_int(verdict.cause, CAUSE_client_ca_not_accepted);
    check(verdict.client_side && verdict.certificate == pair_cert(pair, &choice.leaves[0]));
    pair->link.user_is_cn = false;
    pair->model.services.items[pair->link.to].client_auth = CLIENT_AUTH_OPTIONAL;
    check(pair_judge(pair).ok); /* an empty list is no offence there */
    pair->link.by_issuer = false;
    pair->ends.client_chain = choice.chains[0];
    check_int(pair_judge(pair).cause, CAUSE_client_ca_not_accepted); /* what is sent is judged */
    pair_free(pair);
}

TEST(a_client_without_any_identity_has_nothing_to_choose_from)
{
    struct choice choice;
    choice_init(&choice);
    const uint32_t none = NO_ID;
    choice.pair.ends.client_chain = model_offer(&choice.pair.model, &none, 1);
    check_int(pair_judge(&choice.pair).cause, CAUSE_client_cert_missing);
    pair_free(&choice.pair);
}

TEST(a_client_of_that_kind_does_not_complete_what_it_sends)
{
    struct choice choice;
    choice_init(&choice);
    struct pair *pair = &choice.pair;
    uint32_t leaf = pair_cert(pair, &choice.leaves[3]), between = pair_cert(pair, &choice.between);
    uint32_t lone = model_chain(&pair->model, &leaf, 1);
    pair->link.by_issuer = false;
    pair->ends.client_chain = lone;
    pair->ends.server_anchors = model_anchors(&pair->model, &choice.root_ids[2], 1);
    pair->ends.client_anchors =
        model_anchors_with(&pair->model, pair->ends.server_anchors, between);
    check(pair_judge(pair).ok);
    pair->model.services.items[pair->link.from].stack = STACK_nginx;
    check_int(pair_judge(pair).cause, CAUSE_chain_incomplete);
    pair_free(pair);
}
