/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/planning.h"

const char *planning_flags_text(struct cmd *cmd, const struct planning_flags *flags)
{
    return str_printf(&cmd->arena, "%s%s%s%s%s%s", flags->all ? " --all" : "",
                      flags->keep_key ? " --keep-key" : "",
                      flags->new_issuer ? " --new-issuer" : "",
                      flags->allow_outages ? " --allow-outages" : "",
                      flags->without != NULL ? " --without " : "",
                      flags->without != NULL ? flags->without : "")
        .ptr;
}

static bool leave_out(struct cluster *cluster, str name, struct err *err)
{
    size_t nodes = 0, links = 0;
    if (cluster_node(cluster, name) == NULL)
        return err_set(err, ERR_USAGE, "--without %.*s: there is no such node", STR_ARG(name));
    for (size_t i = 0; i < cluster->nodes.count; i++)
        if (!str_eq(cluster->nodes.items[i].name, name))
            cluster->nodes.items[nodes++] = cluster->nodes.items[i];
    for (size_t i = 0; i < cluster->links.count; i++) {
        str from = cluster->links.items[i].from, to = cluster->links.items[i].to;
        if (!str_eq(str_cut(&from, '/'), name) && !str_eq(str_cut(&to, '/'), name))
            cluster->links.items[links++] = cluster->links.items[i];
    }
    cluster->nodes.count = nodes;
    cluster->links.count = links;
    return true;
}

bool cmd_open_without(struct cmd *cmd, const char *names, struct opened *opened, struct err *err)
{
    if (!open_cluster(cmd, &opened->cluster, err))
        return false;
    for (str rest = str_c(names); rest.len > 0;)
        if (!leave_out(&opened->cluster, str_trim(str_cut(&rest, ',')), err))
            return false;
    return true;
}

bool cmd_plan(struct cmd *cmd, const struct planning_flags *flags,
              const struct planning_options *begun, struct opened *opened,
              struct planning *ret_planning, struct err *err)
{
    struct planning_options options = { .renew_all = flags->all,
                                        .keep_key = flags->keep_key,
                                        .replace_others = flags->new_issuer,
                                        .allow_outages = flags->allow_outages };
    if (begun != NULL && flags->all == begun->renew_all)
        options.since = begun->since;
    if (begun != NULL)
        options.retire = begun->retire;
    for (str rest = str_c(flags->without); rest.len > 0;)
        list_push(&cmd->arena, &options.without) = str_trim(str_cut(&rest, ','));
    return (opened->cluster.name.len > 0 || cmd_open_without(cmd, flags->without, opened, err)) &&
           open_survey(cmd, clock_now(), false, opened, err) &&
           (planning_make(&cmd->arena, &opened->survey, &options, ret_planning, err) ||
            planning_refused(cmd, &opened->cluster, err));
}

bool planning_refused(struct cmd *cmd, const struct cluster *cluster, struct err *err)
{
    if (err->kind == ERR_REFUSED && awaited_any(cluster))
        (void)err_next(err, "%.*s", STR_ARG(cmd_line(cmd, "issuer list")));
    return false;
}

/* A few by name: at a thousand nodes nobody reads them all, and --json has them. */
static void print_outage(struct cmd *cmd, const char *what, const str_list *links)
{
    enum { SHOWN = 3 };
    if (links->count == 0)
        return;
    fprintf(cmd->out, "              %s: ", what);
    for (size_t i = 0; i < links->count && i < SHOWN; i++)
        fprintf(cmd->out, "%s%.*s", i == 0 ? "" : ", ", STR_ARG(links->items[i]));
    if (links->count > SHOWN)
        fprintf(cmd->out, " and %zu more", links->count - SHOWN);
    fputc('\n', cmd->out);
}

static void print_waves(struct cmd *cmd, const struct planning *planning)
{
    for (size_t i = 0; i < planning->plan.waves.count; i++) {
        const struct wave *wave = &planning->plan.waves.items[i];
        fprintf(cmd->out, "t%zu  (%llu states judged, %zu broken)\n", i,
                (unsigned long long)wave->judged, wave->broken.count);
        for (size_t j = 0; j < wave->steps.count; j++) {
            const struct step *step = &planning->plan.steps.items[wave->steps.items[j]];
            fprintf(cmd->out, "    %-8s  %.*s\n", step_kind_name(step->kind), STR_ARG(step->text));
            print_outage(cmd, "not there meanwhile", &step->outage);
            print_outage(cmd, "fail meanwhile", &step->refused);
            if (step->why.len > 0)
                fprintf(cmd->out, "              why: %.*s\n", STR_ARG(step->why));
        }
        for (size_t j = 0; j < wave->broken.count; j++)
            fprintf(cmd->out, "    BREAKS    %.*s\n", STR_ARG(wave->broken.items[j]));
    }
}

static void print_diff(struct cmd *cmd, const struct planning *planning, const struct step *step)
{
    profile_rows rows = { 0 };
    planning_diff(planning, step, &rows);
    fprintf(cmd->out, "  %.*s/%.*s  %.*s\n", STR_ARG(step->node), STR_ARG(step->store),
            STR_ARG(planning_replaced(planning, step)->subject));
    for (size_t j = 0; j < rows.count; j++)
        if (rows.items[j].changed)
            fprintf(cmd->out, "    %s: %.*s -> %.*s\n", rows.items[j].field,
                    STR_ARG(rows.items[j].old_value), STR_ARG(rows.items[j].new_value));
}

static void print_diffs(struct cmd *cmd, const struct planning *planning)
{
    bool any = false;
    for (size_t i = 0; i < planning->plan.steps.count; i++) {
        const struct step *step = &planning->plan.steps.items[i];
        if (step->kind != STEP_issue)
            continue;
        if (!any)
            fputs("\nwhat changes in the certificates:\n", cmd->out);
        any = true;
        print_diff(cmd, planning, step);
    }
}

static size_t count_restarts(const struct plan *plan)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->steps.count; i++)
        count += plan->steps.items[i].outage.count > 0;
    return count;
}

static void print_proof(struct cmd *cmd, const struct plan *plan)
{
    uint64_t judged = 0;
    for (size_t i = 0; i < plan->waves.count; i++)
        judged += plan->waves.items[i].judged;
    if (judged == 0 && plan->waves.count > 0)
        fputs("\nproof: no link works now, so none can break", cmd->out);
    else
        fprintf(cmd->out, "\nproof: %s in %llu judged states",
                !plan->proven        ? "FAILS"
                : plan_refuses(plan) ? "no working link breaks but those said to fail meanwhile"
                                     : "no working link breaks",
                (unsigned long long)judged);
    size_t restarts = count_restarts(plan);
    if (restarts > 0)
        fprintf(cmd->out, ", besides the moments of %zu restart%s", restarts,
                restarts == 1 ? "" : "s");
    fprintf(cmd->out, "; %zu links do not work at the end\n", plan->unrepaired.count);
    for (size_t i = 0; i < plan->unrepaired.count; i++)
        fprintf(cmd->out, "  does not work: %.*s\n", STR_ARG(plan->unrepaired.items[i]));
}

/* An anchor that goes elsewhere and stays here would be missed by whoever looks for it. */
static void print_kept(struct cmd *cmd, const struct planning *planning)
{
    const struct plan *plan = &planning->plan;
    for (size_t i = 0; i < plan->kept.count; i++) {
        const struct plan_kept *kept = &plan->kept.items[i];
        fprintf(cmd->out, "note: %.*s: an old anchor stays, %.*s needs it\n",
                STR_ARG(planning->survey->model.stores.items[kept->store].key),
                STR_ARG(kept->link));
    }
}

void planning_print_findings(struct cmd *cmd, const struct survey *survey)
{
    for (size_t i = 0; i < survey->findings.count; i++) {
        const struct finding *finding = &survey->findings.items[i];
        if (finding->code == FINDING_undeclared_peer || finding->code == FINDING_service_down ||
            finding->code == FINDING_node_unreachable ||
            finding->code == FINDING_keystore_unreadable)
            fprintf(cmd->out, "note: %.*s: %.*s\n", STR_ARG(finding->where),
                    STR_ARG(finding->text));
    }
}

void planning_print(struct cmd *cmd, const struct planning *planning)
{
    const struct plan *plan = &planning->plan;
    fprintf(cmd->out, "%.*s: %zu steps in %zu waves\n", STR_ARG(plan->cluster), plan->steps.count,
            plan->waves.count);
    if (plan->steps.count > 0)
        fputc('\n', cmd->out);
    print_waves(cmd, planning);
    print_diffs(cmd, planning);
    print_proof(cmd, plan);
    print_kept(cmd, planning);
    planning_print_findings(cmd, planning->survey);
}
