/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/rules.h"

#include "x509/auto.h"

#include <openssl/err.h>

DEFINE_AUTO(NAME_CONSTRAINTS, NAME_CONSTRAINTS *, NAME_CONSTRAINTS_free(*handle))

/* Security level 2, Debian's default: 112 bits, which is RSA 2048, EC 224 and SHA-256. */
enum { SECURITY_BITS = 112 };

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
    uint32_t last = trial_id(trial, depth);
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

static bool note_complete(void *context, const struct path *path)
{
    *(bool *)context = path->complete;
    return path->complete;
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
        chain[count++] = trial_id(trial, i);
    while (count < PATH_CERTS) {
        uint32_t issuer = known_issuer(trial->facts, chain[count - 1], chain, count);
        if (issuer == NO_ID)
            break;
        chain[count++] = issuer;
    }
    if (count == trial->path->count)
        return true;
    bool complete = false;
    path_each(&(struct path_query){
        .facts = trial->facts,
        .library = stack_row(trial->stack)->library,
        .chain = {(const char *)chain, count * sizeof(*chain)},
        .anchors = trial->anchors,
        .at = trial->at,
        .take = note_complete,
        .context = &complete,
    });
    return !complete;
}

static bool is_not_alone(const struct trial *trial, size_t depth)
{
    return trial->path->complete || depth > 0 || !trial_facts(trial, 0)->self_signed;
}

static bool reaches_anchor(const struct trial *trial, size_t depth)
{
    (void)depth;
    return trial->path->complete;
}

static bool is_well_formed(const struct trial *trial, size_t depth)
{
    return trial_facts(trial, depth)->decodable;
}

static bool is_understood(const struct trial *trial, size_t depth)
{
    return !trial_cert(trial, depth)->critical_unknown;
}

static bool may_sign(const struct trial *trial, size_t depth)
{
    const struct cert *cert = trial_cert(trial, depth);
    return !cert->has_key_usage || (cert->key_usage & KU_KEY_CERT_SIGN) != 0;
}

/* Only an anchor may do without basicConstraints: version 1, or keyCertSign alone. */
static bool is_ca(const struct trial *trial, size_t depth)
{
    int ca = trial_facts(trial, depth)->ca;
    return ca == 1 || (ca != 0 && trial_is_last(trial, depth));
}

static bool has_extended_usage(const struct trial *trial, size_t depth)
{
    static const char *const wanted[ROLE_COUNT][3] = {
        [ROLE_SERVER] = {"serverAuth", "nsSGC", "msSGC" },
        [ROLE_CLIENT] = { "clientAuth"    },
    };
    const struct cert *cert = trial_cert(trial, depth);
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
    const struct cert_facts *facts = trial_facts(trial, depth);
    return depth == 0 ? facts->leaf_purpose[trial->role] : facts->issuer_purpose[trial->role];
}

/* Self-issued certificates do not count (RFC 5280, 6.1.4 (l)). */
static bool is_short_enough(const struct trial *trial, size_t depth)
{
    int below = 0, limit = trial_cert(trial, depth)->path_length;
    for (size_t i = 1; i < depth; i++)
        below += !trial_cert(trial, i)->self_issued;
    return depth < 2 || limit < 0 || below <= limit;
}

static bool has_strong_key(const struct trial *trial, size_t depth)
{
    return trial_planned(trial, depth) || trial_facts(trial, depth)->key_security >= SECURITY_BITS;
}

static bool has_strong_signature(const struct trial *trial, size_t depth)
{
    return trial_is_last(trial, depth) || trial_planned(trial, depth) ||
           trial_facts(trial, depth)->signature_security >= SECURITY_BITS;
}

static bool signed_by_next(const struct trial *trial, size_t depth)
{
    return trial_is_last(trial, depth) ||
           facts_signed(trial->facts, trial_id(trial, depth), trial_id(trial, depth + 1));
}

static bool signed_by_anchor(const struct trial *trial, size_t depth)
{
    return depth + 1 < trial->path->untrusted || signed_by_next(trial, depth);
}

static bool has_begun(const struct trial *trial, size_t depth)
{
    return !path_is_early(trial_cert(trial, depth), trial->at);
}

static bool has_not_ended(const struct trial *trial, size_t depth)
{
    return !path_is_expired(trial_cert(trial, depth), trial->at);
}

bool rules_permits(const struct trial *trial, size_t depth, size_t above, bool common_name)
{
    if (!trial_cert(trial, above)->has_name_constraints)
        return true;
    AUTO(X509) X509 *x509 = cert_x509(trial_cert(trial, depth));
    AUTO(X509) X509 *issuer = cert_x509(trial_cert(trial, above));
    AUTO(NAME_CONSTRAINTS)
    NAME_CONSTRAINTS *constraints = X509_get_ext_d2i(issuer, NID_name_constraints, NULL, NULL);
    X509_check_purpose(x509, -1, 0); /* decodes its names */
    bool ok = constraints != NULL && NAME_CONSTRAINTS_check(x509, constraints) == X509_V_OK;
    if (ok && common_name && depth == 0 && trial_cert(trial, 0)->dns.count == 0)
        ok = NAME_CONSTRAINTS_check_CN(x509, constraints) == X509_V_OK;
    ERR_clear_error();
    return ok;
}

/* The CN counts (RFC 5280 does not say so; OpenSSL does). */
static bool is_permitted(const struct trial *trial, size_t depth)
{
    if (depth != 0 && trial_cert(trial, depth)->self_issued)
        return true;
    for (size_t above = trial->path->count - 1; above > depth; above--)
        if (!rules_permits(trial, depth, above, true))
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
        if (model_pin_matches(model, members[i], trial_id(trial, depth)))
            return true;
        pinned = true;
    }
    return !pinned;
}

static bool has_name(const struct trial *trial, size_t depth)
{
    return trial->role != ROLE_SERVER || trial->link->verify != VERIFY_FULL ||
           cert_matches_name(trial_cert(trial, depth), trial->link->name);
}

static bool is_user(const struct trial *trial, size_t depth)
{
    return trial->role != ROLE_CLIENT || !trial->link->user_is_cn ||
           str_eq(trial_cert(trial, depth)->common_name, trial->link->user);
}

/* "CN=postgres" is compared with the CN, anything else with the whole subject. */
static bool is_wanted_identity(const struct trial *trial, size_t depth)
{
    if (trial->role != ROLE_CLIENT)
        return true;
    str wanted = trial->facts->model->services.items[trial->link->to].client_identity;
    const struct cert *cert = trial_cert(trial, depth);
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
const struct rule rules[RULE_COUNT] = {
    [RULE_selected] = { "selected", APPLIES_PATH, CAUSE(client_ca_not_accepted),
      "RFC 8446, 4.4.2.3", is_selected,
      "a client that chooses by issuer has a certificate of an issuer that the server names" },
    [RULE_presented] = { "presented", APPLIES_PATH,
      CAUSES_BY(keystore_missing, client_cert_missing, keystore_missing),
      "RFC 8446, 4.4.2", is_presented,
      "an end that is judged presents a certificate" },
    [RULE_well_formed_leaf] = { "well_formed_leaf", LEAF, CAUSE(cert_malformed),
      "RFC 5280, 4.1", is_well_formed,
      "the leaf can be decoded, its extensions too" },
    [RULE_leaf_key] = { "leaf_key", LEAF, CAUSE(weak_signature_or_key),
      "NIST SP 800-57, 5.6.1", has_strong_key,
      "the leaf's key has at least 112 bits of security: RSA 2048, EC 224" },
    [RULE_anchors] = { "anchors", APPLIES_PATH, CAUSE(truststore_empty),
      "RFC 5280, 6.1.1 (d)", has_anchors,
      "the end that judges has an anchor" },
    [RULE_anchor_current] = { "anchor_current", APPLIES_PATH, CAUSE(truststore_stale_after_rotation),
      "RFC 5280, 4.2.1.1", has_current_anchor,
      "an anchor with the issuer's name has the issuer's key" },
    [RULE_chain_whole] = { "chain_whole", APPLIES_PATH, CAUSE(chain_incomplete),
      "RFC 8446, 4.4.2", lacks_nothing_known,
      "no known intermediate would lead the path to an anchor" },
    [RULE_not_alone] = { "not_alone", APPLIES_PATH,
      CAUSES_BY(self_signed_untrusted, client_ca_not_accepted, self_signed_untrusted),
      "RFC 5280, 6.1", is_not_alone,
      "a self-signed leaf is itself an anchor" },
    [RULE_anchored] = { "anchored", APPLIES_PATH,
      CAUSES_BY(issuer_unknown, client_ca_not_accepted, issuer_unknown),
      "RFC 5280, 6.1", reaches_anchor,
      "the path ends in a self-signed anchor" },
    [RULE_well_formed] = { "well_formed", ISSUERS, CAUSE(cert_malformed),
      "RFC 5280, 4.1", is_well_formed,
      "every issuer can be decoded, its extensions too" },
    [RULE_critical] = { "critical", ANY, CAUSE(cert_malformed),
      "RFC 5280, 4.2", is_understood,
      "there is no critical extension that is not understood" },
    [RULE_cert_sign] = { "cert_sign", ISSUERS, CAUSE(wrong_key_usage),
      "RFC 5280, 4.2.1.3", may_sign,
      "an issuer with keyUsage has keyCertSign" },
    [RULE_ca] = { "ca", ISSUERS, CAUSE(ca_basic_constraints),
      "RFC 5280, 4.2.1.9", is_ca,
      "an issuer is a CA" },
    [RULE_extended_key_usage] = { "extended_key_usage", ANY, CAUSE(wrong_key_usage),
      "RFC 5280, 4.2.1.12", has_extended_usage,
      "extendedKeyUsage, where there is one, has serverAuth or clientAuth; of issuers too" },
    [RULE_key_usage] = { "key_usage", ANY, CAUSE(wrong_key_usage),
      "RFC 5280, 4.2.1.3", has_usage,
      "keyUsage, where there is one, has a bit for the role: digitalSignature or keyAgreement, for "
      "a server also keyEncipherment" },
    [RULE_path_length] = { "path_length", ISSUERS, CAUSE(ca_basic_constraints),
      "RFC 5280, 4.2.1.9", is_short_enough,
      "no more intermediates follow than pathLenConstraint allows" },
    [RULE_issuer_key] = { "issuer_key", ISSUERS, CAUSE(weak_signature_or_key),
      "NIST SP 800-57, 5.6.1", has_strong_key,
      "every key has at least 112 bits of security" },
    [RULE_signature_strength] = { "signature_strength", ANY, CAUSE(weak_signature_or_key),
      "RFC 9155", has_strong_signature,
      "every signature but the anchor's own has at least 112 bits of security: not SHA-1, not MD5" },
    [RULE_signed_by_anchor] = { "signed_by_anchor", LEAF | INTERMEDIATE, CAUSE(truststore_stale_after_rotation),
      "RFC 5280, 6.1.3 (a) (1)", signed_by_anchor,
      "the anchor that was found by name made the signature" },
    [RULE_signed] = { "signed", LEAF | INTERMEDIATE, CAUSE(chain_incomplete),
      "RFC 5280, 6.1.3 (a) (1)", signed_by_next,
      "the intermediate that was found by name made the signature" },
    [RULE_begun] = { "begun", ANY, CAUSE(not_yet_valid),
      "RFC 5280, 6.1.3 (a) (2)", has_begun,
      "every notBefore is past, the anchor's too" },
    [RULE_anchor_dates] = { "anchor_dates", ANCHOR, CAUSE(root_expired),
      "RFC 5280, 4.1.2.5", has_not_ended,
      "the anchor's notAfter lies ahead" },
    [RULE_intermediate_dates] = { "intermediate_dates", INTERMEDIATE, CAUSE(intermediate_expired),
      "RFC 5280, 6.1.3 (a) (2)", has_not_ended,
      "every intermediate's notAfter lies ahead" },
    [RULE_leaf_dates] = { "leaf_dates", LEAF,
      CAUSES_BY(leaf_expired, client_cert_expired, signing_cert_expired),
      "RFC 5280, 6.1.3 (a) (2)", has_not_ended,
      "the leaf's notAfter lies ahead" },
    [RULE_name_constraints] = { "name_constraints", ANY, CAUSE(name_constraints),
      "RFC 5280, 4.2.1.10", is_permitted,
      "no issuer's nameConstraints exclude a name" },
    [RULE_name] = { "name", APPLIES_NAME, CAUSE(hostname_mismatch),
      "RFC 9525, 6.3", has_name,
      "the leaf has the name that was dialled, where names are verified" },
    [RULE_user] = { "user", APPLIES_IDENTITY, CAUSE(client_identity_not_authorised),
      "PostgreSQL 15, 21.12", is_user,
      "the client's CN is the user's name, where pg_hba.conf says so" },
    [RULE_identity] = { "identity", APPLIES_IDENTITY, CAUSE(client_identity_not_authorised),
      "PostgreSQL 15, 21.2", is_wanted_identity,
      "the client's subject is the one that the service wants" },
    [RULE_pin] = { "pin", APPLIES_PIN, CAUSE(pin_mismatch),
      "RFC 7469, 2.6", matches_pin,
      "the leaf, or its public key, is one that is remembered, where something is" },
};
// clang-format on
/* ---- in which order a library asks ---- */

struct stage {
    unsigned at; /* positions; 0: wherever the rule applies */
    bool from_anchor;
    uint64_t rules;
    uint64_t final; /* where one of them is broken, no other path is tried */
};
struct order {
    const struct stage *stages;
    size_t count;
    uint64_t trusted_leaf; /* what a leaf is asked for that is itself an anchor */
};

#define R(id)      ((uint64_t)1 << RULE_##id)
#define STRUCTURE  (R(anchors) | R(anchor_current) | R(chain_whole) | R(not_alone) | R(anchored))
#define SIGNED     (R(signed_by_anchor) | R(signed))
#define DATES      (R(begun) | R(anchor_dates) | R(intermediate_dates) | R(leaf_dates))
#define STRENGTH   (R(issuer_key) | R(signature_strength))
#define ISSUER_IS  (R(well_formed) | R(cert_sign) | R(ca))
#define LEAF_USAGE (R(extended_key_usage) | R(key_usage))

// clang-format off
static const struct stage openssl_stages[] = {
    { 0, false, R(well_formed_leaf) | R(leaf_key), UINT64_MAX },
    { 0, false, STRUCTURE, UINT64_MAX },
    { 0, false, ISSUER_IS | R(critical) | LEAF_USAGE | R(path_length), UINT64_MAX },
    { 0, false, STRENGTH, UINT64_MAX },
    { 0, true,  SIGNED | DATES, UINT64_MAX },
    { 0, false, R(name_constraints), UINT64_MAX },
};
static const struct stage gnutls_stages[] = {
    { 0, false, R(well_formed_leaf), UINT64_MAX },
    { 0, false, STRUCTURE, 0 },
    { 0, true,  ISSUER_IS | R(critical) | STRENGTH | R(leaf_key) | SIGNED | DATES | R(name_constraints),
                ISSUER_IS | R(critical) | SIGNED | R(name_constraints) | R(begun) },
    { 0, true, R(path_length), UINT64_MAX },
    { APPLIES_INTERMEDIATE | APPLIES_ANCHOR, true, R(extended_key_usage), UINT64_MAX },
    { APPLIES_LEAF, false, LEAF_USAGE, UINT64_MAX },
};
static const struct stage go_stages[] = {
    { 0, false, R(well_formed_leaf) | R(leaf_key), UINT64_MAX },
    { APPLIES_LEAF, false, R(critical) | DATES, UINT64_MAX },
    { 0, false, STRUCTURE, 0 },
    { 0, false, ISSUER_IS | R(critical) | STRENGTH | SIGNED | DATES | R(name_constraints) | R(path_length), 0 },
    { 0, true,  LEAF_USAGE, 0 },
};
static const struct stage jsse_stages[] = {
    { 0, false, R(well_formed_leaf), UINT64_MAX },
    { 0, false, STRUCTURE, 0 },
    { APPLIES_INTERMEDIATE | APPLIES_LEAF, true,
                ISSUER_IS | R(critical) | STRENGTH | R(leaf_key) | SIGNED | DATES | R(name_constraints) | R(path_length), 0 },
    { APPLIES_ANCHOR, true, STRENGTH | DATES | R(path_length), 0 },
    { APPLIES_ANCHOR, true, ISSUER_IS | R(critical) | SIGNED, UINT64_MAX },
    { APPLIES_LEAF, false, LEAF_USAGE, UINT64_MAX },
    { APPLIES_INTERMEDIATE | APPLIES_ANCHOR, true, R(extended_key_usage), 0 },
};

#define STAGES(library) library##_stages, COUNT(library##_stages)
static const struct order orders[LIBRARY_COUNT] = {
    [LIBRARY_openssl] = { STAGES(openssl), UINT64_MAX },
    [LIBRARY_gnutls]  = { STAGES(gnutls),  R(well_formed_leaf) | R(leaf_key) | R(begun) | R(leaf_dates) | LEAF_USAGE },
    [LIBRARY_go]      = { STAGES(go),      UINT64_MAX },
    [LIBRARY_jsse]    = { STAGES(jsse),    R(well_formed_leaf) },
};
// clang-format on

static const struct stage presence = { .rules = R(selected) | R(presented) };
static const struct stage demands = { .rules = R(name) | R(user) | R(identity) | R(pin) };

bool rules_ask_trusted_leaf(enum stack_id stack, enum rule_id rule)
{
    return (orders[stack_row(stack)->library].trusted_leaf >> rule & 1) != 0;
}

static unsigned position(const struct path *path, size_t depth)
{
    if (depth == 0)
        return APPLIES_LEAF;
    return depth + 1 == path->count && path->complete ? APPLIES_ANCHOR : APPLIES_INTERMEDIATE;
}

/* Whether the rule is to be tried at that depth. */
static bool is_due(const struct trial *trial, enum rule_id rule, size_t depth)
{
    const struct path *path = trial->path;
    unsigned applies = rules[rule].applies;
    if ((applies & APPLIES_ANY) != 0)
        return path->count > 0 && (applies & position(path, depth)) != 0 &&
               (path->count > 1 || !path->complete || rules_ask_trusted_leaf(trial->stack, rule));
    if ((applies & APPLIES_PATH) != 0)
        return depth + 1 >= path->count;
    return path->count > 0 && depth == 0;
}

static bool holds(const struct trial *trial, enum rule_id rule, size_t depth)
{
    const struct cell *cell = rules_cell(trial->stack, rule);
    if (cell == NULL)
        return rules[rule].holds(trial, depth);
    return cell->holds == NULL || cell->holds(trial, depth);
}

static enum rule_id try_at(const struct trial *trial, const struct stage *stage, size_t depth)
{
    if (stage->at != 0 && (stage->at & position(trial->path, depth)) == 0)
        return RULE_COUNT;
    for (enum rule_id rule = 0; rule < RULE_COUNT; rule++)
        if ((stage->rules >> rule & 1) != 0 && is_due(trial, rule, depth) &&
            !holds(trial, rule, depth))
            return rule;
    return RULE_COUNT;
}

static enum rule_id try_stage(const struct trial *trial, const struct stage *stage,
                              size_t *ret_depth)
{
    size_t steps = trial->path->count == 0 ? 1 : trial->path->count;
    for (size_t step = 0; step < steps; step++) {
        *ret_depth = stage->from_anchor ? steps - 1 - step : step;
        enum rule_id broken = try_at(trial, stage, *ret_depth);
        if (broken != RULE_COUNT)
            return broken;
    }
    return RULE_COUNT;
}

enum rule_id rules_try(const struct trial *trial, enum rule_part part, size_t *ret_depth)
{
    const struct order *order = &orders[stack_row(trial->stack)->library];
    if (part != PART_PATH)
        return try_stage(trial, part == PART_LINK ? &demands : &presence, ret_depth);
    enum rule_id broken = RULE_COUNT;
    for (size_t i = 0; i < order->count && broken == RULE_COUNT; i++)
        broken = try_stage(trial, &order->stages[i], ret_depth);
    return broken;
}

bool rules_is_final(const struct trial *trial, enum rule_id broken, size_t depth)
{
    const struct order *order = &orders[stack_row(trial->stack)->library];
    for (size_t i = 0; i < order->count; i++) {
        const struct stage *stage = &order->stages[i];
        if ((stage->rules >> broken & 1) != 0 &&
            (stage->at == 0 || (stage->at & position(trial->path, depth)) != 0))
            return (stage->final >> broken & 1) != 0;
    }
    return false;
}
