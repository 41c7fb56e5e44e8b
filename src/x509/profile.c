/* SPDX-License-Identifier: Apache-2.0 */
#include "x509/profile.h"

#include "x509/auto.h"

DEFINE_AUTO(BIT_STRING, ASN1_BIT_STRING *, ASN1_BIT_STRING_free(*handle))

const int profile_copied[] = { NID_subject_alt_name, NID_key_usage, NID_ext_key_usage, 0 };

uint32_t profile_key_usage(const struct cert *replaced)
{
    return replaced->key_usage & ~(uint32_t)(KU_KEY_CERT_SIGN | KU_CRL_SIGN);
}

/* KU_ constants count the bits of each octet from its top (RFC 5280, 4.2.1.3). */
static bool key_usage_extension(uint32_t usage, int critical, X509_EXTENSION **ret_extension)
{
    AUTO(BIT_STRING) ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
    for (int bit = 0; bit < 9; bit++) {
        uint32_t mask = bit < 8 ? 0x80u >> bit : 0x8000u;
        if ((usage & mask) != 0 && ASN1_BIT_STRING_set_bit(bits, bit, 1) != 1)
            return false;
    }
    *ret_extension = X509V3_EXT_i2d(NID_key_usage, critical, bits);
    return *ret_extension != NULL;
}

/* A keyUsage that would let a leaf sign certificates is made anew without those bits. */
bool profile_extension(const struct cert *replaced, X509 *x509, int nid,
                       X509_EXTENSION **ret_extension)
{
    int at = X509_get_ext_by_NID(x509, nid, -1);
    uint32_t usage = profile_key_usage(replaced);
    X509_EXTENSION *extension = at < 0 ? NULL : X509_get_ext(x509, at);
    *ret_extension = NULL;
    if (extension == NULL || (nid == NID_key_usage && usage == 0))
        return true;
    if (nid == NID_key_usage)
        return key_usage_extension(usage, X509_EXTENSION_get_critical(extension), ret_extension);
    *ret_extension = X509_EXTENSION_dup(extension);
    return *ret_extension != NULL;
}

bool profile_dates(const struct profile *profile, moment *ret_not_before, moment *ret_not_after,
                   struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    const struct cert *issuer = profile->issuer;
    moment now = profile->now;
    const char *label = cert_label(&arena, issuer).ptr;
    if (issuer->not_after < now)
        return err_set(err, ERR_REFUSED, "issuer %s has expired", label);
    if (issuer->not_before > now)
        return err_set(err, ERR_REFUSED, "issuer %s is not valid before %s", label,
                       clock_format(&arena, issuer->not_before).ptr);
    bool capped = issuer->not_after < now + profile->lifetime;
    moment until = capped ? issuer->not_after : now + profile->lifetime;
    if (capped && until - now < profile->renew_before)
        return err_set(err, ERR_REFUSED,
                       "issuer %s ends in %lld days, and certificates are renewed %lld days before "
                       "they end: what it signs would be due at once",
                       label, (long long)((until - now) / 86400),
                       (long long)(profile->renew_before / 86400));
    moment from = now - PROFILE_BACKDATE;
    *ret_not_before = from < issuer->not_before ? issuer->not_before : from;
    *ret_not_after = until;
    return true;
}

str_list profile_key_usages(struct arena *arena, const struct cert *replaced)
{
    str_list kept = { 0 };
    for (size_t i = 0; i < replaced->key_usages.count; i++) {
        str name = replaced->key_usages.items[i];
        if (!str_eq(name, S("keyCertSign")) && !str_eq(name, S("cRLSign")))
            list_push(arena, &kept) = name;
    }
    return kept;
}

bool planned_certificate(struct arena *arena, const struct profile *profile, bool new_key,
                         struct cert *ret_cert, struct err *err)
{
    const struct cert *old = profile->replaced, *issuer = profile->issuer;
    struct cert cert = {
        .spki_sha256 = new_key ? S("") : old->spki_sha256,
        .subject = old->subject,
        .subject_der = old->subject_der,
        .common_name = old->common_name,
        .issuer = issuer->subject,
        .issuer_der = issuer->subject_der,
        .key_type = old->key_type,
        .key_bits = old->key_bits,
        .dns = old->dns,
        .san = old->san,
        .key_usage = profile_key_usage(old),
        .key_usages = profile_key_usages(arena, old),
        .has_extended_key_usage = old->has_extended_key_usage,
        .extended_key_usage = old->extended_key_usage,
        .path_length = -1,
        .authority_key_id = issuer->subject_key_id,
        .self_issued = str_eq(old->subject_der, issuer->subject_der),
        .version = 3,
    };
    cert.has_key_usage = cert.key_usage != 0;
    bool rsa = str_eq(issuer->key_type, S("RSA"));
    bool ec = str_eq(issuer->key_type, S("EC"));
    cert.signature_algorithm = rsa  ? S("sha256WithRSAEncryption")
                               : ec ? S("ecdsa-with-SHA256")
                                    : issuer->key_type;
    if (!profile_dates(profile, &cert.not_before, &cert.not_after, err))
        return false;
    *ret_cert = cert;
    return true;
}

static str joined(struct arena *arena, const str_list *list)
{
    struct buf text = { 0 };
    for (size_t i = 0; i < list->count; i++)
        buf_printf(arena, &text, "%s%.*s", i == 0 ? "" : ", ", STR_ARG(list->items[i]));
    return list->count == 0 ? S("none") : buf_str(&text);
}

static str key_text(struct arena *arena, const struct cert *cert)
{
    return str_printf(arena, "%.*s %d", STR_ARG(cert->key_type), cert->key_bits);
}

static str key_id(struct arena *arena, const struct cert *cert)
{
    return cert->spki_sha256.len == 0
               ? S("new")
               : str_printf(arena, "sha256:%.*s", STR_ARG(cert->spki_sha256));
}

static str issuer_text(struct arena *arena, const struct cert *cert)
{
    return str_copy(arena, cert->issuer);
}

static str subject_text(struct arena *arena, const struct cert *cert)
{
    return str_copy(arena, cert->subject);
}

static str names_text(struct arena *arena, const struct cert *cert)
{
    return joined(arena, &cert->san);
}

static str usage_text(struct arena *arena, const struct cert *cert)
{
    return cert->has_key_usage ? joined(arena, &cert->key_usages) : S("any");
}

static str extended_text(struct arena *arena, const struct cert *cert)
{
    return cert->has_extended_key_usage ? joined(arena, &cert->extended_key_usage) : S("any");
}

static str ca_text(struct arena *arena, const struct cert *cert)
{
    (void)arena;
    return cert->ca ? S("yes") : S("no");
}

/* Rounded, so that the five minutes before the start do not make a life look longer. */
static str lifetime_text(struct arena *arena, const struct cert *cert)
{
    int64_t days = (cert->not_after - cert->not_before + 43200) / 86400;
    return str_printf(arena, "%lld days", (long long)days);
}

static const struct {
    const char *field;
    str (*text)(struct arena *arena, const struct cert *cert);
} fields[] = {
    {"key",                 key_text     },
    { "public_key",         key_id       },
    { "issuer",             issuer_text  },
    { "subject",            subject_text },
    { "names",              names_text   },
    { "key_usage",          usage_text   },
    { "extended_key_usage", extended_text},
    { "ca",                 ca_text      },
    { "lifetime",           lifetime_text},
};

void profile_diff(struct arena *arena, const struct cert *replaced, const struct cert *planned,
                  profile_rows *ret_rows)
{
    *ret_rows = (profile_rows){ 0 };
    for (size_t i = 0; i < COUNT(fields); i++) {
        struct profile_row row = { .field = fields[i].field,
                                   .old_value = fields[i].text(arena, replaced),
                                   .new_value = fields[i].text(arena, planned) };
        row.changed = !str_eq(row.old_value, row.new_value);
        list_push(arena, ret_rows) = row;
    }
}

void profile_emit(struct emit *emit, const char *name, const profile_rows *rows)
{
    emit_array(emit, name);
    for (size_t i = 0; i < rows->count; i++) {
        emit_object(emit, NULL);
        emit_text(emit, "field", rows->items[i].field);
        emit_str(emit, "old", rows->items[i].old_value);
        emit_str(emit, "new", rows->items[i].new_value);
        emit_bool(emit, "changed", rows->items[i].changed);
        emit_object_end(emit);
    }
    emit_array_end(emit);
}
