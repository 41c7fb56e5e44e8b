/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/planning.h"

#include "apply/preflight.h"
#include "base/sink.h"

/* An issuer that has ended, or ends before a new certificate would be due, is refused before
   anything is planned on it. */
static bool check_issuer(const struct survey *survey, const struct cert *issuer, struct err *err)
{
    const struct cluster *cluster = survey->cluster;
    struct profile profile = { .issuer = issuer,
                               .now = clock_now(),
                               .lifetime = cluster->policy.lifetime,
                               .renew_before = cluster->policy.renew_before };
    moment from, until;
    if (profile_dates(&profile, &from, &until, err))
        return true;
    err_where(err, "%.*s:%d", STR_ARG(cluster->path), cluster->issuer.line);
    if (awaited_any(cluster))
        return err_next(err, "reseal inspect %.*s", STR_ARG(cluster->issuer.certificate));
    return err_next(err, "reseal issuer create --certificate NEW.pem --key NEW.key");
}

/* Who is to sign is not declared: whoever signed what is there. */
static bool find_signer(struct survey *survey, struct survey_issuer *ret_issuer, struct err *err)
{
    const struct cluster *cluster = survey->cluster;
    str why;
    survey_signer(survey, ret_issuer, &why);
    if (ret_issuer->issuer != NO_ID)
        return true;
    err_set(err, ERR_REFUSED, "who is to sign is not declared, and %.*s", STR_ARG(why));
    err_where(err, "%.*s:%d", STR_ARG(cluster->path), cluster->issuer.line);
    return err_next(err, "put certificate: CA.pem into the issuer of %.*s", STR_ARG(cluster->path));
}

/* Intern what signs; refused where it cannot be read, or nothing is known to vouch for it. */
static bool read_issuer(struct survey *survey, struct survey_issuer *ret_issuer, struct err *err)
{
    const struct cluster *cluster = survey->cluster;
    const struct issuer_conf *conf = &cluster->issuer;
    if (conf->certificate.len == 0 && awaited_any(cluster))
        return find_signer(survey, ret_issuer, err) &&
               check_issuer(survey, &survey->model.certs.items[ret_issuer->issuer], err);
    if (conf->certificate.len == 0) {
        err_set(err, ERR_REFUSED, "%.*s declares no issuer", STR_ARG(cluster->path));
        return err_next(err, "reseal issuer create, and put the line that it prints into %.*s",
                        STR_ARG(cluster->path));
    }
    survey_issuer(survey, clock_now(), ret_issuer);
    if (ret_issuer->issuer == NO_ID) {
        err_set(err, ERR_REFUSED, "the issuer's certificate %.*s cannot be read",
                STR_ARG(conf->certificate));
        err_where(err, "%.*s:%d", STR_ARG(cluster->path), conf->line);
        if (awaited_any(cluster))
            return err_next(err, "reseal inspect %.*s", STR_ARG(conf->certificate));
        return err_next(err, "reseal issuer create --certificate %.*s --key %.*s",
                        STR_ARG(conf->certificate), STR_ARG(conf->key));
    }
    if (ret_issuer->anchor == NO_ID) {
        err_set(err, ERR_REFUSED, "no root is known that vouches for the issuer %.*s (%.*s)",
                STR_ARG(conf->certificate),
                STR_ARG(survey->model.certs.items[ret_issuer->issuer].subject));
        err_where(err, "%.*s:%d", STR_ARG(cluster->path), conf->line);
        return err_next(err, "cat ROOT.pem >> '%.*s'", STR_ARG(conf->certificate));
    }
    return check_issuer(survey, &survey->model.certs.items[ret_issuer->issuer], err);
}

/* Certificates and pins that the survey met; others are in no trust store any more. */
static void add_retired(struct planning *planning, struct plan_goal *goal)
{
    for (size_t i = 0; i < planning->options.retire.count; i++) {
        uint32_t cert =
            model_cert_named(&planning->survey->model, planning->options.retire.items[i]);
        if (cert != NO_ID)
            list_push(planning->arena, &goal->retire) = cert;
    }
}

/* What was to be replaced is told by what was there: a clock can go back, and an authority dates
   what it sends as it likes. */
static void add_replaced(const struct planning *planning, struct plan_goal *goal)
{
    const str_list *names = &planning->options.replaces;
    for (size_t i = 0; i < names->count; i++)
        list_push(planning->arena, &goal->replaces) =
            model_cert_named(&planning->survey->model, names->items[i]);
}

static void note_replaced(struct planning *planning)
{
    const struct model *model = &planning->survey->model;
    if (!planning->options.renew_all || planning->options.replaces.count > 0)
        return;
    AUTO(arena) struct arena scratch = { 0 };
    bool *noted = arena_alloc(&scratch, model->certs.count + 1, sizeof(bool));
    for (uint32_t i = 0; i < model->identities.count; i++) {
        uint32_t leaf = plan_replaced(model, i);
        if (leaf == NO_ID || noted[leaf])
            continue;
        noted[leaf] = true;
        list_push(planning->arena, &planning->options.replaces) =
            model_cert_name(planning->arena, model, leaf);
    }
}

/* What goes is part of what is agreed to: planned again later, it is no longer seen from the
   certificates that it vouched for. */
static void note_retired(struct planning *planning)
{
    const struct plan *plan = &planning->plan;
    for (size_t i = 0; i < plan->retired.count; i++) {
        str_list_add(
            planning->arena, &planning->options.retire,
            model_cert_name(planning->arena, &planning->survey->model, plan->retired.items[i]));
    }
}

/* Where somebody has to be given the root before it meets the new certificates, so may a node that
   is left out. */
static bool check_left_out(const struct planning *planning, struct err *err)
{
    const struct model *model = &planning->survey->model;
    if (planning->options.without.count == 0)
        return true;
    for (size_t i = 0; i < planning->plan.steps.count; i++)
        if (planning->plan.steps.items[i].kind == STEP_trust ||
            planning->plan.steps.items[i].kind == STEP_replace)
            return err_set(err, ERR_REFUSED, "%.*s is left out, and nothing makes it trust %.*s",
                           STR_ARG(planning->options.without.items[0]),
                           STR_ARG(model->certs.items[planning->goal.anchor].subject));
    return true;
}

/* A store with room for one that holds more is not what it is declared to be. */
static bool check_single(const struct survey *survey, struct err *err)
{
    const struct model *model = &survey->model;
    for (size_t i = 0; i < model->stores.count; i++) {
        const struct trust_store *store = &model->stores.items[i];
        size_t count;
        (void)model_members(model->anchor_sets.items[store->anchors], &count);
        if (!store->single || count <= 1)
            continue;
        (void)err_set(err, ERR_REFUSED, "%.*s is declared to hold one certificate, and holds %zu",
                      STR_ARG(store->key), count);
        return err_next(err, "reseal inspect '%.*s'", STR_ARG(store->path));
    }
    return true;
}

/* What came for issue steps, and is what was asked for, is what the proof will be about. */
static bool take_awaited(struct planning *planning, const struct survey_issuer *issuer,
                         struct err *err)
{
    struct model *model = &planning->survey->model;
    struct arena *arena = planning->arena;
    struct delivery_terms terms = { .now = planning->goal.now,
                                    .renew_before = planning->goal.renew_before };
    list_push(arena, &terms.authority) = model->certs.items[issuer->issuer];
    for (size_t i = 0; i < issuer->sent_along.count; i++)
        list_push(arena, &terms.authority) = model->certs.items[issuer->sent_along.items[i]];
    list_push(arena, &terms.authority) = model->certs.items[issuer->anchor];
    if (!awaited_read(arena, planning->survey->cluster, &terms, &planning->awaited, err))
        return false;
    awaited_look(&planning->awaited, model);
    for (size_t i = 0; i < planning->awaited.count; i++) {
        const struct awaited *awaited = &planning->awaited.items[i];
        LIST(uint32_t) chain = { 0 };
        for (size_t k = 0; k < awaited->sent.count; k++)
            list_push(arena, &chain) = model_cert(model, &awaited->sent.items[k]);
        if (chain.count > 0)
            list_push(arena, &planning->goal.known) =
                (struct plan_known){ awaited->csr.step,
                                     model_chain(model, chain.items, chain.count) };
    }
    return awaited_check(arena, &planning->awaited, err);
}

bool planning_make(struct arena *arena, struct survey *survey,
                   const struct planning_options *options, struct planning *ret_planning,
                   struct err *err)
{
    const struct policy_conf *policy = &survey->cluster->policy;
    struct survey_issuer issuer;
    *ret_planning = (struct planning){ .arena = arena, .survey = survey, .options = *options };
    if (ret_planning->options.since == 0)
        ret_planning->options.since = clock_now();
    if (!preflight_clocks(survey, err) || !check_single(survey, err) ||
        !read_issuer(survey, &issuer, err))
        return false;
    struct plan_goal *goal = &ret_planning->goal;
    *goal = (struct plan_goal){
        .cluster = survey->cluster->name,
        .now = clock_now(),
        .renew_before = policy->renew_before,
        .lifetime = policy->lifetime,
        .renew_all = options->renew_all,
        .since = ret_planning->options.since,
        .keep_key = options->keep_key || str_eq(policy->key, S("keep")),
        .issuer = issuer.issuer,
        .anchor = issuer.anchor,
        .replace_others = options->replace_others || str_eq(policy->other_issuers, S("replace")),
        /* Who was not asked may need what the others do not. */
        .retiring = options->retire.count > 0,
        .keep_anchors = options->without.count > 0 || survey->unseen.count > 0,
        .max_unavailable = policy->max_unavailable,
    };
    for (size_t i = 0; i < issuer.sent_along.count; i++)
        list_push(arena, &goal->sent_along) = issuer.sent_along.items[i];
    add_retired(ret_planning, goal);
    add_replaced(ret_planning, goal);
    if (!take_awaited(ret_planning, &issuer, err))
        return false;
    plan_make(arena, &survey->judge, goal, &ret_planning->plan);
    note_retired(ret_planning);
    note_replaced(ret_planning);
    return check_left_out(ret_planning, err);
}

str planning_authority(const struct planning *planning)
{
    uint32_t issuer = planning->goal.issuer;
    return issuer == NO_ID ? S("") : planning->survey->model.certs.items[issuer].subject;
}

bool planning_permitted(const struct planning *planning, struct err *err)
{
    if (!planning->plan.proven)
        return err_set(err, ERR_REFUSED,
                       "it would break connections that work: nothing was changed");
    return planning->options.allow_outages || !plan_refuses(&planning->plan) ||
           err_set(err, ERR_REFUSED,
                   "there is no order in which every link works: nothing was changed");
}

const struct cert *planning_replaced(const struct planning *planning, const struct step *step)
{
    const struct model *model = &planning->survey->model;
    return &model->certs.items[plan_replaced(model, step->identity)];
}

/* How long an authority makes a certificate valid is known when it has come. */
static void blur_lifetime(const struct planning *planning, profile_rows *rows)
{
    int64_t least = planning->survey->cluster->policy.renew_before / 86400;
    for (size_t i = 0; i < rows->count; i++) {
        struct profile_row *row = &rows->items[i];
        if (!str_eq(str_c(row->field), S("lifetime")))
            continue;
        row->new_value = str_printf(planning->arena, "as the authority says, at least %lld days",
                                    (long long)least);
        row->changed = true;
    }
}

void planning_diff(const struct planning *planning, const struct step *step, profile_rows *ret_rows)
{
    struct cert planned = planning->survey->model.certs.items[step->new_cert];
    bool here = !str_starts(planned.sha256, S("new:"));
    if (!here && str_starts(planned.spki_sha256, S("new:")))
        planned.spki_sha256 = S(""); /* not made yet */
    profile_diff(planning->arena, planning_replaced(planning, step), &planned, ret_rows);
    if (!here && awaited_any(planning->survey->cluster))
        blur_lifetime(planning, ret_rows);
}

static void emit_diffs(struct emit *emit, const struct planning *planning)
{
    emit_array(emit, "diff");
    for (size_t i = 0; i < planning->plan.steps.count; i++) {
        const struct step *step = &planning->plan.steps.items[i];
        profile_rows rows = { 0 };
        if (step->kind != STEP_issue)
            continue;
        planning_diff(planning, step, &rows);
        emit_object(emit, NULL);
        emit_str(emit, "step", step->id);
        profile_emit(emit, "changes", &rows);
        emit_object_end(emit);
    }
    emit_array_end(emit);
}

void planning_emit(struct emit emit, struct planning *planning)
{
    plan_source_list sources = { 0 };
    const seen_file_list *files = &planning->survey->sources;
    for (size_t i = 0; i < files->count; i++)
        list_push(planning->arena, &sources) =
            (struct plan_source){ files->items[i].path, files->items[i].state };
    emit_object(&emit, NULL);
    plan_emit(&emit, &planning->survey->model, &planning->plan, &sources);
    emit_object(&emit, "options");
    emit_bool(&emit, "all", planning->options.renew_all);
    emit_list(&emit, "replaces", &planning->options.replaces);
    emit_bool(&emit, "keep_key", planning->options.keep_key);
    emit_bool(&emit, "new_issuer", planning->options.replace_others);
    emit_list(&emit, "retire", &planning->options.retire);
    emit_bool(&emit, "allow_outages", planning->options.allow_outages);
    emit_moment(&emit, "since", planning->options.since);
    emit_list(&emit, "without", &planning->options.without);
    emit_object_end(&emit);
    emit_diffs(&emit, planning);
    emit_object_end(&emit);
    emit_end(&emit);
}

bool planning_text(struct planning *planning, str *ret_text, struct err *err)
{
    AUTO(sink) struct sink sink = { 0 };
    if (!sink_open(&sink, err))
        return false;
    planning_emit((struct emit){ .out = sink.file }, planning);
    *ret_text = str_copy(planning->arena, sink_text(&sink));
    return true;
}
