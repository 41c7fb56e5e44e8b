/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/planning.h"

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
    return err_next(err, "reseal issuer create --certificate NEW.pem --key NEW.key");
}

bool planning_make(struct arena *arena, struct survey *survey,
                   const struct planning_options *options, struct planning *ret_planning,
                   struct err *err)
{
    const struct cluster *cluster = survey->cluster;
    *ret_planning = (struct planning){ .arena = arena, .survey = survey, .options = *options };
    if (cluster->issuer.certificate.len == 0) {
        err_set(err, ERR_REFUSED, "%.*s declares no issuer", STR_ARG(cluster->path));
        return err_next(err, "reseal issuer create, and put the line that it prints into %.*s",
                        STR_ARG(cluster->path));
    }
    uint32_t issuer = survey_issuer(survey, clock_now());
    if (issuer == NO_ID) {
        err_set(err, ERR_REFUSED, "the issuer's certificate %.*s cannot be read",
                STR_ARG(cluster->issuer.certificate));
        err_where(err, "%.*s:%d", STR_ARG(cluster->path), cluster->issuer.line);
        return err_next(err, "reseal issuer create --certificate %.*s --key %.*s",
                        STR_ARG(cluster->issuer.certificate), STR_ARG(cluster->issuer.key));
    }
    if (!check_issuer(survey, &survey->model.certs.items[issuer], err))
        return false;
    ret_planning->goal = (struct plan_goal){
        .cluster = cluster->name,
        .now = clock_now(),
        .renew_before = cluster->policy.renew_before,
        .lifetime = cluster->policy.lifetime,
        .renew_all = options->renew_all,
        .since = options->since,
        .keep_key = options->keep_key || str_eq(cluster->policy.key, S("keep")),
        .issuer = issuer,
        .max_unavailable = cluster->policy.max_unavailable,
    };
    plan_make(arena, &survey->judge, &ret_planning->goal, &ret_planning->plan);
    return true;
}

const struct cert *planning_replaced(const struct planning *planning, const struct step *step)
{
    const struct model *model = &planning->survey->model;
    size_t count;
    const uint32_t *members =
        model_members(model->chains.items[model->identities.items[step->identity].stored], &count);
    return &model->certs.items[members[0]];
}

void planning_diff(const struct planning *planning, const struct step *step, profile_rows *ret_rows)
{
    struct cert planned = planning->survey->model.certs.items[step->new_cert];
    if (str_starts(planned.spki_sha256, S("new:")))
        planned.spki_sha256 = S(""); /* not made yet */
    profile_diff(planning->arena, planning_replaced(planning, step), &planned, ret_rows);
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

void planning_emit(FILE *out, struct planning *planning)
{
    struct emit emit = { .out = out };
    plan_source_list sources = { 0 };
    const seen_file_list *files = &planning->survey->sources;
    for (size_t i = 0; i < files->count; i++)
        list_push(planning->arena, &sources) =
            (struct plan_source){ files->items[i].path, files->items[i].state };
    emit_object(&emit, NULL);
    plan_emit(&emit, &planning->survey->model, &planning->plan, &sources);
    emit_object(&emit, "options");
    emit_bool(&emit, "all", planning->options.renew_all);
    emit_bool(&emit, "keep_key", planning->options.keep_key);
    if (planning->options.since > 0)
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
    planning_emit(sink.file, planning);
    *ret_text = str_copy(planning->arena, sink_text(&sink));
    return true;
}
