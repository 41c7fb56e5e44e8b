/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/random/truth.h"

#include "x509/auto.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <stdio.h>
#include <string.h>

/* OpenSSL's default level in Debian. */
enum { SECURITY_LEVEL = 2 };

void truth_init(struct truth *truth, struct pool *pool)
{
    *truth = (struct truth){ .pool = pool };
    truth->list_ids.arena = truth->answers.arena = truth->names.arena = &truth->arena;
}

void truth_free(struct truth *truth)
{
    for (size_t i = 0; i < truth->stores.count; i++)
        X509_STORE_free(truth->stores.items[i]);
    arena_free(&truth->arena);
}

uint32_t truth_list(struct truth *truth, const struct gen_certs *certs)
{
    str ids = { (const char *)certs->ids, certs->count * sizeof(certs->ids[0]) };
    uint32_t fresh = (uint32_t)truth->lists.count;
    uint32_t id = map_put(&truth->list_ids, ids.len == 0 ? S("") : ids, fresh);
    if (id == fresh) {
        list_push(&truth->arena, &truth->lists) = *certs;
        list_push(&truth->arena, &truth->stores) = NULL;
    }
    return id;
}

const struct gen_certs *truth_certs(const struct truth *truth, uint32_t list)
{
    return &truth->lists.items[list];
}

uint32_t truth_without(struct truth *truth, uint32_t list, uint32_t cert)
{
    struct gen_certs all = *truth_certs(truth, list), kept = { 0 };
    for (uint32_t i = 0; i < all.count; i++)
        if (all.ids[i] != cert)
            kept.ids[kept.count++] = all.ids[i];
    return truth_list(truth, &kept);
}

uint32_t truth_with(struct truth *truth, uint32_t list, uint32_t cert)
{
    struct gen_certs all = *truth_certs(truth, truth_without(truth, list, cert));
    if (all.count == truth_certs(truth, list)->count) {
        must(all.count < MAX_ANCHORS);
        all.ids[all.count++] = cert;
        return truth_list(truth, &all);
    }
    return list; /* it is there */
}

static X509 *x509_of(const struct truth *truth, uint32_t cert)
{
    return pool_cert(truth->pool, cert)->x509;
}

static X509_STORE *store_of(struct truth *truth, uint32_t list)
{
    if (truth->stores.items[list] != NULL)
        return truth->stores.items[list];
    X509_STORE *store = X509_STORE_new();
    const struct gen_certs *certs = truth_certs(truth, list);
    for (uint32_t i = 0; i < certs->count; i++)
        must(X509_STORE_add_cert(store, x509_of(truth, certs->ids[i])) == 1);
    return truth->stores.items[list] = store;
}

static void set_time(X509_STORE_CTX *context)
{
    X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context), (time_t)POOL_NOW);
}

/* What follows the leaf on the wire: the rest of its chain or, where it stands alone, whatever
   OpenSSL builds from the sender's own store (ssl_add_cert_chain). The caller owns the stack. */
static STACK_OF(X509) * sent_after_leaf(struct truth *truth, struct end sender)
{
    const struct gen_certs *chain = truth_certs(truth, sender.chain);
    STACK_OF(X509) *sent = sk_X509_new_null();
    for (uint32_t i = 1; i < chain->count; i++)
        must(sk_X509_push(sent, x509_of(truth, chain->ids[i])) > 0);
    if (chain->count > 1 || sender.anchors == NO_LIST)
        return sent;
    AUTO(X509_STORE_CTX) X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509 *leaf = x509_of(truth, chain->ids[0]);
    must(X509_STORE_CTX_init(context, store_of(truth, sender.anchors), leaf, NULL) == 1);
    set_time(context);
    (void)X509_verify_cert(context);
    truth->verified++;
    STACK_OF(X509) *built = X509_STORE_CTX_get0_chain(context);
    for (int i = 1; i < sk_X509_num(built); i++)
        must(sk_X509_push(sent, sk_X509_value(built, i)) > 0);
    return sent;
}

static void note_path(const struct truth *truth, X509_STORE_CTX *context, bool *ret_cas)
{
    STACK_OF(X509) *path = X509_STORE_CTX_get0_chain(context);
    for (int i = 1; i < sk_X509_num(path); i++)
        for (uint32_t ca = 0; ca < CA_COUNT; ca++)
            if (X509_cmp(sk_X509_value(path, i), x509_of(truth, ca)) == 0)
                ret_cas[ca] = true;
}

/* X509_V_OK, or the error; the CAs on the path where they are asked for. */
static int verify(struct truth *truth, struct end sender, uint32_t anchors, bool server,
                  bool *ret_cas)
{
    STACK_OF(X509) *sent = sent_after_leaf(truth, sender);
    AUTO(X509_STORE_CTX) X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509 *leaf = x509_of(truth, truth_certs(truth, sender.chain)->ids[0]);
    must(X509_STORE_CTX_init(context, store_of(truth, anchors), leaf, sent) == 1);
    must(X509_STORE_CTX_set_default(context, server ? "ssl_server" : "ssl_client") == 1);
    X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(context), SECURITY_LEVEL);
    set_time(context);
    int good = X509_verify_cert(context);
    int error = good == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context);
    truth->verified++;
    must(good == 1 || error != X509_V_OK);
    if (ret_cas != NULL)
        note_path(truth, context, ret_cas);
    sk_X509_free(sent); /* the certificates belong to the pool and its stores */
    ERR_clear_error();
    return error;
}

static bool accepts(struct truth *truth, struct end sender, uint32_t anchors, bool server,
                    const char **ret_why)
{
    if (truth_certs(truth, sender.chain)->count > 1)
        sender.anchors = NO_LIST; /* it sends what it has, and adds nothing */
    uint32_t question[] = { sender.chain, sender.anchors, anchors, server };
    str key = { (const char *)question, sizeof(question) };
    uint32_t error = map_get(&truth->answers, key);
    truth->asked++;
    if (error == MAP_NONE)
        error =
            map_put(&truth->answers, key, (uint32_t)verify(truth, sender, anchors, server, NULL));
    *ret_why = X509_verify_cert_error_string(error);
    return error == X509_V_OK;
}

static bool has_name(struct truth *truth, uint32_t leaf, const char *name)
{
    char text[sizeof(leaf) + TEXT] = "";
    memcpy(text, &leaf, sizeof(leaf));
    snprintf(text + sizeof(leaf), TEXT, "%s", name);
    uint32_t known = map_get(&truth->names, (str){ text, sizeof(text) });
    if (known != MAP_NONE)
        return known != 0;
    X509 *x509 = x509_of(truth, leaf);
    bool fits =
        X509_check_ip_asc(x509, name, 0) == 1 || X509_check_host(x509, name, 0, 0, NULL) == 1;
    return map_put(&truth->names, (str){ text, sizeof(text) }, fits) != 0;
}

static bool has_cn(X509 *leaf, const char *wanted)
{
    char name[64] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(leaf), NID_commonName, name, sizeof(name));
    return strcmp(name, wanted) == 0;
}

static bool refuse(const char *why, const char **ret_why)
{
    *ret_why = why;
    return false;
}

static bool client_accepts(struct truth *truth, const struct gen_link *link, struct end client,
                           struct end server, const char **ret_why)
{
    if (truth_certs(truth, server.chain)->count == 0)
        return refuse("the server has no certificate", ret_why);
    if (link->verify == VERIFIES_NONE)
        return true;
    if (!accepts(truth, server, client.anchors, true, ret_why))
        return false;
    uint32_t leaf = truth_certs(truth, server.chain)->ids[0];
    return link->verify != VERIFIES_NAME || has_name(truth, leaf, link->name) ||
           refuse("another name", ret_why);
}

static bool server_accepts(struct truth *truth, const struct gen_service *to,
                           const struct gen_link *link, struct end client, struct end server,
                           const char **ret_why)
{
    bool nothing = client.chain == NO_LIST || truth_certs(truth, client.chain)->count == 0;
    bool wants = to->asks == ASKS_REQUIRED || link->user_is_cn || to->wanted[0] != '\0';
    if (to->asks == ASKS_NONE || (nothing && !wants))
        return true;
    if (nothing)
        return refuse("the client has no certificate", ret_why);
    if (!accepts(truth, client, server.anchors, false, ret_why))
        return false;
    X509 *leaf = x509_of(truth, truth_certs(truth, client.chain)->ids[0]);
    if (link->user_is_cn && !has_cn(leaf, link->user))
        return refuse("another user", ret_why);
    return to->wanted[0] == '\0' || has_cn(leaf, to->wanted) || refuse("another identity", ret_why);
}

bool truth_works(struct truth *truth, const struct gen_cluster *cluster, int link,
                 struct end client, struct end server, const char **ret_why)
{
    const char *ignored;
    const char **why = ret_why == NULL ? &ignored : ret_why;
    const struct gen_link *row = &cluster->link[link];
    *why = "works";
    return client_accepts(truth, row, client, server, why) &&
           server_accepts(truth, &cluster->service[row->to], row, client, server, why);
}

void truth_path(struct truth *truth, struct end sender, uint32_t anchors, bool ret_cas[CA_COUNT])
{
    (void)verify(truth, sender, anchors, true, ret_cas);
}
