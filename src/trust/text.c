/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/judge.h"
#include "trust/rules.h"

/* What the dates of the certificate say, where dates are the reason. */
static str since_when(struct arena *arena, const struct cert *cert, struct verdict verdict,
                      moment at)
{
    bool early = verdict.cause == CAUSE_not_yet_valid;
    bool dates = early || verdict.cause == CAUSE_leaf_expired ||
                 verdict.cause == CAUSE_client_cert_expired ||
                 verdict.cause == CAUSE_signing_cert_expired ||
                 verdict.cause == CAUSE_intermediate_expired || verdict.cause == CAUSE_root_expired;
    if (!dates)
        return S("");
    moment when = early ? cert->not_before : cert->not_after;
    return str_printf(arena, ", %s %.*s, %.*s", early ? "until" : "since",
                      STR_ARG(clock_format(arena, when)), STR_ARG(clock_relative(arena, when, at)));
}

/* What was asked for and not found, where the link's demand is the reason. */
static str demanded(struct arena *arena, const struct model *model, const struct link *link,
                    const struct cert *cert, enum cause cause)
{
    str wanted = model->services.items[link->to].client_identity;
    if (cause == CAUSE_hostname_mismatch)
        return str_printf(arena, " is not for \"%.*s\"", STR_ARG(link->name));
    if (cause != CAUSE_client_identity_not_authorised)
        return S("");
    if (link->user_is_cn && !str_eq(cert->common_name, link->user))
        return str_printf(arena, " is not for user \"%.*s\"", STR_ARG(link->user));
    return str_printf(arena, " is not \"%.*s\"", STR_ARG(wanted));
}

static str accepted(struct arena *arena, const struct link *link, str from, str to,
                    struct verdict verdict)
{
    str until = verdict.until == INT64_MAX ? S("") : clock_format(arena, verdict.until);
    return str_printf(arena,
                      link->kind == LINK_SIGNER ? "%.*s signs and %.*s accepts it%s%.*s"
                                                : "%.*s and %.*s accept each other%s%.*s",
                      STR_ARG(from), STR_ARG(to), until.len == 0 ? "" : " at least until ",
                      STR_ARG(until));
}

str verdict_text(struct arena *arena, const struct model *model, const struct link *link,
                 struct verdict verdict, moment at)
{
    str from = model->services.items[link->from].key, to = model->services.items[link->to].key;
    if (verdict.ok)
        return accepted(arena, link, from, to, verdict);
    bool of_from = verdict.client_side || link->kind == LINK_SIGNER;
    str refuser = of_from ? to : from, refused = of_from ? from : to;
    struct buf text = { 0 };
    buf_printf(arena, &text, "%.*s refuses %.*s: %s", STR_ARG(refuser), STR_ARG(refused),
               cause_row(verdict.cause)->title);
    if (verdict.certificate != NO_ID) {
        const struct cert *cert = &model->certs.items[verdict.certificate];
        buf_printf(arena, &text, ": %.*s", STR_ARG(cert_label(arena, cert)));
        buf_add(arena, &text, demanded(arena, model, link, cert, verdict.cause));
        buf_add(arena, &text, since_when(arena, cert, verdict, at));
    }
    if (verdict.rule < RULE_COUNT)
        buf_printf(arena, &text, " (%s)", rules[verdict.rule].section);
    return buf_str(&text);
}
