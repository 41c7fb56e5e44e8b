/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/planning.h"

#include "cmd/waves.h"

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
    if (begun != NULL && flags->all == begun->renew_all) {
        options.since = begun->since;
        options.replaces = begun->replaces;
    }
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

/* What people still read one by one. */
enum { FEW = 12, FEW_NAMES = 4 };

/* ---- what changes in the certificates ---- */

/* Certificates in which the same changes. */
struct same_diff {
    str text;
    LIST(const struct step *) steps;
};
typedef LIST(struct same_diff) same_diffs;

/* A line for each change. Of many certificates the old key of each is left out. */
static str diff_text(struct cmd *cmd, const struct planning *planning, const struct step *step,
                     bool many)
{
    profile_rows rows = { 0 };
    struct buf text = { 0 };
    buf_add(&cmd->arena, &text, S(""));
    planning_diff(planning, step, &rows);
    for (size_t i = 0; i < rows.count; i++) {
        const struct profile_row *row = &rows.items[i];
        str old =
            many && str_eq(str_c(row->field), S("public_key")) ? S("each its own") : row->old_value;
        if (row->changed)
            buf_printf(&cmd->arena, &text, "    %s: %.*s -> %.*s\n", row->field, STR_ARG(old),
                       STR_ARG(row->new_value));
    }
    return buf_str(&text);
}

static void print_many(struct cmd *cmd, const struct same_diff *diff)
{
    fprintf(cmd->out, "  %zu certificates: ", diff->steps.count);
    for (size_t i = 0; i < diff->steps.count && i < FEW_NAMES; i++)
        fprintf(cmd->out, "%s%.*s/%.*s", i == 0 ? "" : ", ", STR_ARG(diff->steps.items[i]->node),
                STR_ARG(diff->steps.items[i]->store));
    if (diff->steps.count > FEW_NAMES)
        fprintf(cmd->out, ", and %zu more (--json shows all)", diff->steps.count - FEW_NAMES);
    fprintf(cmd->out, "\n%.*s", STR_ARG(diff->text));
}

static void print_diff(struct cmd *cmd, const struct planning *planning,
                       const struct same_diff *diff, bool many)
{
    if (many) {
        print_many(cmd, diff);
        return;
    }
    const struct step *step = diff->steps.items[0];
    fprintf(cmd->out, "  %.*s/%.*s  %.*s\n%.*s", STR_ARG(step->node), STR_ARG(step->store),
            STR_ARG(planning_replaced(planning, step)->subject), STR_ARG(diff->text));
}

static size_t count_kind(const struct plan *plan, enum step_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->steps.count; i++)
        count += plan->steps.items[i].kind == kind;
    return count;
}

static void print_diffs(struct cmd *cmd, const struct planning *planning)
{
    const struct plan *plan = &planning->plan;
    size_t issued = count_kind(plan, STEP_issue);
    bool many = issued > FEW;
    struct map ids = { .arena = &cmd->arena };
    same_diffs diffs = { 0 };
    for (size_t i = 0; i < plan->steps.count; i++) {
        const struct step *step = &plan->steps.items[i];
        if (step->kind != STEP_issue)
            continue;
        str text = diff_text(cmd, planning, step, many);
        uint32_t id = many ? map_put(&ids, text, (uint32_t)diffs.count) : (uint32_t)diffs.count;
        if (id == diffs.count)
            list_push(&cmd->arena, &diffs) = (struct same_diff){ .text = text };
        list_push(&cmd->arena, &diffs.items[id].steps) = step;
    }
    if (issued > 0)
        fputs("\nwhat changes in the certificates:\n", cmd->out);
    for (size_t i = 0; i < diffs.count && i < FEW; i++)
        print_diff(cmd, planning, &diffs.items[i], many);
    if (diffs.count > FEW)
        fprintf(cmd->out, "  and %zu other changes (--json shows all)\n", diffs.count - FEW);
}

/* ---- the proof ---- */

static size_t count_restarts(const struct plan *plan)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->steps.count; i++)
        count += plan->steps.items[i].outage.count > 0;
    return count;
}

/* The links that steps declare as refused for a while, each once. */
static str_list find_refused(struct cmd *cmd, const struct plan *plan)
{
    struct map met = { .arena = &cmd->arena };
    str_list links = { 0 };
    for (size_t i = 0; i < plan->steps.count; i++) {
        const str_list *refused = &plan->steps.items[i].refused;
        for (size_t k = 0; k < refused->count; k++)
            if (map_lend(&met, refused->items[k], (uint32_t)links.count) == links.count)
                list_push(&cmd->arena, &links) = refused->items[k];
    }
    return links;
}

static void print_links(struct cmd *cmd, const char *what, const str_list *links)
{
    for (size_t i = 0; i < links->count && i < FEW; i++)
        fprintf(cmd->out, "  %s: %.*s\n", what, STR_ARG(links->items[i]));
    if (links->count > FEW)
        fprintf(cmd->out, "  and %zu more (--json shows all)\n", links->count - FEW);
}

static void print_proof(struct cmd *cmd, const struct plan *plan)
{
    uint64_t judged = 0;
    str_list refused = find_refused(cmd, plan);
    for (size_t i = 0; i < plan->waves.count; i++)
        judged += plan->waves.items[i].judged;
    if (judged == 0 && plan->waves.count > 0)
        fputs("\nproof: no link works now, so none can break", cmd->out);
    else
        fprintf(cmd->out, "\nproof: %s in %llu judged states",
                plan->proven ? "no working link breaks" : "FAILS", (unsigned long long)judged);
    if (plan->proven && refused.count > 0)
        fprintf(cmd->out, ", besides the %zu link%s that the plan declares as an outage",
                refused.count, refused.count == 1 ? "" : "s");
    size_t restarts = count_restarts(plan);
    if (restarts > 0)
        fprintf(cmd->out, "%s the moments of %zu restart%s",
                refused.count > 0 ? " and" : ", besides", restarts, restarts == 1 ? "" : "s");
    fprintf(cmd->out, "; %zu links do not work at the end\n", plan->unrepaired.count);
    print_links(cmd, "refused meanwhile", &refused);
    print_links(cmd, "does not work", &plan->unrepaired);
}

/* An anchor that goes elsewhere and stays here would be missed by whoever looks for it. */
static void print_kept(struct cmd *cmd, const struct planning *planning)
{
    const struct plan *plan = &planning->plan;
    for (size_t i = 0; i < plan->kept.count && i < FEW; i++) {
        const struct plan_kept *kept = &plan->kept.items[i];
        fprintf(cmd->out, "note: %.*s: an old anchor stays, %.*s needs it\n",
                STR_ARG(planning->survey->model.stores.items[kept->store].key),
                STR_ARG(kept->link));
    }
    if (plan->kept.count > FEW)
        fprintf(cmd->out, "note: an old anchor stays in %zu more stores (--json shows all)\n",
                plan->kept.count - FEW);
}

/* Where a store with room for one anchor makes links fail, what it could do without. */
static void print_cross(struct cmd *cmd, const struct planning *planning)
{
    bool replaces = false;
    for (size_t i = 0; i < planning->plan.steps.count; i++)
        replaces = replaces || planning->plan.steps.items[i].kind == STEP_replace;
    if (!replaces || !plan_refuses(&planning->plan))
        return;
    const struct issuer_conf *issuer = &planning->survey->cluster->issuer;
    if (str_eq(issuer->kind, S("local")))
        fprintf(cmd->out,
                "note: with a cross certificate there is an order in which more links work:\n"
                "      %.*s\n",
                STR_ARG(cmd_line(cmd,
                                 "issuer cross-sign --certificate OLD.pem --key OLD.key --for %.*s",
                                 STR_ARG(issuer->certificate))));
}

static bool is_to_be_known(enum finding_code code)
{
    return code == FINDING_undeclared_peer || code == FINDING_service_down ||
           code == FINDING_node_unreachable || code == FINDING_certificate_missing ||
           code == FINDING_keystore_unreadable;
}

void planning_print_findings(struct cmd *cmd, const struct survey *survey)
{
    size_t counts[FINDING_COUNT] = { 0 };
    for (size_t i = 0; i < survey->findings.count; i++) {
        const struct finding *finding = &survey->findings.items[i];
        if (is_to_be_known(finding->code) && counts[finding->code]++ < FEW)
            fprintf(cmd->out, "note: %.*s: %.*s\n", STR_ARG(finding->where),
                    STR_ARG(finding->text));
    }
    for (size_t code = 0; code < COUNT(counts); code++)
        if (counts[code] > FEW)
            fprintf(cmd->out, "note: %s: %zu more, see %.*s\n",
                    finding_row((enum finding_code)code)->code, counts[code] - FEW,
                    STR_ARG(cmd_line(cmd, "check")));
}

const char *planning_in_full(struct cmd *cmd, const struct planning_flags *flags)
{
    return cmd_line(cmd, "plan%s --wave", planning_flags_text(cmd, flags)).ptr;
}

static struct waves_view view_of(struct cmd *cmd, const struct planning *planning)
{
    return (struct waves_view){ .out = cmd->out,
                                .judge = &planning->survey->judge,
                                .plan = &planning->plan,
                                .width = cmd->width };
}

void planning_print(struct cmd *cmd, const struct planning *planning, const char *in_full)
{
    const struct plan *plan = &planning->plan;
    struct waves_view view = view_of(cmd, planning);
    view.in_full = in_full;
    fprintf(cmd->out, "%.*s: %zu steps in %zu waves\n", STR_ARG(plan->cluster), plan->steps.count,
            plan->waves.count);
    if (plan->steps.count > 0)
        fputc('\n', cmd->out);
    waves_print(&view);
    print_diffs(cmd, planning);
    print_proof(cmd, plan);
    print_kept(cmd, planning);
    print_cross(cmd, planning);
    planning_print_findings(cmd, planning->survey);
}

bool planning_print_wave(struct cmd *cmd, const struct planning *planning, const char *which,
                         const char *in_full, struct err *err)
{
    uint64_t wave = 0;
    size_t waves = planning->plan.waves.count;
    struct waves_view view = view_of(cmd, planning);
    view.show = str_eq(str_c(which), S("all")) ? WAVES_EACH : WAVES_ONE;
    if (waves == 0) {
        (void)err_set(err, ERR_USAGE, "--wave %s: the plan has no step", which);
        return err_next(err, "%.*s", STR_ARG(cmd_line(cmd, "plan --help")));
    }
    if (view.show == WAVES_ONE && !str_to_u64(str_c(which), waves - 1, &wave)) {
        (void)err_set(err, ERR_USAGE, "--wave %s: the plan has waves 0 to %zu, or all", which,
                      waves - 1);
        return err_next(err, "%s all", in_full);
    }
    view.wave = (size_t)wave;
    waves_print(&view);
    return true;
}
