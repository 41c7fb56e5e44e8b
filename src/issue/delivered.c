/* SPDX-License-Identifier: Apache-2.0 */
#include "issue/delivered.h"

#include "store/store.h"

/* No chain is longer: what goes on would be a circle. */
enum { CHAIN_MAX = 16, DAY = 86400 };

/* ---- a file ---- */

static bool has(const struct store *store, enum entry_kind kind)
{
    for (size_t i = 0; i < store->entries.count; i++)
        if (store->entries.items[i].kind == kind)
            return true;
    return false;
}

bool delivered_read(struct arena *arena, const char *path, cert_list *ret_certs, struct err *err)
{
    struct store_options options = { .now = clock_now() };
    struct store store;
    *ret_certs = (cert_list){ 0 };
    if (!store_read(arena, path, &options, &store, err))
        return false;
    for (size_t i = 0; i < store.entries.count; i++)
        if (store.entries.items[i].kind == ENTRY_TRUSTED)
            list_push(arena, ret_certs) = *store.entries.items[i].cert;
    if (ret_certs->count > 0)
        return true;
    if (has(&store, ENTRY_REQUEST))
        return err_set(err, ERR_FORMAT, "%s is a request, not a certificate", path);
    if (has(&store, ENTRY_KEY))
        return err_set(err, ERR_FORMAT, "%s holds a key and no certificate", path);
    return err_set(err, ERR_FORMAT, "%s is not a certificate", path);
}

/* ---- the leaf ---- */

/* One key may have had several certificates: the newest is what came. */
const struct cert *delivered_leaf(const struct csr *csr, const cert_list *certs)
{
    const struct cert *newest = NULL;
    for (size_t i = 0; i < certs->count; i++) {
        const struct cert *cert = &certs->items[i];
        if (str_eq(cert->spki_sha256, csr->spki_sha256) &&
            (newest == NULL || cert->not_before > newest->not_before))
            newest = cert;
    }
    return newest;
}

static bool wrong_key(struct arena *arena, const struct csr *csr, const csr_list *others,
                      const cert_list *certs, struct err *err)
{
    const struct cert *cert = &certs->items[0];
    for (size_t i = 0; i < certs->count && cert->ca; i++)
        cert = &certs->items[i];
    const char *label = cert_label(arena, cert).ptr;
    for (size_t i = 0; i < others->count; i++) {
        const struct csr *other = &others->items[i];
        if (str_eq(other->spki_sha256, cert->spki_sha256))
            return err_set(err, ERR_REFUSED,
                           "%s is for the key of %.*s/%.*s, whose request is %.*s", label,
                           STR_ARG(other->node), STR_ARG(other->store), STR_ARG(other->name));
    }
    return err_set(err, ERR_REFUSED,
                   "%s is for another key: %.*s/%.*s waits for one that is made from %.*s.csr",
                   label, STR_ARG(csr->node), STR_ARG(csr->store), STR_ARG(csr->name));
}

static str missing_of(struct arena *arena, const str_list *wanted, const str_list *there)
{
    struct buf text = { 0 };
    buf_add(arena, &text, S(""));
    for (size_t i = 0; i < wanted->count; i++)
        if (!str_list_has(there, wanted->items[i]))
            buf_printf(arena, &text, "%s%.*s", text.bytes.count == 0 ? "" : ", ",
                       STR_ARG(wanted->items[i]));
    return buf_str(&text);
}

static bool check_names(struct arena *arena, const struct csr *csr, const struct cert *leaf,
                        const struct delivery_terms *terms, const char *label, struct err *err)
{
    (void)terms;
    str missing = missing_of(arena, &csr->san, &leaf->san);
    if (missing.len > 0)
        return err_set(err, ERR_REFUSED, "%s lacks names that were asked for: %.*s", label,
                       STR_ARG(missing));
    return str_eq(csr->common_name, leaf->common_name) ||
           err_set(err, ERR_REFUSED, "%s has the subject %.*s, and %.*s was asked for", label,
                   STR_ARG(leaf->subject), STR_ARG(csr->subject));
}

/* A certificate that does not say what it is for is for everything. */
static bool check_usages(struct arena *arena, const struct csr *csr, const struct cert *leaf,
                         const struct delivery_terms *terms, const char *label, struct err *err)
{
    (void)terms;
    str usages =
        leaf->has_key_usage ? missing_of(arena, &csr->key_usages, &leaf->key_usages) : S("");
    str purposes = leaf->has_extended_key_usage
                       ? missing_of(arena, &csr->extended_key_usage, &leaf->extended_key_usage)
                       : S("");
    if (leaf->ca)
        return err_set(err, ERR_REFUSED, "%s is a CA's certificate", label);
    if (usages.len > 0)
        return err_set(err, ERR_REFUSED, "%s lacks a key usage that was asked for: %.*s", label,
                       STR_ARG(usages));
    return purposes.len == 0 ||
           err_set(err, ERR_REFUSED, "%s lacks an extended key usage that was asked for: %.*s",
                   label, STR_ARG(purposes));
}

static bool check_dates(struct arena *arena, const struct csr *csr, const struct cert *leaf,
                        const struct delivery_terms *terms, const char *label, struct err *err)
{
    (void)csr;
    if (leaf->not_after < terms->now)
        return err_set(err, ERR_REFUSED, "%s has expired: %s", label,
                       clock_format(arena, leaf->not_after).ptr);
    if (leaf->not_before > terms->now)
        return err_set(err, ERR_REFUSED, "%s is not valid before %s", label,
                       clock_format(arena, leaf->not_before).ptr);
    return leaf->not_after - terms->now >= terms->renew_before ||
           err_set(err, ERR_REFUSED,
                   "%s ends in %lld days, and certificates are renewed %lld days before they end: "
                   "it would be due at once",
                   label, (long long)((leaf->not_after - terms->now) / DAY),
                   (long long)(terms->renew_before / DAY));
}

static bool (*const checks[])(struct arena *arena, const struct csr *csr, const struct cert *leaf,
                              const struct delivery_terms *terms, const char *label,
                              struct err *err) = { check_dates, check_names, check_usages };

/* ---- its chain ---- */

static const struct cert *signer_in(const struct cert *cert, const cert_list *certs)
{
    for (size_t i = 0; i < certs->count; i++)
        if (!str_eq(certs->items[i].sha256, cert->sha256) &&
            cert_names_issuer(cert, &certs->items[i]) && cert_signed_by(cert, &certs->items[i]))
            return &certs->items[i];
    return NULL;
}

static const struct cert *signer_of(const struct cert *cert, const cert_list *certs,
                                    const struct delivery_terms *terms)
{
    const struct cert *signer = signer_in(cert, &terms->authority);
    return signer != NULL ? signer : signer_in(cert, certs);
}

static bool not_from(struct arena *arena, const struct cert *top, const char *label,
                     const struct delivery_terms *terms, struct err *err)
{
    const struct cert *expected = &terms->authority.items[0];
    if (top->self_issued)
        return err_set(err, ERR_REFUSED, "%s is not from %.*s: its chain ends in %.*s", label,
                       STR_ARG(expected->subject), STR_ARG(cert_label(arena, top)));
    if (str_eq(top->issuer_der, expected->subject_der))
        return err_set(err, ERR_REFUSED,
                       "%s is from a CA that is also called %.*s and has another key than %.*s",
                       label, STR_ARG(expected->subject), STR_ARG(cert_label(arena, expected)));
    return err_set(err, ERR_REFUSED,
                   "%s is signed by %.*s, which is not %.*s: put that certificate into the file "
                   "too if it belongs to the chain",
                   label, STR_ARG(top->issuer), STR_ARG(expected->subject));
}

/* From the leaf up by signatures, whatever the order that they came in. What is sent ends where a
   root would follow. */
static bool build_chain(struct arena *arena, const struct cert *leaf, const char *label,
                        const cert_list *certs, const struct delivery_terms *terms,
                        cert_list *ret_chain, struct err *err)
{
    const struct cert *expected = terms->authority.items, *top = leaf;
    bool expected_met = terms->authority.count == 0;
    *ret_chain = (cert_list){ 0 };
    for (size_t i = 0; i < CHAIN_MAX && !top->self_issued; i++) {
        const struct cert *signer = signer_of(top, certs, terms);
        list_push(arena, ret_chain) = *top;
        if (signer == NULL)
            break;
        expected_met = expected_met || str_eq(signer->sha256, expected->sha256);
        top = signer;
    }
    return expected_met || not_from(arena, top, label, terms, err);
}

static str chain_pem(struct arena *arena, const cert_list *chain)
{
    struct buf pem = { 0 };
    for (size_t i = 0; i < chain->count; i++)
        buf_add(arena, &pem, cert_pem(arena, &chain->items[i]));
    return buf_str(&pem);
}

bool delivered_match(struct arena *arena, const struct csr *csr, const csr_list *others,
                     const cert_list *certs, const struct delivery_terms *terms,
                     struct delivered *ret_delivered, struct err *err)
{
    const struct cert *leaf = delivered_leaf(csr, certs);
    if (leaf == NULL)
        return wrong_key(arena, csr, others, certs, err);
    const char *label = cert_label(arena, leaf).ptr;
    for (size_t i = 0; i < COUNT(checks); i++)
        if (!checks[i](arena, csr, leaf, terms, label, err))
            return false;
    if (!build_chain(arena, leaf, label, certs, terms, &ret_delivered->chain, err))
        return false;
    ret_delivered->pem = chain_pem(arena, &ret_delivered->chain);
    return true;
}
