/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/quiet.h"

#include "trust/path.h"
#include "trust/present.h"

/* A fresh look, and the anchor in its model. */
struct sight {
    struct arena arena;
    struct cluster cluster;
    struct survey survey;
    const struct apply *apply;
    uint32_t anchor;
};

static void sight_close(struct sight *sight)
{
    arena_free(&sight->arena);
}
DEFINE_AUTO(sight, struct sight, sight_close(handle))

/* One chain that is presented to somebody. */
struct shown {
    uint32_t chain;   /* or NO_ID */
    uint32_t own, by; /* trusters of who presents and of who judges, or NO_ID */
};

static uint32_t loaded_by(const struct model *model, uint32_t truster)
{
    return truster == NO_ID ? NO_ID : model->trusters.items[truster].loaded;
}

/* What the truster has once the anchor's place is taken, where the plan has another for it. */
static uint32_t without_anchor(struct sight *sight, uint32_t truster, uint32_t set)
{
    AUTO(arena) struct arena scratch = { 0 };
    struct model *model = &sight->survey.model;
    const struct plan *plan = sight->apply->plan;
    for (size_t i = 0; i < plan->steps.count; i++) {
        const struct step *step = &plan->steps.items[i];
        if (step->kind != STEP_replace)
            continue;
        str key = str_printf(&scratch, "%.*s/%.*s", STR_ARG(step->node), STR_ARG(step->store));
        if (!model_reads(model, truster, map_get(&model->store_ids, key)))
            continue;
        const struct cert *next = &sight->apply->survey->model.certs.items[step->new_cert];
        set = model_anchors_with(model, model_anchors_without(model, set, sight->anchor),
                                 model_cert(model, next));
    }
    return set;
}

/* Of a store with room for one, the new certificates are good for the old anchor too. */
static bool is_good_without(struct sight *sight, uint32_t truster, uint32_t chain)
{
    struct model *model = &sight->survey.model;
    uint32_t now = loaded_by(model, truster), then = without_anchor(sight, truster, now);
    struct path path;
    if (then == now)
        return false;
    path_build(&sight->survey.judge.facts, model->chains.items[chain],
               model->anchor_sets.items[then], sight->survey.now, &path);
    return path.complete;
}

static bool needs_anchor(struct sight *sight, const struct shown *shown)
{
    struct model *model = &sight->survey.model;
    uint32_t by = loaded_by(model, shown->by);
    moment since = INT64_MIN, until = INT64_MAX;
    struct path path;
    if (shown->chain == NO_ID || by == NO_ID || !model_anchors_have(model, by, sight->anchor))
        return false;
    if (model_is_pin(model, sight->anchor)) {
        size_t count;
        const uint32_t *members = model_members(model->chains.items[shown->chain], &count);
        return count > 0 && model_pin_matches(model, sight->anchor, members[0]);
    }
    struct facts *facts = &sight->survey.judge.facts;
    uint32_t chain = present_chain(facts, shown->chain, loaded_by(model, shown->own),
                                   sight->survey.now, &since, &until);
    path_build(facts, model->chains.items[chain], model->anchor_sets.items[by], sight->survey.now,
               &path);
    for (size_t i = 1; i < path.count; i++)
        if (path.certs[i] == sight->anchor)
            return !is_good_without(sight, shown->by, chain);
    return false;
}

static str say_shown(struct apply *apply, const struct sight *sight, uint32_t identity,
                     const struct link *link)
{
    const struct identity *row = &sight->survey.model.identities.items[identity];
    return str_printf(apply->arena, "%.*s/%.*s still presents %.*s/%.*s, on %.*s",
                      STR_ARG(row->node), STR_ARG(row->service), STR_ARG(row->node),
                      STR_ARG(row->store), STR_ARG(link->key));
}

static bool is_shown(struct sight *sight, uint32_t identity, uint32_t own, uint32_t by)
{
    const struct model *model = &sight->survey.model;
    if (identity == NO_ID)
        return false;
    const struct identity *row = &model->identities.items[identity];
    struct shown stored = { row->stored, own, by }, loaded = { row->loaded, own, by };
    return needs_anchor(sight, &stored) || needs_anchor(sight, &loaded);
}

/* The identity on this link that the anchor vouches for, or NO_ID. */
static uint32_t shown_on(struct sight *sight, const struct link *link)
{
    const struct model *model = &sight->survey.model;
    uint32_t server = model->services.items[link->to].client_truster;
    if (is_shown(sight, link->server_identity, server, link->client_truster))
        return link->server_identity;
    if (is_shown(sight, link->client_identity, link->client_truster, server))
        return link->client_identity;
    for (size_t i = 0; i < link->more_identities.count; i++)
        if (is_shown(sight, link->more_identities.items[i], link->client_truster, server))
            return link->more_identities.items[i];
    return NO_ID;
}

/* Who presents what the anchor vouches for, stored or loaded; empty: nobody. */
static str find_presented(struct apply *apply, struct sight *sight)
{
    const struct model *model = &sight->survey.model;
    for (size_t i = 0; i < model->links.count; i++) {
        uint32_t identity = shown_on(sight, &model->links.items[i]);
        if (identity != NO_ID)
            return say_shown(apply, sight, identity, &model->links.items[i]);
    }
    for (size_t i = 0; i < model->identities.count; i++)
        if (model->identities.items[i].stale)
            return str_printf(apply->arena,
                              "a session of %.*s/%.*s runs on with an older certificate",
                              STR_ARG(model->identities.items[i].node),
                              STR_ARG(model->identities.items[i].service));
    return S("");
}

/* Somebody whom no link declares, with a certificate that may be the anchor's. */
static str find_undeclared(struct apply *apply, struct sight *sight)
{
    const struct model *model = &sight->survey.model;
    for (size_t i = 0; i < sight->survey.undeclared.count; i++) {
        const struct undeclared *row = &sight->survey.undeclared.items[i];
        const struct service *server = &model->services.items[row->service];
        if (row->peer->subject.len == 0 || server->client_truster == NO_ID ||
            !model_anchors_have(model, model->trusters.items[server->client_truster].loaded,
                                sight->anchor))
            continue;
        return str_printf(apply->arena, "%.*s: %.*s", STR_ARG(server->key), STR_ARG(row->text));
    }
    return S("");
}

static bool is_snapshot(const struct plan *plan, str id)
{
    for (size_t i = 0; i < plan->steps.count; i++)
        if (str_eq(plan->steps.items[i].id, id))
            return plan->steps.items[i].kind == STEP_snapshot;
    return false;
}

/* When the last step that changed anything was done; the apply's beginning when none was. */
static bool last_change(struct apply *apply, moment *ret_at, struct err *err)
{
    AUTO(arena) struct arena scratch = { 0 };
    journal_standing_list standings;
    *ret_at = apply->record.started;
    if (!journal_standings(&scratch, apply->journal, apply->record.id, &standings, err))
        return false;
    for (size_t i = 0; i < standings.count; i++) {
        const struct journal_standing *standing = &standings.items[i];
        if (standing->state == JOURNAL_DONE && standing->since > *ret_at &&
            !is_snapshot(apply->plan, standing->step))
            *ret_at = standing->since;
    }
    return true;
}

static bool check_time(struct apply *apply, bool *ret_quiet, str *ret_evidence, struct err *err)
{
    moment since;
    int64_t hold = apply->survey->cluster->policy.hold;
    if (!last_change(apply, &since, err))
        return false;
    *ret_quiet = since + hold <= clock_now();
    *ret_evidence =
        *ret_quiet
            ? S("nobody was seen using it")
            : str_printf(apply->arena, "nobody was seen using it; policy.hold keeps it until %.*s",
                         STR_ARG(clock_format(apply->arena, since + hold)));
    return true;
}

bool quiet_check(struct apply *apply, const struct step *step, bool *ret_quiet, str *ret_evidence,
                 struct err *err)
{
    AUTO(sight) struct sight sight = { 0 };
    *ret_quiet = false;
    sight.apply = apply;
    if (!survey_again(&sight.arena, apply->survey, &sight.cluster, &sight.survey, err))
        return false;
    sight.anchor = model_cert_named(&sight.survey.model, step->certificate);
    if (sight.anchor == NO_ID) {
        *ret_quiet = true;
        *ret_evidence = S("it is in no trust store any more");
        return true;
    }
    *ret_evidence = find_presented(apply, &sight);
    if (ret_evidence->len == 0)
        *ret_evidence = find_undeclared(apply, &sight);
    return ret_evidence->len > 0 || check_time(apply, ret_quiet, ret_evidence, err);
}
