/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commands.h"

#include "apply/preflight.h"
#include "cmd/applying.h"
#include "cmd/planning.h"
#include "state/place.h"

/* `reseal renew`: plan, show, ask, carry out. `reseal apply FILE`: carry out exactly that plan. */

struct renew_options {
    struct planning_flags flags;
    struct applying_flags applying;
};

struct apply_options {
    struct applying_flags applying;
};

// clang-format off
static const struct option renew_rows[] = {
    PLANNING_OPTIONS(struct renew_options, flags),
    APPLYING_YES(struct renew_options, applying),
    APPLYING_TAKE_OVER(struct renew_options, applying),
    { 0 },
};
static const struct option apply_rows[] = {
    APPLYING_TAKE_OVER(struct apply_options, applying),
    { 0 },
};
// clang-format on

/* The same command with the same wishes, to be pasted. */
static const char *renew_line(struct cmd *cmd, const struct renew_options *given, bool yes)
{
    return cmd_line(cmd, "renew%s%s", planning_flags_text(cmd, &given->flags), yes ? " --yes" : "")
        .ptr;
}

/* A node that cannot be reached has one way around it. */
static void say_without(struct cmd *cmd, const struct survey *survey, struct err *err)
{
    for (size_t i = 0; i < survey->findings.count; i++)
        if (survey->findings.items[i].code == FINDING_node_unreachable)
            (void)err_next(err, "%.*s",
                           STR_ARG(cmd_line(cmd, "renew --without %.*s",
                                            STR_ARG(survey->findings.items[i].where))));
}

/* What to type where the plan may not be carried out as it is. */
static bool say_permit(struct cmd *cmd, const struct planning_flags *given,
                       const struct planning *planning, struct err *err)
{
    struct planning_flags allowed = *given;
    allowed.allow_outages = true;
    return err_next(err, "%.*s",
                    STR_ARG(planning->plan.proven
                                ? cmd_line(cmd, "renew%s", planning_flags_text(cmd, &allowed))
                                : cmd_line(cmd, "plan --json")));
}

static bool issues(const struct approved *plan, str step)
{
    for (size_t i = 0; i < plan->steps.count; i++)
        if (str_eq(plan->steps.items[i].id, step))
            return plan->steps.items[i].kind == STEP_issue;
    return false;
}

static bool waits_for_issuer(struct cmd *cmd, struct journal *journal, int64_t apply,
                             const struct approved *plan, bool *ret_waits, struct err *err)
{
    journal_standing_list standings;
    *ret_waits = false;
    if (!journal_standings(&cmd->arena, journal, apply, &standings, err))
        return false;
    for (size_t i = 0; i < standings.count; i++)
        if (standings.items[i].state == JOURNAL_WAITING && issues(plan, standings.items[i].step))
            *ret_waits = true;
    return true;
}

/* A renewal that was stopped, and what it had set out to do. */
static bool find_stopped(struct cmd *cmd, const struct cluster *cluster, bool *ret_found,
                         struct planning_options *ret_begun, bool *ret_waits, struct err *err)
{
    AUTO(journal) struct journal *journal = NULL;
    struct journal_apply stopped;
    struct approved plan;
    str state;
    *ret_begun = (struct planning_options){ 0 };
    *ret_waits = false;
    if (!state_place(&cmd->arena, cmd->global.state, &state, err) ||
        !journal_open(state, &journal, err) ||
        !journal_unfinished(&cmd->arena, journal, hold_cluster_id(&cmd->arena, cluster), ret_found,
                            &stopped, err))
        return false;
    *ret_found = *ret_found && stopped.undoes.len == 0;
    if (!*ret_found)
        return true;
    if (!approved_parse(&cmd->arena, stopped.plan, &plan, err))
        return err_wrap(err, "the journal's plan of apply %lld", (long long)stopped.id);
    if (!waits_for_issuer(cmd, journal, stopped.id, &plan, ret_waits, err))
        return false;
    *ret_begun = plan.options;
    if (ret_begun->since == 0)
        ret_begun->since = stopped.started;
    if (!*ret_waits && !plan.options.renew_all)
        ret_begun->since = 0;
    return true;
}

/* What waits for certificates goes on as it was begun. What has become due since has to wait until
   it is done: else there might always be one more that is not here. */
static struct planning_flags as_begun(const struct planning_flags *given,
                                      const struct planning_options *begun)
{
    struct planning_flags flags = *given;
    flags.all = flags.all || begun->renew_all;
    flags.keep_key = flags.keep_key || begun->keep_key;
    flags.new_issuer = flags.new_issuer || begun->replace_others;
    return flags;
}

static int run_renew(struct cmd *cmd, struct err *err)
{
    const struct renew_options *given = cmd->options;
    AUTO(opened) struct opened opened = { 0 };
    struct planning planning;
    struct approved approved;
    struct planning_options begun;
    struct planning_flags flags = given->flags;
    bool stopped, waits;
    if (!cmd_open_without(cmd, flags.without, &opened, err) ||
        !find_stopped(cmd, &opened.cluster, &stopped, &begun, &waits, err))
        return EXIT_FAILED;
    if (waits)
        flags = as_begun(&flags, &begun);
    if (!cmd_plan(cmd, &flags, stopped ? &begun : NULL, &opened, &planning, err))
        return EXIT_FAILED;
    if (!cmd->global.json)
        planning_print(cmd, &planning, planning_in_full(cmd, &given->flags));
    if (!planning_permitted(&planning, err))
        return say_permit(cmd, &given->flags, &planning, err), EXIT_FAILED;
    if (!preflight_survey(&opened.survey, err))
        return say_without(cmd, &opened.survey, err), EXIT_FAILED;
    if (planning.plan.steps.count == 0 && !stopped)
        return applying_nothing(cmd, "nothing to do");
    if (!approved_of(&planning, &approved, err) ||
        !applying_agreed(cmd, given->applying.yes, "Carry this out?", renew_line(cmd, given, true),
                         err))
        return EXIT_FAILED;
    if (!cmd->global.json)
        fputc('\n', cmd->out);
    return applying_run(cmd, &opened.survey, &approved, NULL, given->applying.take_over,
                        renew_line(cmd, given, given->applying.yes), err);
}

static int run_apply(struct cmd *cmd, struct err *err)
{
    const struct apply_options *given = cmd->options;
    AUTO(opened) struct opened opened = { 0 };
    struct approved approved;
    const char *path = cmd->words.items[0];
    if (!approved_read(&cmd->arena, path, &approved, err)) {
        (void)err_next(err, "%.*s", STR_ARG(cmd_line(cmd, "plan --out %s", path)));
        return EXIT_FAILED;
    }
    struct buf without = { 0 };
    for (size_t i = 0; i < approved.options.without.count; i++)
        buf_printf(&cmd->arena, &without, "%s%.*s", i == 0 ? "" : ",",
                   STR_ARG(approved.options.without.items[i]));
    const char *names = approved.options.without.count == 0 ? NULL : buf_str(&without).ptr;
    if (!cmd_open_without(cmd, names, &opened, err) ||
        !open_survey(cmd, clock_now(), false, &opened, err))
        return EXIT_FAILED;
    if (!str_eq(approved.cluster, opened.cluster.name)) {
        (void)err_set(err, ERR_REFUSED, "%s is a plan for cluster %.*s, and %.*s is %.*s", path,
                      STR_ARG(approved.cluster), STR_ARG(opened.cluster.path),
                      STR_ARG(opened.cluster.name));
        return EXIT_FAILED;
    }
    int code = applying_run(cmd, &opened.survey, &approved, NULL, given->applying.take_over,
                            cmd_line(cmd, "apply %s", path).ptr, err);
    if (code != EXIT_OK)
        (void)planning_refused(cmd, &opened.cluster, err);
    if (code != EXIT_OK && err->kind == ERR_CONFLICT)
        (void)err_next(err, "%.*s", STR_ARG(cmd_line(cmd, "plan --out %s", path)));
    return code;
}

const struct command command_renew = {
    .name = "renew",
    .summary = "plan, show the plan, ask, carry it out and prove it on the wire",
    .description = "Renews what is due. Nothing is changed before you agree. A renewal that was\n"
                   "stopped goes on when it is run again.",
    .examples = "  reseal -f cluster.yaml renew\n  reseal renew --all --yes",
    .options = renew_rows,
    .options_size = sizeof(struct renew_options),
    .run = run_renew,
};

const struct command command_apply = {
    .name = "apply",
    .arguments = "FILE",
    .summary = "carry out exactly the plan that plan --out wrote",
    .description =
        "Plans again from what is there now. When that is not the plan in FILE less what is\n"
        "done, it is stale: refused, with the difference. A plan that was half carried out\n"
        "goes on.",
    .examples = "  reseal plan --out plan.json\n  reseal apply plan.json",
    .options = apply_rows,
    .options_size = sizeof(struct apply_options),
    .words_min = 1,
    .words_max = 1,
    .run = run_apply,
};
