/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/facts.h"

#include "x509/auto.h"
#include "x509/name.h"

#include <openssl/err.h>

DEFINE_AUTO(X509_NAME, X509_NAME *, X509_NAME_free(*handle))

void facts_init(struct facts *facts, struct model *model)
{
    *facts = (struct facts){ .model = model };
    facts->name_ids.arena = facts->name_hashes.arena = model->arena;
    facts->likely.arena = facts->signatures.arena = model->arena;
}

static str pair_key(uint32_t space[2], uint32_t a, uint32_t b)
{
    space[0] = a;
    space[1] = b;
    return (str){ (const char *)space, 2 * sizeof(*space) };
}

/* OpenSSL's hash of the name's canonical form. Names that cannot be decoded share a hash. */
static uint32_t name_hash(str der)
{
    const unsigned char *at = (const unsigned char *)der.ptr;
    AUTO(X509_NAME) X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)der.len);
    uint32_t hash = name == NULL ? 0 : (uint32_t)X509_NAME_hash_ex(name, NULL, NULL, NULL);
    ERR_clear_error();
    return hash;
}

/* The id under `hash` of a name equal to `der`; a new one when there is none. */
static uint32_t name_by_hash(struct facts *facts, str der, uint32_t hash)
{
    for (uint32_t n = 0;; n++) {
        uint32_t fresh = (uint32_t)facts->names.count;
        str key = pair_key((uint32_t[2]){ 0 }, hash, n);
        uint32_t id = map_put(&facts->name_hashes, key, fresh);
        if (id == fresh) {
            list_push(facts->model->arena, &facts->names) = der;
            list_push(facts->model->arena, &facts->first_of_name) = NO_ID;
            return id;
        }
        if (name_equal(facts->names.items[id], der))
            return id;
    }
}

static uint32_t name_id(struct facts *facts, str der)
{
    uint32_t id = map_get(&facts->name_ids, der);
    return id != MAP_NONE
               ? id
               : map_put(&facts->name_ids, der, name_by_hash(facts, der, name_hash(der)));
}

/* Rows for every certificate of the model; nothing is decoded yet. */
static void catch_up(struct facts *facts)
{
    while (facts->certs.count < facts->model->certs.count) {
        uint32_t id = (uint32_t)facts->certs.count;
        const struct cert *cert = &facts->model->certs.items[id];
        struct cert_facts row = { .subject = name_id(facts, cert->subject_der),
                                  .issuer = name_id(facts, cert->issuer_der),
                                  .signer = NO_ID };
        row.next_same_subject = facts->first_of_name.items[row.subject];
        facts->first_of_name.items[row.subject] = id;
        list_push(facts->model->arena, &facts->certs) = row;
    }
}

uint32_t facts_first_named(struct facts *facts, uint32_t name)
{
    catch_up(facts);
    return facts->first_of_name.items[name];
}

bool facts_planned(const struct facts *facts, uint32_t cert)
{
    return str_starts(facts->model->certs.items[cert].sha256, S("new:"));
}

/* Name, key identifier and algorithm fit; that the issuer may not sign is for the rules to say. */
static bool likely(X509 *cert, X509 *issuer)
{
    int answer = X509_check_issued(issuer, cert);
    ERR_clear_error();
    return answer == X509_V_OK || answer == X509_V_ERR_KEYUSAGE_NO_CERTSIGN;
}

static void ask(const struct cert *cert, bool planned, struct cert_facts *row)
{
    static const int purpose[] = {
        [ROLE_SERVER] = X509_PURPOSE_SSL_SERVER, [ROLE_CLIENT] = X509_PURPOSE_SSL_CLIENT
    };
    AUTO(X509) X509 *x509 = cert_x509(cert);
    row->asked = true;
    if (x509 == NULL || (X509_get_extension_flags(x509) & EXFLAG_INVALID) != 0)
        return;
    row->decodable = true;
    row->self_signed = !planned && likely(x509, x509);
    row->ca = X509_check_ca(x509);
    row->leaf_purpose[ROLE_SIGNER] = row->issuer_purpose[ROLE_SIGNER] = true;
    for (int role = ROLE_SERVER; role <= ROLE_CLIENT; role++) {
        row->leaf_purpose[role] = X509_check_purpose(x509, purpose[role], 0) != 0;
        row->issuer_purpose[role] = X509_check_purpose(x509, purpose[role], 1) != 0;
    }
    EVP_PKEY *key = X509_get0_pubkey(x509);
    row->key_security = key == NULL ? 0 : EVP_PKEY_get_security_bits(key);
    if (X509_get_signature_info(x509, NULL, NULL, &row->signature_security, NULL) != 1)
        row->signature_security = 0;
    ERR_clear_error();
}

const struct cert_facts *facts_of(struct facts *facts, uint32_t cert)
{
    catch_up(facts);
    struct cert_facts *row = &facts->certs.items[cert];
    if (!row->asked)
        ask(&facts->model->certs.items[cert], facts_planned(facts, cert), row);
    return row;
}

static bool ask_likely(const struct facts *facts, uint32_t cert, uint32_t issuer)
{
    const struct cert *certs = facts->model->certs.items;
    if (facts_planned(facts, cert) || facts_planned(facts, issuer))
        return cert_names_issuer(&certs[cert], &certs[issuer]);
    AUTO(X509) X509 *subject = cert_x509(&certs[cert]);
    AUTO(X509) X509 *signer = cert_x509(&certs[issuer]);
    return subject != NULL && signer != NULL && likely(subject, signer);
}

bool facts_likely_issued(struct facts *facts, uint32_t cert, uint32_t issuer)
{
    catch_up(facts);
    if (facts->certs.items[cert].issuer != facts->certs.items[issuer].subject)
        return false;
    if (cert == issuer)
        return facts_of(facts, cert)->self_signed;
    str key = pair_key((uint32_t[2]){ 0 }, cert, issuer);
    uint32_t known = map_get(&facts->likely, key);
    if (known == MAP_NONE)
        known = map_put(&facts->likely, key, ask_likely(facts, cert, issuer));
    return known != 0;
}

bool facts_signed(struct facts *facts, uint32_t cert, uint32_t issuer)
{
    str key = pair_key((uint32_t[2]){ 0 }, cert, issuer);
    uint32_t known = map_get(&facts->signatures, key);
    if (known != MAP_NONE)
        return known != 0;
    const struct cert *certs = facts->model->certs.items;
    bool good;
    if (facts_planned(facts, cert)) {
        uint32_t signer = facts_of(facts, cert)->signer;
        good = signer != NO_ID && str_eq(certs[signer].spki_sha256, certs[issuer].spki_sha256);
    } else {
        good = cert_signed_by(&certs[cert], &certs[issuer]);
        facts->signature_checks++;
    }
    return map_put(&facts->signatures, key, good) != 0;
}

void facts_assume_signed(struct facts *facts, uint32_t cert, uint32_t issuer)
{
    catch_up(facts);
    facts->certs.items[cert].signer = issuer;
}
