/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/rules.h"

#include <openssl/x509v3.h>

/* JSSE's builder looks at no anchor's dates for the leaf, but at those above an intermediate. */
static bool is_undated_anchor(const struct trial *trial, size_t depth)
{
    return trial_is_anchor(trial, depth) && !(trial->path->searched && depth > 1);
}

static bool has_begun(const struct trial *trial, size_t depth)
{
    return is_undated_anchor(trial, depth) || !path_is_early(trial_cert(trial, depth), trial->at);
}

/* RFC 5280, 4.1.2.5: notAfter is included. */
static bool has_not_passed(const struct trial *trial, size_t depth)
{
    return trial->at <= trial_cert(trial, depth)->not_after;
}

/* GNUTLS_SEC_PARAM_LOW, in bits of security: RSA 1024, EC 160. */
static bool is_not_very_weak(const struct trial *trial, size_t depth)
{
    return trial_planned(trial, depth) || trial_facts(trial, depth)->key_security >= 80;
}

static bool lists_usage(const struct trial *trial, size_t depth, bool any)
{
    static const char *const wanted[ROLE_COUNT] = {
        [ROLE_SERVER] = "serverAuth", [ROLE_CLIENT] = "clientAuth"
    };
    const struct cert *cert = trial_cert(trial, depth);
    if (!cert->has_extended_key_usage || trial->role == ROLE_SIGNER)
        return true;
    return str_list_has(&cert->extended_key_usage, str_c(wanted[trial->role])) ||
           (any && str_list_has(&cert->extended_key_usage, S("anyExtendedKeyUsage")));
}

static bool every_one_lists_usage(const struct trial *trial, size_t depth)
{
    return lists_usage(trial, depth, true);
}

static bool presented_ones_list_usage(const struct trial *trial, size_t depth)
{
    return trial_is_anchor(trial, depth) || lists_usage(trial, depth, depth == 0);
}

static bool leaf_lists_usage(const struct trial *trial, size_t depth)
{
    const struct cert *cert = trial_cert(trial, depth);
    if (depth > 0 || lists_usage(trial, depth, true))
        return true;
    return trial->role == ROLE_SERVER && (str_list_has(&cert->extended_key_usage, S("nsSGC")) ||
                                          str_list_has(&cert->extended_key_usage, S("msSGC")));
}

static bool leaf_may_sign_handshakes(const struct trial *trial, size_t depth)
{
    const struct cert *cert = trial_cert(trial, depth);
    return depth > 0 || trial->role == ROLE_SIGNER || !cert->has_key_usage ||
           (cert->key_usage & KU_DIGITAL_SIGNATURE) != 0;
}

static bool has_basic_constraints(const struct trial *trial, size_t depth)
{
    const struct cert *cert = trial_cert(trial, depth);
    return trial_facts(trial, depth)->ca == 1 ||
           (trial_is_anchor(trial, depth) && cert->version < 3);
}

/* A version 3 root without basicConstraints too, where it is self-signed. */
static bool is_ca_or_root(const struct trial *trial, size_t depth)
{
    const struct cert *cert = trial_cert(trial, depth);
    const struct cert_facts *facts = trial_facts(trial, depth);
    return facts->ca == 1 || (trial_is_anchor(trial, depth) &&
                              (cert->version < 3 || (cert->self_issued && facts->ca != 0)));
}

static bool is_understood_below_anchor(const struct trial *trial, size_t depth)
{
    return trial_is_anchor(trial, depth) || !trial_cert(trial, depth)->critical_unknown;
}

static bool may_sign_or_is_leaf(const struct trial *trial, size_t depth)
{
    const struct cert *cert = trial_cert(trial, depth);
    return !cert->has_key_usage || (cert->key_usage & KU_KEY_CERT_SIGN) != 0;
}

static size_t below(const struct trial *trial, size_t depth, bool self_issued)
{
    size_t count = 0;
    for (size_t i = 1; i < depth; i++)
        count += self_issued || !trial_cert(trial, i)->self_issued;
    return count;
}

static bool is_short_with_self_issued(const struct trial *trial, size_t depth)
{
    int limit = trial_cert(trial, depth)->path_length;
    return limit < 0 || below(trial, depth, true) <= (size_t)limit;
}

static bool is_short_below_anchor(const struct trial *trial, size_t depth)
{
    int limit = trial_cert(trial, depth)->path_length;
    return trial_is_anchor(trial, depth) || limit < 0 ||
           below(trial, depth, false) <= (size_t)limit;
}

static bool permits_leaf(const struct trial *trial, size_t depth, bool common_name)
{
    for (size_t above = 1; depth == 0 && above < trial->path->count; above++)
        if (!rules_permits(trial, 0, above, common_name))
            return false;
    return true;
}

static bool leaf_is_permitted(const struct trial *trial, size_t depth)
{
    return permits_leaf(trial, depth, false);
}

static bool server_is_permitted(const struct trial *trial, size_t depth)
{
    const struct cert *leaf = trial_cert(trial, 0);
    const str_list *usages = &leaf->extended_key_usage;
    bool server = !leaf->has_extended_key_usage || str_list_has(usages, S("serverAuth")) ||
                  str_list_has(usages, S("anyExtendedKeyUsage"));
    return permits_leaf(trial, depth, server);
}

static bool searched_anchor_lasts(const struct trial *trial, size_t depth)
{
    return is_undated_anchor(trial, depth) || !path_is_expired(trial_cert(trial, depth), trial->at);
}

static bool is_permitted_below_anchor(const struct trial *trial, size_t depth)
{
    if (trial_is_anchor(trial, depth) || (depth > 0 && trial_cert(trial, depth)->self_issued))
        return true;
    for (size_t above = depth + 1; above < trial->path->count; above++)
        if (!trial_is_anchor(trial, above) && !rules_permits(trial, depth, above, true))
            return false;
    return true;
}

// clang-format off
static const struct cell cells[RULE_COUNT][STACK_COUNT] = {
    [RULE_leaf_key] = {
        [STACK_gnutls] = { is_not_very_weak, "80 bits of security: RSA 1024, EC 160",
            "priority NORMAL: %PROFILE_LOW, GnuTLS 3.7.9" },
    },
    [RULE_issuer_key] = {
        [STACK_gnutls] = { is_not_very_weak, "80 bits of security: RSA 1024, EC 160",
            "priority NORMAL: %PROFILE_LOW, GnuTLS 3.7.9" },
    },
    [RULE_critical] = {
        [STACK_jsse] = { is_understood_below_anchor, "an anchor is not looked at",
            "java.security.cert.TrustAnchor, OpenJDK 17" },
    },
    [RULE_cert_sign] = {
        [STACK_jsse] = { may_sign_or_is_leaf, "an anchor's too, since JDK 16",
            "PKIXValidator.verifyTrustAnchor, OpenJDK 17" },
    },
    [RULE_ca] = {
        [STACK_gnutls] = { is_ca_or_root, "basicConstraints, but for an anchor of version 1, or one that is self-signed and has none",
            "lib/x509/verify.c, check_if_ca(), GnuTLS 3.7.9" },
        [STACK_go] = { has_basic_constraints, "basicConstraints, but for an anchor of version 1",
            "crypto/x509, Certificate.CheckSignatureFrom, Go 1.19" },
        [STACK_jsse] = { has_basic_constraints, "basicConstraints, but for an anchor of version 1",
            "PKIXValidator.verifyTrustAnchor, OpenJDK 17" },
    },
    [RULE_extended_key_usage] = {
        [STACK_gnutls] = { presented_ones_list_usage, "of the leaf, where anyExtendedKeyUsage will do, and of the intermediates, where it will not; not of the anchor",
            "gnutls_certificate_verify_peers(), GNUTLS_DT_KEY_PURPOSE_OID; lib/x509/verify.c, GnuTLS 3.7.9" },
        [STACK_go] = { every_one_lists_usage, "of every certificate, anyExtendedKeyUsage will do",
            "crypto/x509, VerifyOptions.KeyUsages, Go 1.19" },
        [STACK_jsse] = { leaf_lists_usage, "of the leaf alone, anyExtendedKeyUsage will do",
            "sun.security.validator.EndEntityChecker, OpenJDK 17" },
    },
    [RULE_key_usage] = {
        [STACK_gnutls] = { leaf_may_sign_handshakes, "the leaf's keyUsage, where there is one, has digitalSignature",
            "lib/cert-session.c, _gnutls_check_key_usage_for_sig(), GnuTLS 3.7.9" },
        [STACK_go] = { NULL, "not looked at",
            "crypto/x509, Certificate.isValid: \"KeyUsage status flags are ignored\", Go 1.19" },
        [STACK_jsse] = { leaf_may_sign_handshakes, "the leaf's keyUsage, where there is one, has digitalSignature",
            "sun.security.validator.EndEntityChecker, OpenJDK 17" },
    },
    [RULE_path_length] = {
        [STACK_gnutls] = { is_short_with_self_issued, "self-issued intermediates count",
            "lib/x509/verify.c, check_if_ca(), GnuTLS 3.7.9" },
        [STACK_go] = { is_short_with_self_issued, "self-issued intermediates count",
            "crypto/x509, Certificate.isValid, Go 1.19" },
        [STACK_jsse] = { is_short_below_anchor, "an anchor's is not looked at",
            "sun.security.provider.certpath.ConstraintsChecker, OpenJDK 17" },
    },
    [RULE_begun] = {
        [STACK_jsse] = { has_begun, "an anchor's is looked at only above an intermediate where the path is searched for",
            "java.security.cert.TrustAnchor, OpenJDK 17" },
    },
    [RULE_anchor_dates] = {
        [STACK_gnutls] = { has_not_passed, "in the second of notAfter it is valid",
            "lib/x509/verify.c, check_time_status(), GnuTLS 3.7.9" },
        [STACK_jsse] = { searched_anchor_lasts, "not looked at, but above an intermediate where the chain is not in order and the path is searched for",
            "java.security.cert.TrustAnchor; sun.security.provider.certpath.ForwardBuilder, OpenJDK 17" },
    },
    [RULE_intermediate_dates] = {
        [STACK_gnutls] = { has_not_passed, "in the second of notAfter it is valid",
            "lib/x509/verify.c, check_time_status(), GnuTLS 3.7.9" },
    },
    [RULE_leaf_dates] = {
        [STACK_gnutls] = { has_not_passed, "in the second of notAfter it is valid",
            "lib/x509/verify.c, check_time_status(), GnuTLS 3.7.9" },
    },
    [RULE_name_constraints] = {
        [STACK_gnutls] = { server_is_permitted, "of the leaf alone; the CN counts where there is no dNSName and extendedKeyUsage allows a server",
            "lib/x509/verify.c, verify_crt(), GnuTLS 3.7.9" },
        [STACK_go] = { leaf_is_permitted, "of the leaf's subjectAltName; the CN never counts",
            "crypto/x509, Certificate.isValid, Go 1.19" },
        [STACK_jsse] = { is_permitted_below_anchor, "an anchor's constraints are not looked at",
            "java.security.cert.TrustAnchor: name constraints are a parameter of their own, OpenJDK 17" },
    },
};
// clang-format on

const struct cell *rules_cell(enum stack_id stack, enum rule_id rule)
{
    const struct cell *own = &cells[rule][stack], *base = &cells[rule][stack_row(stack)->base];
    return own->text != NULL ? own : base->text != NULL ? base : NULL;
}
