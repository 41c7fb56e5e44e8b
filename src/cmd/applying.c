/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/applying.h"

#include "state/place.h"

#include <string.h>

enum { ANSWER_MAX = 16 };

bool applying_agreed(struct cmd *cmd, bool yes, const char *question, const char *next,
                     struct err *err)
{
    char answer[ANSWER_MAX];
    if (yes)
        return true;
    if (cmd->global.json || isatty(STDIN_FILENO) != 1) {
        (void)err_set(err, ERR_REFUSED, "nobody is here to ask, and nothing was changed");
        return err_next(err, "%s", next);
    }
    fprintf(cmd->out, "\n%s [y/N] ", question);
    fflush(cmd->out);
    if (fgets(answer, sizeof(answer), stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y'))
        return true;
    return err_set(err, ERR_REFUSED, "not agreed: nothing was changed");
}

bool applying_named(struct cmd *cmd, struct journal *journal, str cluster, const char *word,
                    struct journal_apply *ret_apply, struct err *err)
{
    journal_apply_list applies;
    uint64_t wanted = 0;
    if (!journal_list(&cmd->arena, journal, cluster, &applies, err))
        return false;
    bool number = str_to_u64(str_c(word), INT64_MAX, &wanted);
    for (size_t i = 0; i < applies.count && number; i++)
        if ((uint64_t)applies.items[i].id == wanted)
            return journal_get(&cmd->arena, journal, applies.items[i].id, ret_apply, err);
    struct buf ids = { 0 };
    enum { FEW = 8 };
    for (size_t i = 0; i < applies.count && i < FEW; i++)
        buf_printf(&cmd->arena, &ids, "%s%lld", i == 0 ? "" : ", ", (long long)applies.items[i].id);
    (void)err_set(err, ERR_USAGE, "there is no apply %s of this cluster; there %s %.*s%s", word,
                  applies.count == 1 ? "is" : "are",
                  STR_ARG(applies.count == 0 ? S("none yet") : buf_str(&ids)),
                  applies.count > FEW ? " and older ones" : "");
    return err_next(err, "%.*s", STR_ARG(cmd_line(cmd, "history")));
}

/* What is shown while it runs, and kept for the document. */
struct progress {
    struct cmd *cmd;
    size_t done;
    LIST(struct apply_event) ended;
};

static bool is_end(enum journal_state state)
{
    return state == JOURNAL_DONE || state == JOURNAL_VERIFIED || state == JOURNAL_FAILED ||
           state == JOURNAL_UNCERTAIN || state == JOURNAL_WAITING;
}

static const char *mark_of(enum journal_state state)
{
    if (state == JOURNAL_FAILED)
        return "FAILED";
    if (state == JOURNAL_UNCERTAIN)
        return "UNKNOWN";
    return state == JOURNAL_WAITING ? "waiting" : "ok";
}

static void watch(void *context, const struct apply_event *event)
{
    struct progress *progress = context;
    if (!is_end(event->state))
        return;
    progress->done++;
    struct apply_event kept = *event;
    kept.evidence = str_copy(&progress->cmd->arena, event->evidence);
    list_push(&progress->cmd->arena, &progress->ended) = kept;
    if (progress->cmd->global.json)
        return;
    fprintf(progress->cmd->out, "%3zu/%zu  %-7s %-8s  %.*s\n", progress->done, event->total,
            mark_of(event->state), step_kind_name(event->step->kind), STR_ARG(event->step->text));
    if (event->evidence.len > 0 && (event->state != JOURNAL_DONE || progress->cmd->global.verbose))
        fprintf(progress->cmd->out, "         %.*s\n", STR_ARG(event->evidence));
    fflush(progress->cmd->out);
}

static const char *outcome_of(const struct performed *performed, bool good)
{
    if (good)
        return performed->waits > 0 ? "waiting" : "done";
    return performed->apply != 0 ? "failed" : "refused";
}

static void emit_result(struct progress *progress, const struct performed *performed, bool good,
                        const struct err *err)
{
    struct emit emit = cmd_emit(progress->cmd);
    emit_object(&emit, NULL);
    emit_int(&emit, "apply", performed->apply);
    emit_text(&emit, "outcome", outcome_of(performed, good));
    emit_bool(&emit, "resumed", performed->resumed);
    emit_array(&emit, "steps");
    for (size_t i = 0; i < progress->ended.count; i++) {
        const struct apply_event *event = &progress->ended.items[i];
        emit_object(&emit, NULL);
        emit_str(&emit, "id", event->step->id);
        emit_text(&emit, "kind", step_kind_name(event->step->kind));
        emit_str(&emit, "node", event->step->node);
        emit_str(&emit, "service", event->step->service);
        emit_str(&emit, "store", event->step->store);
        emit_text(&emit, "state", journal_state_name(event->state));
        emit_str(&emit, "evidence", event->evidence);
        emit_object_end(&emit);
    }
    emit_array_end(&emit);
    emit_int(&emit, "unseen", (int64_t)performed->unseen);
    emit_int(&emit, "forgotten", (int64_t)performed->forgotten);
    emit_text(&emit, "error", good ? NULL : err->msg);
    emit_object_end(&emit);
    emit_end(&emit);
}

static void say_how_to_go_on(struct cmd *cmd, const char *again, bool back)
{
    FILE *out = cmd->global.json ? stderr : cmd->out;
    fprintf(out, "  to go on:    %s\n", again);
    if (!back)
        fprintf(out, "  to go back:  %.*s\n", STR_ARG(cmd_line(cmd, "rollback")));
}

static bool say_next(struct cmd *cmd, const struct performed *performed, bool back,
                     const char *again, struct err *err)
{
    if (performed->holder.len > 0)
        return err_next(err, "%s --take-over '%.*s'", again, STR_ARG(performed->holder));
    if (performed->apply == 0)
        return false;
    fprintf(cmd->global.json ? stderr : cmd->out,
            "\nstopped: what was done stays, and is in the journal as apply %lld\n",
            (long long)performed->apply);
    say_how_to_go_on(cmd, again, back);
    return false;
}

static bool waits_for_issuer(const struct progress *progress)
{
    for (size_t i = 0; i < progress->ended.count; i++)
        if (progress->ended.items[i].state == JOURNAL_WAITING &&
            progress->ended.items[i].step->kind == STEP_issue)
            return true;
    return false;
}

static int say_waiting(const struct progress *progress, const struct performed *performed,
                       bool back, const char *again)
{
    struct cmd *cmd = progress->cmd;
    fprintf(cmd->global.json ? stderr : cmd->out,
            "\nwaiting for %zu %s: what was done stays, and is in the journal as apply %lld\n",
            performed->waits, performed->waits == 1 ? "step" : "steps",
            (long long)performed->apply);
    if (waits_for_issuer(progress))
        fprintf(cmd->global.json ? stderr : cmd->out, "  to deliver:  %.*s\n",
                STR_ARG(cmd_line(cmd, "issuer deliver FILE...")));
    say_how_to_go_on(cmd, again, back);
    return EXIT_OK;
}

static const char *still_waiting(const struct progress *progress)
{
    size_t count = 0;
    for (size_t i = 0; i < progress->ended.count; i++)
        count += progress->ended.items[i].state == JOURNAL_WAITING;
    return count == 0 ? ""
                      : str_printf(&progress->cmd->arena, "; %zu %s to be seen", count,
                                   count == 1 ? "service waits" : "services wait")
                            .ptr;
}

/* By what it is known that it is done. */
static const char *proof_of(struct cmd *cmd, const struct performed *performed)
{
    if (performed->verified == performed->unseen)
        return "known by what is stored, as nothing can be seen on the wire";
    if (performed->unseen == 0)
        return "seen on the wire";
    return str_printf(&cmd->arena, "seen on the wire, and of %zu %s by what is stored",
                      performed->unseen, performed->unseen == 1 ? "service" : "services")
        .ptr;
}

int applying_run(struct cmd *cmd, struct survey *survey, const struct approved *approved,
                 const struct journal_apply *undone, const char *take_over, const char *again,
                 struct err *err)
{
    struct progress progress = { .cmd = cmd };
    struct performed performed = { 0 };
    struct perform_options options = {
        .take_over = str_c(take_over), .undone = undone, .watch = watch, .context = &progress
    };
    if (!state_place(&cmd->arena, cmd->global.state, &options.state, err))
        return EXIT_FAILED;
    int64_t begin = clock_monotonic_ms();
    bool good = perform(&cmd->arena, survey, approved, &options, &performed, err);
    if (cmd->global.json)
        emit_result(&progress, &performed, good, err);
    if (!good)
        return (void)say_next(cmd, &performed, undone != NULL, again, err), EXIT_FAILED;
    if (performed.waits > 0)
        return say_waiting(&progress, &performed, undone != NULL, again);
    if (cmd->global.json)
        return EXIT_OK;
    if (performed.forgotten > 0)
        fprintf(cmd->out, "%s%zu %s: keys wiped, files put away\n", performed.steps > 0 ? "\n" : "",
                performed.forgotten,
                performed.forgotten == 1 ? "request is forgotten" : "requests are forgotten");
    if (undone != NULL && performed.steps == 0)
        fputs("\neverything is as it was\n", cmd->out);
    else if (performed.steps == 0 && performed.verified == 0)
        fputs("\nnothing was left to do\n", cmd->out);
    else
        fprintf(cmd->out, "\ndone in %.1f seconds: apply %lld, %s%s\n",
                (double)(clock_monotonic_ms() - begin) / 1000.0, (long long)performed.apply,
                proof_of(cmd, &performed), still_waiting(&progress));
    return EXIT_OK;
}

int applying_nothing(struct cmd *cmd, const char *words)
{
    struct progress progress = { .cmd = cmd };
    const struct performed nothing = { 0 };
    if (cmd->global.json)
        emit_result(&progress, &nothing, true, NULL);
    else
        fprintf(cmd->out, "\n%s\n", words);
    return EXIT_OK;
}
