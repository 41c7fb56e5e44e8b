/* SPDX-License-Identifier: Apache-2.0 */
#include "store/identity.h"

#include <string.h>
#include <unistd.h>

static void add_findings(struct arena *arena, struct store_identity *identity,
                         const struct store *store)
{
    for (size_t i = 0; i < store->findings.count; i++)
        list_push(arena, &identity->findings) = store->findings.items[i];
}

static bool found(const struct store_identity *identity, enum finding_code code)
{
    for (size_t i = 0; i < identity->findings.count; i++)
        if (identity->findings.items[i].code == code)
            return true;
    return false;
}

static const struct entry *first_key(const struct store *store)
{
    for (size_t i = 0; i < store->entries.count; i++)
        if (store->entries.items[i].kind == ENTRY_KEY)
            return &store->entries.items[i];
    return NULL;
}

static void judge_pair(struct arena *arena, const char *certificate_path, const char *key_path,
                       bool has_key, struct store_identity *identity)
{
    bool has_chain = identity->chain.count > 0;
    if (has_chain && !has_key)
        finding_add(arena, &identity->findings, FINDING_certificate_without_key,
                    str_copy(arena, str_c(certificate_path)),
                    str_printf(arena, "no private key in %s", key_path));
    if (has_key && !has_chain)
        finding_add(arena, &identity->findings, FINDING_key_without_certificate,
                    str_copy(arena, str_c(key_path)),
                    str_printf(arena, "no certificate in %s", certificate_path));
    if (!has_chain || identity->key_spki_sha256.len == 0)
        return;
    const struct cert *leaf = &identity->chain.items[0];
    identity->matches = str_eq(leaf->spki_sha256, identity->key_spki_sha256);
    if (identity->matches || found(identity, FINDING_key_mismatch))
        return;
    finding_add(arena, &identity->findings, FINDING_key_mismatch,
                str_copy(arena, str_c(certificate_path)),
                str_printf(arena, "the key in %s does not belong to %.*s", key_path,
                           STR_ARG(cert_label(arena, leaf))));
}

bool store_identity_read(struct arena *arena, const char *certificate_path, const char *key_path,
                         const struct store_options *options, struct store_identity *ret_identity,
                         struct err *err)
{
    struct store_identity identity = { 0 };
    struct store certs, keys = { 0 };
    bool one_file = strcmp(certificate_path, key_path) == 0;
    if (!store_read(arena, certificate_path, options, &certs, err))
        return false;
    bool key_file = !one_file && access(key_path, F_OK) == 0;
    if (key_file && !store_read(arena, key_path, options, &keys, err))
        return false;
    add_findings(arena, &identity, &certs);
    add_findings(arena, &identity, &keys);
    for (size_t i = 0; i < certs.entries.count; i++)
        if (certs.entries.items[i].kind == ENTRY_TRUSTED)
            list_push(arena, &identity.chain) = *certs.entries.items[i].cert;
    const struct entry *key = first_key(one_file ? &certs : &keys);
    if (key != NULL) {
        identity.key_spki_sha256 = key->key_spki_sha256;
        identity.key_type = key->key_type;
        identity.key_encrypted = key->encrypted;
    }
    judge_pair(arena, certificate_path, key_path, key != NULL, &identity);
    *ret_identity = identity;
    return true;
}
