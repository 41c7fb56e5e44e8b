/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/rules.h"

#include "x509/auto.h"

#include <openssl/err.h>

DEFINE_AUTO(NAME_CONSTRAINTS, NAME_CONSTRAINTS *, NAME_CONSTRAINTS_free(*handle))

/* Security level 2, Debian's default: 112 bits, which is RSA 2048, EC 224 and SHA-256. */
enum { SECURITY_BITS = 112 };

static uint32_t cert_id(const struct trial *trial, size_t depth)
{
    return trial->path->certs[depth];
}

static const struct cert *cert_at(const struct trial *trial, size_t depth)
{
    return &trial->facts->model->certs.items[cert_id(trial, depth)];
}

static const struct cert_facts *facts_at(const struct trial *trial, size_t depth)
{
    return facts_of(trial->facts, cert_id(trial, depth));
}

static bool planned(const struct trial *trial, size_t depth)
{
    return facts_planned(trial->facts, cert_id(trial, depth));
}

static bool is_last(const struct trial *trial, size_t depth)
{
    return depth + 1 == trial->path->count;
}

static bool is_selected(const struct trial *trial, size_t depth)
{
    (void)depth;
    return trial->path->count > 0 || trial->withheld == NO_ID;
}

static bool is_presented(const struct trial *trial, size_t depth)
{
    (void)depth;
    return trial->path->count > 0;
}

static bool has_anchors(const struct trial *trial, size_t depth)
{
    (void)depth;
    size_t count;
    const uint32_t *anchors = model_members(trial->anchors, &count);
    for (size_t i = 0; i < count; i++)
        if (!model_is_pin(trial->facts->model, anchors[i]))
            return true;
    return false;
}

/* The path ends where an anchor has the right name and another key. */
static bool has_current_anchor(const struct trial *trial, size_t depth)
{
    uint32_t last = cert_id(trial, depth);
    bool self_signed = facts_of(trial->facts, last)->self_signed;
    uint32_t wanted = facts_of(trial->facts, last)->issuer;
    size_t count;
    const uint32_t *anchors = model_members(trial->anchors, &count);
    for (size_t i = 0; i < count && !trial->path->complete; i++) {
        const struct cert *certs = trial->facts->model->certs.items;
        if (facts_of(trial->facts, anchors[i])->subject != wanted || anchors[i] == last)
            continue;
        if (self_signed ? !str_eq(certs[anchors[i]].spki_sha256, certs[last].spki_sha256)
                        : !facts_likely_issued(trial->facts, last, anchors[i]))
            return false;
    }
    return true;
}

/* The likely issuer of `cert` that is neither self-signed nor on the list; NO_ID: none. */
static uint32_t known_issuer(struct facts *facts, uint32_t cert, const uint32_t *chain,
                             size_t count)
{
    uint32_t id = facts_first_named(facts, facts_of(facts, cert)->issuer);
    for (; id != NO_ID; id = facts->certs.items[id].next_same_subject) {
        bool listed = false;
        for (size_t i = 0; i < count; i++)
            listed = listed || chain[i] == id;
        if (!listed && facts_likely_issued(facts, cert, id) && !facts_of(facts, id)->self_signed)
            return id;
    }
    return NO_ID;
}

/* Whether the path would reach an anchor if intermediates that are known from elsewhere in the
   cluster were presented too. */
static bool lacks_nothing_known(const struct trial *trial, size_t depth)
{
    uint32_t chain[PATH_CERTS];
    size_t count = 0;
    if (trial->path->complete)
        return true;
    for (size_t i = 0; i <= depth; i++)
        chain[count++] = cert_id(trial, i);
    while (count < PATH_CERTS) {
        uint32_t issuer = known_issuer(trial->facts, chain[count - 1], chain, count);
        if (issuer == NO_ID)
            break;
        chain[count++] = issuer;
    }
    if (count == trial->path->count)
        return true;
    struct path longer;
    path_build(trial->facts, (str){ (const char *)chain, count * sizeof(*chain) }, trial->anchors,
               trial->at, &longer);
    return !longer.complete;
}

static bool is_not_alone(const struct trial *trial, size_t depth)
{
    return trial->path->complete || depth > 0 || !facts_at(trial, 0)->self_signed;
}

static bool reaches_anchor(const struct trial *trial, size_t depth)
{
    (void)depth;
    return trial->path->complete;
}

static bool is_well_formed(const struct trial *trial, size_t depth)
{
    return facts_at(trial, depth)->decodable;
}

static bool is_understood(const struct trial *trial, size_t depth)
{
    return !cert_at(trial, depth)->critical_unknown;
}

static bool may_sign(const struct trial *trial, size_t depth)
{
    const struct cert *cert = cert_at(trial, depth);
    return !cert->has_key_usage || (cert->key_usage & KU_KEY_CERT_SIGN) != 0;
}

/* Only an anchor may do without basicConstraints: version 1, or keyCertSign alone. */
static bool is_ca(const struct trial *trial, size_t depth)
{
    int ca = facts_at(trial, depth)->ca;
    return ca == 1 || (ca != 0 && is_last(trial, depth));
}

static bool has_extended_usage(const struct trial *trial, size_t depth)
{
    static const char *const wanted[ROLE_COUNT][3] = {
        [ROLE_SERVER] = {"serverAuth", "nsSGC", "msSGC" },
        [ROLE_CLIENT] = { "clientAuth"    },
    };
    const struct cert *cert = cert_at(trial, depth);
    if (!cert->has_extended_key_usage || trial->role == ROLE_SIGNER)
        return true;
    for (size_t i = 0; i < COUNT(wanted[0]); i++)
        if (wanted[trial->role][i] != NULL &&
            str_list_has(&cert->extended_key_usage, str_c(wanted[trial->role][i])))
            return true;
    return false;
}

/* What is left of OpenSSL's purpose check: keyUsage for the role, and nsCertType. */
static bool has_usage(const struct trial *trial, size_t depth)
{
    const struct cert_facts *facts = facts_at(trial, depth);
    return depth == 0 ? facts->leaf_purpose[trial->role] : facts->issuer_purpose[trial->role];
}

/* Self-issued certificates do not count (RFC 5280, 6.1.4 (l)). */
static bool is_short_enough(const struct trial *trial, size_t depth)
{
    int below = 0, limit = cert_at(trial, depth)->path_length;
    for (size_t i = 1; i < depth; i++)
        below += !cert_at(trial, i)->self_issued;
    return depth < 2 || limit < 0 || below <= limit;
}

static bool has_strong_key(const struct trial *trial, size_t depth)
{
    return planned(trial, depth) || facts_at(trial, depth)->key_security >= SECURITY_BITS;
}

static bool has_strong_signature(const struct trial *trial, size_t depth)
{
    return is_last(trial, depth) || planned(trial, depth) ||
           facts_at(trial, depth)->signature_security >= SECURITY_BITS;
}

static bool signed_by_next(const struct trial *trial, size_t depth)
{
    return is_last(trial, depth) ||
           facts_signed(trial->facts, cert_id(trial, depth), cert_id(trial, depth + 1));
}

static bool signed_by_anchor(const struct trial *trial, size_t depth)
{
    return depth + 1 < trial->path->untrusted || signed_by_next(trial, depth);
}

static bool has_begun(const struct trial *trial, size_t depth)
{
    return !path_is_early(cert_at(trial, depth), trial->at);
}

static bool has_not_ended(const struct trial *trial, size_t depth)
{
    return !path_is_expired(cert_at(trial, depth), trial->at);
}

/* The CN counts as a name of a leaf that has no dNSName (RFC 5280 does not say so; OpenSSL does).
 */
static bool permitted_by(const struct trial *trial, size_t depth, size_t above)
{
    if (!cert_at(trial, above)->has_name_constraints)
        return true;
    AUTO(X509) X509 *x509 = cert_x509(cert_at(trial, depth));
    AUTO(X509) X509 *issuer = cert_x509(cert_at(trial, above));
    AUTO(NAME_CONSTRAINTS)
    NAME_CONSTRAINTS *constraints = X509_get_ext_d2i(issuer, NID_name_constraints, NULL, NULL);
    X509_check_purpose(x509, -1, 0);
    bool ok = constraints != NULL && NAME_CONSTRAINTS_check(x509, constraints) == X509_V_OK;
    if (ok && depth == 0 && cert_at(trial, 0)->dns.count == 0)
        ok = NAME_CONSTRAINTS_check_CN(x509, constraints) == X509_V_OK;
    ERR_clear_error();
    return ok;
}

static bool is_permitted(const struct trial *trial, size_t depth)
{
    if (depth != 0 && cert_at(trial, depth)->self_issued)
        return true;
    for (size_t above = trial->path->count - 1; above > depth; above--)
        if (!permitted_by(trial, depth, above))
            return false;
    return true;
}

/* Without pins everything matches: nothing is remembered yet. */
static bool matches_pin(const struct trial *trial, size_t depth)
{
    const struct model *model = trial->facts->model;
    bool pinned = false;
    size_t count;
    const uint32_t *members = model_members(trial->anchors, &count);
    for (size_t i = 0; i < count; i++) {
        if (!model_is_pin(model, members[i]))
            continue;
        if (model_pin_matches(model, members[i], cert_id(trial, depth)))
            return true;
        pinned = true;
    }
    return !pinned;
}

static bool has_name(const struct trial *trial, size_t depth)
{
    return trial->role != ROLE_SERVER || trial->link->verify != VERIFY_FULL ||
           cert_matches_name(cert_at(trial, depth), trial->link->name);
}

static bool is_user(const struct trial *trial, size_t depth)
{
    return trial->role != ROLE_CLIENT || !trial->link->user_is_cn ||
           str_eq(cert_at(trial, depth)->common_name, trial->link->user);
}

/* "CN=postgres" is compared with the CN, anything else with the whole subject. */
static bool is_wanted_identity(const struct trial *trial, size_t depth)
{
    if (trial->role != ROLE_CLIENT)
        return true;
    str wanted = trial->facts->model->services.items[trial->link->to].client_identity;
    const struct cert *cert = cert_at(trial, depth);
    if (wanted.len == 0 || str_eq(cert->subject, wanted))
        return true;
    return str_starts(wanted, S("CN=")) &&
           str_eq(cert->common_name, (str){ wanted.ptr + 3, wanted.len - 3 });
}

#define LEAF         APPLIES_LEAF
#define INTERMEDIATE APPLIES_INTERMEDIATE
#define ANCHOR       APPLIES_ANCHOR
#define ISSUERS      (APPLIES_INTERMEDIATE | APPLIES_ANCHOR)
#define ANY          APPLIES_ANY
#define CAUSE(name)  CAUSES_BY(name, name, name)
#define CAUSES_BY(server, client, signer)                               \
    {                                                                   \
        [ROLE_SERVER] = CAUSE_##server, [ROLE_CLIENT] = CAUSE_##client, \
        [ROLE_SIGNER] = CAUSE_##signer                                  \
    }

// clang-format off
const struct rule rules[] = {
    { "selected", PASS_PRESENTED, APPLIES_PATH, CAUSE(client_ca_not_accepted),
      "RFC 8446, 4.4.2.3", is_selected,
      "a client that chooses by issuer has a certificate of an issuer that the server names" },
    { "presented", PASS_PRESENTED, APPLIES_PATH,
      CAUSES_BY(keystore_missing, client_cert_missing, keystore_missing),
      "RFC 8446, 4.4.2", is_presented,
      "an end that is judged presents a certificate" },
    { "well_formed_leaf", PASS_LEAF_KEY, LEAF, CAUSE(cert_malformed),
      "RFC 5280, 4.1", is_well_formed,
      "the leaf can be decoded, its extensions too" },
    { "leaf_key", PASS_LEAF_KEY, LEAF, CAUSE(weak_signature_or_key),
      "NIST SP 800-57, 5.6.1", has_strong_key,
      "the leaf's key has at least 112 bits of security: RSA 2048, EC 224" },
    { "anchors", PASS_PATH, APPLIES_PATH, CAUSE(truststore_empty),
      "RFC 5280, 6.1.1 (d)", has_anchors,
      "the end that judges has an anchor" },
    { "anchor_current", PASS_PATH, APPLIES_PATH, CAUSE(truststore_stale_after_rotation),
      "RFC 5280, 4.2.1.1", has_current_anchor,
      "an anchor with the issuer's name has the issuer's key" },
    { "chain_whole", PASS_PATH, APPLIES_PATH, CAUSE(chain_incomplete),
      "RFC 8446, 4.4.2", lacks_nothing_known,
      "no known intermediate would lead the path to an anchor" },
    { "not_alone", PASS_PATH, APPLIES_PATH,
      CAUSES_BY(self_signed_untrusted, client_ca_not_accepted, self_signed_untrusted),
      "RFC 5280, 6.1", is_not_alone,
      "a self-signed leaf is itself an anchor" },
    { "anchored", PASS_PATH, APPLIES_PATH,
      CAUSES_BY(issuer_unknown, client_ca_not_accepted, issuer_unknown),
      "RFC 5280, 6.1", reaches_anchor,
      "the path ends in a self-signed anchor" },
    { "well_formed", PASS_EXTENSIONS, ISSUERS, CAUSE(cert_malformed),
      "RFC 5280, 4.1", is_well_formed,
      "every issuer can be decoded, its extensions too" },
    { "critical", PASS_EXTENSIONS, ANY, CAUSE(cert_malformed),
      "RFC 5280, 4.2", is_understood,
      "there is no critical extension that is not understood" },
    { "cert_sign", PASS_EXTENSIONS, ISSUERS, CAUSE(wrong_key_usage),
      "RFC 5280, 4.2.1.3", may_sign,
      "an issuer with keyUsage has keyCertSign" },
    { "ca", PASS_EXTENSIONS, ISSUERS, CAUSE(ca_basic_constraints),
      "RFC 5280, 4.2.1.9", is_ca,
      "an issuer is a CA" },
    { "extended_key_usage", PASS_EXTENSIONS, ANY, CAUSE(wrong_key_usage),
      "RFC 5280, 4.2.1.12", has_extended_usage,
      "extendedKeyUsage, where there is one, has serverAuth or clientAuth; of issuers too" },
    { "key_usage", PASS_EXTENSIONS, ANY, CAUSE(wrong_key_usage),
      "RFC 5280, 4.2.1.3", has_usage,
      "keyUsage, where there is one, has a bit for the role: digitalSignature or keyAgreement, for "
      "a server also keyEncipherment" },
    { "path_length", PASS_EXTENSIONS, ISSUERS, CAUSE(ca_basic_constraints),
      "RFC 5280, 4.2.1.9", is_short_enough,
      "no more intermediates follow than pathLenConstraint allows" },
    { "issuer_key", PASS_STRENGTH, ISSUERS, CAUSE(weak_signature_or_key),
      "NIST SP 800-57, 5.6.1", has_strong_key,
      "every key has at least 112 bits of security" },
    { "signature_strength", PASS_STRENGTH, ANY, CAUSE(weak_signature_or_key),
      "RFC 9155", has_strong_signature,
      "every signature but the anchor's own has at least 112 bits of security: not SHA-1, not MD5" },
    { "signed_by_anchor", PASS_SIGNED, LEAF | INTERMEDIATE, CAUSE(truststore_stale_after_rotation),
      "RFC 5280, 6.1.3 (a) (1)", signed_by_anchor,
      "the anchor that was found by name made the signature" },
    { "signed", PASS_SIGNED, LEAF | INTERMEDIATE, CAUSE(chain_incomplete),
      "RFC 5280, 6.1.3 (a) (1)", signed_by_next,
      "the intermediate that was found by name made the signature" },
    { "begun", PASS_SIGNED, ANY, CAUSE(not_yet_valid),
      "RFC 5280, 6.1.3 (a) (2)", has_begun,
      "every notBefore is past, the anchor's too" },
    { "anchor_dates", PASS_SIGNED, ANCHOR, CAUSE(root_expired),
      "RFC 5280, 4.1.2.5", has_not_ended,
      "the anchor's notAfter lies ahead" },
    { "intermediate_dates", PASS_SIGNED, INTERMEDIATE, CAUSE(intermediate_expired),
      "RFC 5280, 6.1.3 (a) (2)", has_not_ended,
      "every intermediate's notAfter lies ahead" },
    { "leaf_dates", PASS_SIGNED, LEAF,
      CAUSES_BY(leaf_expired, client_cert_expired, signing_cert_expired),
      "RFC 5280, 6.1.3 (a) (2)", has_not_ended,
      "the leaf's notAfter lies ahead" },
    { "name_constraints", PASS_CONSTRAINTS, ANY, CAUSE(name_constraints),
      "RFC 5280, 4.2.1.10", is_permitted,
      "no issuer's nameConstraints exclude a name" },
    { "name", PASS_LINK, APPLIES_NAME, CAUSE(hostname_mismatch),
      "RFC 9525, 6.3", has_name,
      "the leaf has the name that was dialled, where names are verified" },
    { "user", PASS_LINK, APPLIES_IDENTITY, CAUSE(client_identity_not_authorised),
      "PostgreSQL 15, 21.12", is_user,
      "the client's CN is the user's name, where pg_hba.conf says so" },
    { "identity", PASS_LINK, APPLIES_IDENTITY, CAUSE(client_identity_not_authorised),
      "PostgreSQL 15, 21.2", is_wanted_identity,
      "the client's subject is the one that the service wants" },
    { "pin", PASS_LINK, APPLIES_PIN, CAUSE(pin_mismatch),
      "RFC 7469, 2.6", matches_pin,
      "the leaf, or its public key, is one that is remembered, where something is" },
};
// clang-format on
const size_t rule_count = COUNT(rules);

static unsigned position(const struct path *path, size_t depth)
{
    if (depth == 0)
        return APPLIES_LEAF;
    return depth + 1 == path->count && path->complete ? APPLIES_ANCHOR : APPLIES_INTERMEDIATE;
}

/* Whether the rule is to be tried at that depth. */
static bool is_due(const struct rule *rule, const struct path *path, size_t depth)
{
    if ((rule->applies & APPLIES_ANY) != 0)
        return path->count > 0 && (rule->applies & position(path, depth)) != 0;
    if ((rule->applies & APPLIES_PATH) != 0)
        return depth + 1 >= path->count;
    return path->count > 0 && depth == 0;
}

static const struct rule *try_at(const struct trial *trial, enum rule_pass pass, size_t depth)
{
    for (size_t i = 0; i < rule_count; i++)
        if (rules[i].pass == pass && is_due(&rules[i], trial->path, depth) &&
            !rules[i].holds(trial, depth))
            return &rules[i];
    return NULL;
}

const struct rule *rules_try(const struct trial *trial, enum rule_pass from, enum rule_pass to,
                             size_t *ret_depth)
{
    size_t steps = trial->path->count == 0 ? 1 : trial->path->count;
    for (enum rule_pass pass = from; pass <= to; pass++)
        for (size_t step = 0; step < steps; step++) {
            size_t depth = pass == PASS_SIGNED ? steps - 1 - step : step;
            const struct rule *broken = try_at(trial, pass, depth);
            *ret_depth = depth;
            if (broken != NULL)
                return broken;
        }
    return NULL;
}

const struct rule *rule_of_cause(enum cause cause, enum tls_role role)
{
    for (size_t i = 0; i < rule_count; i++)
        if (rules[i].causes[role] == cause)
            return &rules[i];
    return NULL;
}
