/* SPDX-License-Identifier: Apache-2.0 */
#include "store/findings.h"

#include "base/map.h"

/* The certificates of a store in the file's order, each once, and who they belong to. */
struct view {
    struct arena *arena;
    struct store *store;
    const struct store_options *options;
    LIST(const struct entry *) certs;
};

static str place(const struct view *view, const struct entry *entry)
{
    if (entry->line == 0)
        return view->store->path;
    return str_printf(view->arena, "%.*s:%zu", STR_ARG(view->store->path), entry->line);
}

static struct finding *add(const struct view *view, enum finding_code code,
                           const struct entry *entry, const char *what)
{
    str text =
        str_printf(view->arena, "%.*s %s", STR_ARG(cert_label(view->arena, entry->cert)), what);
    return finding_add(view->arena, &view->store->findings, code, place(view, entry), text);
}

static void collect(struct view *view)
{
    AUTO(arena) struct arena scratch = { 0 };
    struct map seen = { .arena = &scratch };
    for (size_t i = 0; i < view->store->entries.count; i++) {
        const struct entry *entry = &view->store->entries.items[i];
        if (entry->kind != ENTRY_TRUSTED)
            continue;
        uint32_t first = map_put(&seen, entry->cert->sha256, (uint32_t)i);
        if (first == (uint32_t)i) {
            list_push(view->arena, &view->certs) = entry;
            continue;
        }
        add(view, FINDING_duplicate_certificate, entry,
            str_printf(view->arena, "is also entry %s", view->store->entries.items[first].alias.ptr)
                .ptr);
    }
}

static void judge_dates(const struct view *view, const struct entry *entry)
{
    const struct cert *cert = entry->cert;
    moment now = view->options->now;
    /* In the second of notAfter OpenSSL calls it expired, whatever RFC 5280 says. */
    if (cert->not_after <= now)
        add(view, FINDING_expired, entry, "has expired");
    else if (view->options->renew_before > 0 && cert->not_after < now + view->options->renew_before)
        add(view, cert->ca && cert->self_issued ? FINDING_root_expiring : FINDING_expiring, entry,
            str_printf(view->arena, "ends %s",
                       clock_relative(view->arena, cert->not_after, now).ptr)
                .ptr);
}

static void judge_strength(const struct view *view, const struct entry *entry)
{
    const struct cert *cert = entry->cert;
    bool short_rsa = (str_starts(cert->key_type, S("RSA")) || str_eq(cert->key_type, S("DSA"))) &&
                     cert->key_bits < 2048;
    bool short_ec = str_eq(cert->key_type, S("EC")) && cert->key_bits < 224;
    str algorithm = cert->signature_algorithm;
    bool old_digest = str_find(algorithm, S("sha1")) < algorithm.len ||
                      str_find(algorithm, S("SHA1")) < algorithm.len ||
                      str_find(algorithm, S("md5")) < algorithm.len;
    if (short_rsa || short_ec)
        add(view, FINDING_weak_key, entry,
            str_printf(view->arena, "has a key of only %d bits", cert->key_bits).ptr);
    /* Nobody checks the signature of a self-signed anchor. */
    if (old_digest && !cert->self_issued)
        add(view, FINDING_weak_key, entry,
            str_printf(view->arena, "is signed with %.*s", STR_ARG(algorithm)).ptr);
}

static const struct entry *issuer_of(const struct view *view, const struct entry *entry)
{
    if (entry->cert->self_issued)
        return NULL;
    for (size_t i = 0; i < view->certs.count; i++)
        if (cert_names_issuer(entry->cert, view->certs.items[i]->cert))
            return view->certs.items[i];
    return NULL;
}

/* A chain or a bundle of it; each step looks through all certificates. */
enum { CHAIN_MAX = 64 };

static void judge_ends(const struct view *view)
{
    for (size_t i = 0; i < view->certs.count && view->certs.count <= CHAIN_MAX; i++) {
        const struct entry *entry = view->certs.items[i];
        const struct entry *issuer = issuer_of(view, entry);
        if (issuer != NULL && entry->cert->not_after > issuer->cert->not_after)
            add(view, FINDING_leaf_outlives_issuer, entry,
                str_printf(view->arena, "ends after its issuer %.*s",
                           STR_ARG(cert_label(view->arena, issuer->cert)))
                    .ptr);
    }
}

/* The one certificate that is not a CA; NULL when there is none, or another. */
static const struct entry *only_leaf(const struct view *view)
{
    const struct entry *leaf = NULL;
    for (size_t i = 0; i < view->certs.count; i++) {
        if (view->certs.items[i]->cert->ca)
            continue;
        if (leaf != NULL)
            return NULL;
        leaf = view->certs.items[i];
    }
    return leaf;
}

/* Only a chain has an order: one certificate that is not a CA, and its issuers. A bundle of
   anchors may have any. */
static void judge_order(const struct view *view)
{
    const struct entry *at = view->certs.count <= CHAIN_MAX ? only_leaf(view) : NULL;
    for (size_t i = 0; i < view->certs.count && at != NULL; i++) {
        if (view->certs.items[i] != at) {
            add(view, FINDING_chain_out_of_order, at, "is not where the chain needs it");
            return;
        }
        at = issuer_of(view, at);
    }
}

static void judge_keys(const struct view *view)
{
    const struct entry *only = NULL;
    size_t keys = 0;
    for (size_t i = 0; i < view->store->entries.count; i++) {
        struct entry *entry = &view->store->entries.items[i];
        if (entry->kind != ENTRY_KEY)
            continue;
        keys++;
        only = entry;
        for (size_t j = 0; j < view->certs.count && entry->cert == NULL; j++)
            if (str_eq(view->certs.items[j]->cert->spki_sha256, entry->key_spki_sha256))
                entry->cert = view->certs.items[j]->cert;
    }
    if (keys != 1 || view->certs.count == 0 || only->cert != NULL || only->key_spki_sha256.len == 0)
        return;
    finding_add(view->arena, &view->store->findings, FINDING_key_mismatch, place(view, only),
                S("the key belongs to none of the certificates in this file"));
}

void store_judge(struct arena *arena, struct store *store, const struct store_options *options)
{
    struct view view = { .arena = arena, .store = store, .options = options };
    collect(&view);
    for (size_t i = 0; i < view.certs.count; i++) {
        judge_dates(&view, view.certs.items[i]);
        judge_strength(&view, view.certs.items[i]);
    }
    judge_keys(&view);
    judge_ends(&view);
    judge_order(&view);
}
