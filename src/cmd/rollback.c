/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commands.h"

#include "apply/back.h"
#include "apply/forget.h"
#include "cmd/applying.h"
#include "cmd/planning.h"
#include "state/place.h"

/* `reseal rollback`: back to what the last apply found, as a plan with its proof, or byte for byte.
 */

struct rollback_options {
    bool raw;
    struct applying_flags applying;
};

// clang-format off
static const struct option options[] = {
    { "raw", 0, OPTION_FLAG, NULL, "put the files back byte for byte, without a proof; tell no service", NULL, OPTION_AT(struct rollback_options, bool, raw) },
    APPLYING_YES(struct rollback_options, applying),
    APPLYING_TAKE_OVER(struct rollback_options, applying),
    { 0 },
};
// clang-format on

static bool may_undo(const struct journal_apply *apply)
{
    return apply->undoes.len == 0 && !str_eq(apply->outcome, S("rolled back")) &&
           !str_eq(apply->outcome, S(PERFORM_NOTHING));
}

/* The apply that is named, or the newest that was not undone. */
static bool find_apply(struct cmd *cmd, struct journal *journal, str cluster,
                       struct journal_apply *ret_apply, struct err *err)
{
    journal_apply_list applies;
    if (cmd->words.count > 0)
        return applying_named(cmd, journal, cluster, cmd->words.items[0], ret_apply, err);
    if (!journal_list(&cmd->arena, journal, cluster, &applies, err))
        return false;
    for (size_t i = 0; i < applies.count; i++)
        if (may_undo(&applies.items[i]))
            return journal_get(&cmd->arena, journal, applies.items[i].id, ret_apply, err);
    (void)err_set(err, ERR_REFUSED, "there is no apply to undo");
    return err_next(err, "%.*s", STR_ARG(cmd_line(cmd, "history")));
}

static bool read_journal(struct cmd *cmd, const struct cluster *cluster,
                         struct journal_apply *ret_apply, struct err *err)
{
    AUTO(journal) struct journal *journal = NULL;
    str state;
    return state_place(&cmd->arena, cmd->global.state, &state, err) &&
           journal_open(state, &journal, err) &&
           find_apply(cmd, journal, hold_cluster_id(&cmd->arena, cluster), ret_apply, err);
}

static const char *line_of(struct cmd *cmd, const char *more)
{
    return cmd_line(cmd, "rollback%s%s%s", cmd->words.count > 0 ? " " : "",
                    cmd->words.count > 0 ? cmd->words.items[0] : "", more)
        .ptr;
}

static int put_back_raw(struct cmd *cmd, struct opened *opened, const struct journal_apply *undone,
                        struct err *err)
{
    const struct rollback_options *given = cmd->options;
    AUTO(hold) struct hold hold = { 0 };
    AUTO(journal) struct journal *journal = NULL;
    size_t count, forgotten;
    str state, holder = S("");
    str question =
        str_printf(&cmd->arena, "Put back every file as apply %lld found it, whatever that breaks?",
                   (long long)undone->id);
    if (!applying_agreed(cmd, given->applying.yes, question.ptr, line_of(cmd, " --raw --yes"), err))
        return EXIT_FAILED;
    if (!state_place(&cmd->arena, cmd->global.state, &state, err) ||
        !journal_open(state, &journal, err))
        return EXIT_FAILED;
    if (!hold_take(&cmd->arena, &opened->fleet, hold_cluster_id(&cmd->arena, &opened->cluster),
                   str_c(given->applying.take_over), &hold, &holder, err)) {
        if (holder.len > 0)
            (void)err_next(err, "%s --take-over '%.*s'", line_of(cmd, " --raw"), STR_ARG(holder));
        return EXIT_FAILED;
    }
    if (!back_raw(&hold, undone->snapshot, &count, err) ||
        !forget_plan(&cmd->arena, &hold, &opened->cluster, undone->plan, &forgotten, err) ||
        !journal_end(journal, undone->id, clock_now(), S("rolled back"), err))
        return EXIT_FAILED;
    fprintf(cmd->out, "%zu files are as apply %lld found them; no service was told\n\nnext: %.*s\n",
            count, (long long)undone->id, STR_ARG(cmd_line(cmd, "check")));
    return EXIT_OK;
}

/* One that was not done, or whose way back was stopped, may wait for something to be given up. */
static bool is_over(const struct journal_apply *undone)
{
    return undone->ended != 0 && !str_eq(undone->outcome, S("given up"));
}

static int run(struct cmd *cmd, struct err *err)
{
    const struct rollback_options *given = cmd->options;
    AUTO(opened) struct opened opened = { 0 };
    struct journal_apply undone;
    struct planning planning;
    struct approved approved;
    if (!open_cluster(cmd, &opened.cluster, err) ||
        !read_journal(cmd, &opened.cluster, &undone, err) ||
        !open_survey(cmd, clock_now(), false, &opened, err))
        return EXIT_FAILED;
    if (given->raw)
        return put_back_raw(cmd, &opened, &undone, err);
    if (!back_make(&cmd->arena, &opened.survey, &undone, &planning, err)) {
        if (err->kind == ERR_REFUSED)
            (void)err_next(err, "%s", line_of(cmd, " --raw"));
        return EXIT_FAILED;
    }
    bool shown = cmd->global.json && !given->applying.yes;
    if (shown)
        planning_emit(cmd_emit(cmd), &planning);
    else if (!cmd->global.json)
        planning_print(cmd, &planning, NULL);
    if (!planning_permitted(&planning, err))
        return (void)err_next(err, "%s", line_of(cmd, " --raw")), EXIT_FAILED;
    if (shown)
        return planning.plan.steps.count == 0 ? EXIT_OK : EXIT_HAS_STEPS;
    if (planning.plan.steps.count == 0 && is_over(&undone))
        return applying_nothing(cmd, "everything is as it was");
    if (!approved_of(&planning, &approved, err) ||
        !applying_agreed(cmd, given->applying.yes, "Go back?", line_of(cmd, " --yes"), err))
        return EXIT_FAILED;
    if (!cmd->global.json)
        fputc('\n', cmd->out);
    return applying_run(cmd, &opened.survey, &approved, &undone, given->applying.take_over,
                        line_of(cmd, given->applying.yes ? " --yes" : ""), err);
}

const struct command command_rollback = {
    .name = "rollback",
    .arguments = "[APPLY]",
    .summary = "undo the last apply, or the one of that number",
    .description =
        "Going back is a plan like any other: it is shown with its proof, and refused where it\n"
        "would break a connection that works. With --raw the files are copied back as they\n"
        "were: bytes, owner, permissions. Certificates that it waited for are waited for no\n"
        "longer: their keys are wiped. With --json and without --yes the plan is printed like\n"
        "that of `plan --json`, and nothing is changed.",
    .examples = "  reseal rollback\n  reseal rollback 12 --raw",
    .options = options,
    .options_size = sizeof(struct rollback_options),
    .words_max = 1,
    .run = run,
};
