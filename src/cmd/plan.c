/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commands.h"

#include "apply/approved.h"
#include "base/io.h"
#include "cmd/planning.h"

/* `reseal plan`: the steps, the proof and the profile diff. Changes nothing. */

struct plan_options {
    const char *out, *wave;
    struct planning_flags flags;
};

// clang-format off
static const struct option options[] = {
    PLANNING_OPTIONS(struct plan_options, flags),
    { "out", 'o', OPTION_FILE, "FILE", "write the plan document to FILE, over nothing or another plan", NULL, OPTION_AT(struct plan_options, const char *, out) },
    { "wave", 0, OPTION_TEXT, "N|all", "show one wave alone with every name, or each of them", NULL, OPTION_AT(struct plan_options, const char *, wave) },
    { 0 },
};
// clang-format on

/* What is there and is no plan may be a key: only nothing and a plan are written over. */
static bool may_write(struct cmd *cmd, const struct plan_options *given, struct err *err)
{
    AUTO(err) struct err unread = { 0 };
    struct approved there;
    str text;
    if (given->out == NULL || access(given->out, F_OK) != 0)
        return true;
    bool read = io_read(&cmd->arena, given->out, IO_FILE_MAX, &text, &unread);
    if (read && (text.len == 0 || approved_parse(&cmd->arena, text, &there, &unread)))
        return true;
    (void)err_set(err, ERR_REFUSED, "%s is there, and is no plan of reseal: it stays as it is",
                  given->out);
    return err_next(err, "%.*s",
                    STR_ARG(cmd_line(cmd, "plan%s --out %s.plan",
                                     planning_flags_text(cmd, &given->flags), given->out)));
}

static bool write_out(struct planning *planning, const char *path, struct err *err)
{
    str text;
    struct io_owner ours = { (uid_t)-1, (gid_t)-1, 0644 };
    return planning_text(planning, &text, err) && io_replace(path, text, ours, err);
}

/* A plan with outages is only carried out by who says so. */
static void print_next(struct cmd *cmd, const struct plan_options *given,
                       const struct planning *planning)
{
    struct planning_flags flags = given->flags;
    bool wants = plan_refuses(&planning->plan) && !flags.allow_outages;
    flags.allow_outages = flags.allow_outages || wants;
    const char *words = planning_flags_text(cmd, &flags);
    str line = given->out == NULL ? cmd_line(cmd, "renew%s", words)
               : wants            ? cmd_line(cmd, "plan%s --out %s", words, given->out)
                                  : cmd_line(cmd, "apply %s", given->out);
    fprintf(cmd->out, "\nnext: %.*s\n", STR_ARG(line));
}

static int run(struct cmd *cmd, struct err *err)
{
    const struct plan_options *given = cmd->options;
    AUTO(opened) struct opened opened = { 0 };
    struct planning planning;
    if (!may_write(cmd, given, err) ||
        !cmd_plan(cmd, &given->flags, NULL, &opened, &planning, err) ||
        (given->out != NULL && !write_out(&planning, given->out, err)))
        return EXIT_FAILED;
    if (cmd->global.json) {
        planning_emit(cmd_emit(cmd), &planning);
    } else if (given->wave != NULL) {
        if (!planning_print_wave(cmd, &planning, given->wave, planning_in_full(cmd, &given->flags),
                                 err))
            return EXIT_FAILED;
    } else {
        planning_print(cmd, &planning, planning_in_full(cmd, &given->flags));
        if (planning.plan.steps.count > 0 && planning.plan.proven)
            print_next(cmd, given, &planning);
    }
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
    .examples =
        "  reseal -f cluster.yaml plan\n  reseal plan --wave 3\n  reseal plan --out plan.json",
    .options = options,
    .options_size = sizeof(struct plan_options),
    .run = run,
};
