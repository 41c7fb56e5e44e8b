/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commands.h"

#include "cmd/open.h"
#include "x509/profile.h"
#include "plan/plan.h"

/* `reseal plan`: the steps, the proof and the profile diff. Changes nothing. */

struct plan_options {
    const char *out;
    bool all, keep_key;
};

// clang-format off
#define AT(type, member) OPTION_AT(struct plan_options, type, member)
static const struct option options[] = {
    { "all", 'a', OPTION_FLAG, NULL, "renew every certificate, also those that are not due", NULL, AT(bool, all) },
    { "keep-key", 0, OPTION_FLAG, NULL, "keep the private keys", NULL, AT(bool, keep_key) },
    { "out", 'o', OPTION_FILE, "FILE", "write the plan document to FILE", NULL, AT(const char *, out) },
    { 0 },
};
// clang-format on

struct planning {
    struct cmd *cmd;
    struct survey survey;
    struct plan_goal goal;
    struct plan plan;
};

/* An issuer that has ended, or ends before a new certificate would be due, is refused before
   anything is planned on it. */
static bool check_issuer(const struct planning *planning, const struct cert *issuer,
                         struct err *err)
{
    const struct cluster *cluster = planning->survey.cluster;
    struct profile profile = { .issuer = issuer,
                               .now = clock_now(),
                               .lifetime = cluster->policy.lifetime,
                               .renew_before = cluster->policy.renew_before };
    moment from, until;
    if (profile_dates(&profile, &from, &until, err))
        return true;
    return err_where(err, "%.*s:%d", STR_ARG(cluster->path), cluster->issuer.line);
}

static bool make_plan(struct planning *planning, struct err *err)
{
    const struct plan_options *given = planning->cmd->options;
    const struct cluster *cluster = planning->survey.cluster;
    uint32_t issuer = survey_issuer(&planning->survey, clock_now());
    if (issuer == NO_ID) {
        err_set(err, ERR_REFUSED, "the issuer's certificate cannot be read");
        err_where(err, "%.*s:%d", STR_ARG(cluster->path), cluster->issuer.line);
        return err_next(err, "%.*s", STR_ARG(cmd_line(planning->cmd, "issuer create")));
    }
    if (!check_issuer(planning, &planning->survey.model.certs.items[issuer], err))
        return false;
    planning->goal = (struct plan_goal){
        .cluster = cluster->name,
        .now = clock_now(),
        .renew_before = cluster->policy.renew_before,
        .lifetime = cluster->policy.lifetime,
        .renew_all = given->all,
        .keep_key = given->keep_key || str_eq(cluster->policy.key, S("keep")),
        .issuer = issuer,
        .max_unavailable = cluster->policy.max_unavailable,
    };
    plan_make(&planning->cmd->arena, &planning->survey.judge, &planning->goal, &planning->plan);
    return true;
}

static const struct cert *cert_of(const struct planning *planning, uint32_t id)
{
    return &planning->survey.model.certs.items[id];
}

/* The certificate that an issue step replaces: the leaf that its identity has stored. */
static const struct cert *replaced_by(const struct planning *planning, const struct step *step)
{
    const struct model *model = &planning->survey.model;
    size_t count;
    const uint32_t *members =
        model_members(model->chains.items[model->identities.items[step->identity].stored], &count);
    return cert_of(planning, members[0]);
}

static void diff_of(const struct planning *planning, const struct step *step,
                    profile_rows *ret_rows)
{
    struct cert planned = *cert_of(planning, step->new_cert);
    if (str_starts(planned.spki_sha256, S("new:")))
        planned.spki_sha256 = S(""); /* not made yet */
    profile_diff(&planning->cmd->arena, replaced_by(planning, step), &planned, ret_rows);
}

static void emit_document(FILE *out, struct planning *planning)
{
    struct emit emit = { .out = out };
    plan_source_list sources = { 0 };
    for (size_t i = 0; i < planning->survey.sources.count; i++)
        list_push(&planning->cmd->arena, &sources) =
            (struct plan_source){ planning->survey.sources.items[i].path,
                                  planning->survey.sources.items[i].digest };
    emit_object(&emit, NULL);
    plan_emit(&emit, &planning->survey.model, &planning->plan, &sources);
    emit_array(&emit, "diff");
    for (size_t i = 0; i < planning->plan.steps.count; i++) {
        const struct step *step = &planning->plan.steps.items[i];
        profile_rows rows = { 0 };
        if (step->kind != STEP_issue)
            continue;
        diff_of(planning, step, &rows);
        emit_object(&emit, NULL);
        emit_str(&emit, "step", step->id);
        profile_emit(&emit, "changes", &rows);
        emit_object_end(&emit);
    }
    emit_array_end(&emit);
    emit_object_end(&emit);
    emit_end(&emit);
}

static void print_waves(const struct planning *planning)
{
    FILE *out = planning->cmd->out;
    for (size_t i = 0; i < planning->plan.waves.count; i++) {
        const struct wave *wave = &planning->plan.waves.items[i];
        fprintf(out, "t%zu  (%llu states judged, %zu broken)\n", i,
                (unsigned long long)wave->judged, wave->broken.count);
        for (size_t j = 0; j < wave->steps.count; j++) {
            const struct step *step = &planning->plan.steps.items[wave->steps.items[j]];
            fprintf(out, "    %-8s  %.*s\n", step_kind_name(step->kind), STR_ARG(step->text));
        }
        for (size_t j = 0; j < wave->broken.count; j++)
            fprintf(out, "    BREAKS    %.*s\n", STR_ARG(wave->broken.items[j]));
    }
}

static void print_diffs(const struct planning *planning)
{
    FILE *out = planning->cmd->out;
    fputs("\nwhat changes in the certificates:\n", out);
    for (size_t i = 0; i < planning->plan.steps.count; i++) {
        const struct step *step = &planning->plan.steps.items[i];
        profile_rows rows = { 0 };
        if (step->kind != STEP_issue)
            continue;
        diff_of(planning, step, &rows);
        fprintf(out, "  %.*s/%.*s  %.*s\n", STR_ARG(step->node), STR_ARG(step->store),
                STR_ARG(replaced_by(planning, step)->subject));
        for (size_t j = 0; j < rows.count; j++)
            if (rows.items[j].changed)
                fprintf(out, "    %s: %.*s -> %.*s\n", rows.items[j].field,
                        STR_ARG(rows.items[j].old_value), STR_ARG(rows.items[j].new_value));
    }
}

static void print_text(const struct planning *planning)
{
    FILE *out = planning->cmd->out;
    const struct plan *plan = &planning->plan;
    uint64_t judged = 0;
    for (size_t i = 0; i < plan->waves.count; i++)
        judged += plan->waves.items[i].judged;
    fprintf(out, "%.*s: %zu steps in %zu waves\n\n", STR_ARG(plan->cluster), plan->steps.count,
            plan->waves.count);
    print_waves(planning);
    if (plan->steps.count > 0)
        print_diffs(planning);
    if (judged == 0 && plan->waves.count > 0)
        fputs("\nproof: no link works now, so none can break", out);
    else
        fprintf(out, "\nproof: %s in %llu judged states",
                plan->proven ? "no working link breaks" : "FAILS", (unsigned long long)judged);
    fprintf(out, "; %zu links do not work at the end\n", plan->unrepaired.count);
    for (size_t i = 0; i < plan->unrepaired.count; i++)
        fprintf(out, "  does not work: %.*s\n", STR_ARG(plan->unrepaired.items[i]));
}

static bool write_out(struct planning *planning, const char *path, struct err *err)
{
    AUTO(file) FILE *file = fopen(path, "w");
    if (file == NULL)
        return err_errno(err, "%s", path);
    emit_document(file, planning);
    if (fflush(file) != 0)
        return err_errno(err, "%s", path);
    return true;
}

static int run(struct cmd *cmd, struct err *err)
{
    const struct plan_options *given = cmd->options;
    struct planning planning = { .cmd = cmd };
    if (!open_survey(cmd, false, &planning.survey, err) || !make_plan(&planning, err) ||
        (given->out != NULL && !write_out(&planning, given->out, err)))
        return EXIT_FAILED;
    if (cmd->global.json)
        emit_document(cmd->out, &planning);
    else
        print_text(&planning);
    if (!planning.plan.proven)
        return EXIT_FAILED;
    return planning.plan.steps.count == 0 ? EXIT_OK : EXIT_HAS_STEPS;
}

const struct command command_plan = {
    .name = "plan",
    .summary = "the steps to good certificates, the proof and what changes; changes nothing",
    .description =
        "Looks at the cluster, plans the renewal of what is due, and judges every link in\n"
        "every state that the steps can leave it in.\n\n"
        "Exit: 0 nothing to do, 10 there are steps, 1 the proof fails.",
    .examples = "  reseal -f cluster.yaml plan\n  reseal plan --out plan.json",
    .options = options,
    .options_size = sizeof(struct plan_options),
    .run = run,
};
