/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules against OpenSSL itself: X509_verify_cert() must agree with the judge on every
 * connection that the dice make, for a reason that fits the cause.
 */
#include "trust/rules.h"

#include "trust/dice_test.h"
#include "x509/auto.h"

#include <openssl/err.h>

static void set_up(X509_STORE_CTX *context, const struct question *question)
{
    static const char *const purpose[] = {
        [ROLE_SERVER] = "ssl_server", [ROLE_CLIENT] = "ssl_client", [ROLE_SIGNER] = "default"
    };
    check(X509_STORE_CTX_set_default(context, purpose[question->role]));
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_auth_level(param, 2);
    X509_VERIFY_PARAM_set_time(param, question->at);
    if (question->name.len == 0 || question->role != ROLE_SERVER)
        return;
    if (X509_VERIFY_PARAM_set1_ip_asc(param, question->name.ptr) != 1)
        check(X509_VERIFY_PARAM_set1_host(param, question->name.ptr, question->name.len));
}

static int ask_openssl(struct world *world, const struct question *question)
{
    size_t count;
    AUTO(X509_STORE) X509_STORE *store = X509_STORE_new();
    AUTO(X509_STORE_CTX) X509_STORE_CTX *context = X509_STORE_CTX_new();
    const struct cert *certs = world->model.certs.items;
    const uint32_t *ids = model_members(world->model.anchor_sets.items[question->anchors], &count);
    for (size_t i = 0; i < count; i++) {
        AUTO(X509) X509 *anchor = cert_x509(&certs[ids[i]]);
        check(X509_STORE_add_cert(store, anchor));
    }
    STACK_OF(X509) *sent = sk_X509_new_null();
    ids = model_members(world->model.chains.items[question->chain], &count);
    for (size_t i = 0; i < count; i++)
        sk_X509_push(sent, cert_x509(&certs[ids[i]]));
    check(X509_STORE_CTX_init(context, store, sk_X509_value(sent, 0), sent));
    set_up(context, question);
    int ok = X509_verify_cert(context);
    int error = X509_STORE_CTX_get_error(context);
    check((ok == 1) == (error == X509_V_OK));
    sk_X509_pop_free(sent, X509_free);
    ERR_clear_error();
    return error;
}

// clang-format off
static const struct {
    int error;
    enum cause causes[7];
} consistent[] = {
    { X509_V_OK, { CAUSE_none } },
    { X509_V_ERR_EE_KEY_TOO_SMALL, { CAUSE_weak_signature_or_key } },
    { X509_V_ERR_CA_KEY_TOO_SMALL, { CAUSE_weak_signature_or_key } },
    { X509_V_ERR_CA_MD_TOO_WEAK, { CAUSE_weak_signature_or_key } },
    { X509_V_ERR_INVALID_CA, { CAUSE_ca_basic_constraints, CAUSE_wrong_key_usage } },
    { X509_V_ERR_PATH_LENGTH_EXCEEDED, { CAUSE_ca_basic_constraints } },
    { X509_V_ERR_INVALID_PURPOSE, { CAUSE_wrong_key_usage } },
    { X509_V_ERR_CERT_NOT_YET_VALID, { CAUSE_not_yet_valid } },
    { X509_V_ERR_CERT_HAS_EXPIRED,
      { CAUSE_leaf_expired, CAUSE_client_cert_expired, CAUSE_signing_cert_expired,
        CAUSE_intermediate_expired, CAUSE_root_expired } },
    { X509_V_ERR_CERT_SIGNATURE_FAILURE,
      { CAUSE_truststore_stale_after_rotation, CAUSE_chain_incomplete } },
    { X509_V_ERR_PERMITTED_VIOLATION, { CAUSE_name_constraints } },
    { X509_V_ERR_HOSTNAME_MISMATCH, { CAUSE_hostname_mismatch } },
    { X509_V_ERR_IP_ADDRESS_MISMATCH, { CAUSE_hostname_mismatch } },
    { X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
      { CAUSE_self_signed_untrusted, CAUSE_client_ca_not_accepted, CAUSE_truststore_empty,
        CAUSE_truststore_stale_after_rotation } },
    { X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
      { CAUSE_issuer_unknown, CAUSE_client_ca_not_accepted, CAUSE_truststore_empty,
        CAUSE_truststore_stale_after_rotation } },
    { X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
      { CAUSE_issuer_unknown, CAUSE_client_ca_not_accepted, CAUSE_truststore_empty,
        CAUSE_truststore_stale_after_rotation, CAUSE_chain_incomplete } },
    { X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
      { CAUSE_issuer_unknown, CAUSE_client_ca_not_accepted,
        CAUSE_truststore_stale_after_rotation } },
};
// clang-format on

static bool is_consistent(int error, enum cause cause)
{
    for (size_t i = 0; i < COUNT(consistent); i++)
        for (size_t k = 0; consistent[i].error == error && k < COUNT(consistent[i].causes); k++)
            if (consistent[i].causes[k] == cause && (cause != CAUSE_none || error == X509_V_OK))
                return true;
    return false;
}

static bool is_name_error(int error)
{
    return error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH;
}

static int compare(struct world *world, struct question question)
{
    struct verdict verdict = ask_judge(world, &question, STACK_openssl);
    int first = ask_openssl(world, &question), error = first;
    /* OpenSSL looks at names before signatures and dates, libpq when the handshake is done. */
    if (is_name_error(first) && verdict.cause != CAUSE_hostname_mismatch) {
        question.name = S("");
        error = ask_openssl(world, &question);
    }
    if (verdict.ok != (first == X509_V_OK) || !is_consistent(error, verdict.cause))
        fail_msg("role %d, chain %u, anchors %u, name %s, at %+lld: OpenSSL says %d (%s), "
                 "the judge %s",
                 (int)question.role, question.chain, question.anchors, question.name.ptr,
                 (long long)(question.at - PKI_NOW), first, X509_verify_cert_error_string(first),
                 verdict.ok ? "ok" : cause_code(verdict.cause));
    return first;
}

TEST(the_judge_agrees_with_openssl_on_three_thousand_random_connections)
{
    int seen[128] = { 0 };
    AUTO(arena) struct arena holder = { 0 };
    struct world *world = arena_new(&holder, struct world);
    make_world(world, 20261124);
    for (int round = 0; round < ROUNDS; round++)
        seen[compare(world, random_question(world))]++;
    /* It is no test if the dice never show one of the answers, or hardly ever a good one. */
    check(seen[X509_V_OK] > ROUNDS / 20);
    for (size_t i = 0; i < COUNT(consistent); i++)
        if (seen[consistent[i].error] == 0)
            fail_msg("never seen: %s", X509_verify_cert_error_string(consistent[i].error));
    arena_free(&world->arena);
}
