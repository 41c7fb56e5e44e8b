/* SPDX-License-Identifier: Apache-2.0 */
/* The cells of gnutls against GnuTLS itself, on the connections that the dice make. */
#include "trust/rules.h"

#include "trust/dice_test.h"

#include <gnutls/x509.h>

enum { GNUTLS_ROUNDS = 1500 };

static moment asked_at;

static time_t clock_of_question(time_t *ret_at)
{
    if (ret_at != NULL)
        *ret_at = asked_at;
    return asked_at;
}

static gnutls_x509_crt_t take(const struct cert *cert)
{
    gnutls_x509_crt_t crt;
    gnutls_datum_t der = { .data = (unsigned char *)(uintptr_t)cert->der.ptr,
                           .size = (unsigned)cert->der.len };
    check_int(gnutls_x509_crt_init(&crt), 0);
    check_int(gnutls_x509_crt_import(crt, &der, GNUTLS_X509_FMT_DER), 0);
    return crt;
}

static size_t take_all(const struct model *model, str packed, gnutls_x509_crt_t *crts)
{
    size_t count;
    const uint32_t *ids = model_members(packed, &count);
    for (size_t i = 0; i < count; i++)
        crts[i] = take(&model->certs.items[ids[i]]);
    return count;
}

/* What gnutls-cli and gnutls-serv ask, in priority NORMAL, but for the name. */
static unsigned ask_gnutls(const struct world *world, const struct question *question)
{
    const struct model *model = &world->model;
    gnutls_x509_crt_t sent[16], trusted[16];
    unsigned status = 0;
    gnutls_x509_trust_list_t list;
    const char *purpose =
        question->role == ROLE_CLIENT ? GNUTLS_KP_TLS_WWW_CLIENT : GNUTLS_KP_TLS_WWW_SERVER;
    gnutls_typed_vdata_st data = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
                                   .data = (unsigned char *)(uintptr_t)purpose };
    size_t count = take_all(model, model->chains.items[question->chain], sent);
    size_t anchors = take_all(model, model->anchor_sets.items[question->anchors], trusted);
    asked_at = question->at;
    check_int(gnutls_x509_trust_list_init(&list, 0), 0);
    gnutls_x509_trust_list_add_cas(list, trusted, (unsigned)anchors, 0);
    check_int(gnutls_x509_trust_list_verify_crt2(list, sent, (unsigned)count, &data, 1,
                                                 GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_LOW),
                                                 &status, NULL),
              0);
    gnutls_x509_trust_list_deinit(list, 1);
    for (size_t i = 0; i < count; i++)
        gnutls_x509_crt_deinit(sent[i]);
    return status;
}

TEST(the_judge_agrees_with_gnutls_on_random_connections)
{
    AUTO(arena) struct arena holder = { 0 };
    struct world *world = arena_new(&holder, struct world);
    int accepted = 0;
    make_world(world, 20261201);
    gnutls_global_set_time_function(clock_of_question);
    for (int round = 0; round < GNUTLS_ROUNDS; round++) {
        struct question question = random_question(world);
        question.name = S("");
        if (question.role == ROLE_SIGNER)
            question.role = ROLE_SERVER;
        struct verdict verdict = ask_judge(world, &question, STACK_gnutls);
        unsigned status = ask_gnutls(world, &question);
        /* keyUsage is looked at in the handshake, not by this function. */
        if (verdict.ok != (status == 0) && verdict.rule != RULE_key_usage)
            fail_msg("role %d, chain %u, anchors %u, at %+lld: GnuTLS says %x, the judge %s",
                     (int)question.role, question.chain, question.anchors,
                     (long long)(question.at - PKI_NOW), status,
                     verdict.ok ? "ok" : rules[verdict.rule].id);
        accepted += status == 0;
    }
    gnutls_global_set_time_function(time);
    check(accepted > GNUTLS_ROUNDS / 20);
    arena_free(&world->arena);
}
