/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commands.h"

#include "apply/approved.h"
#include "apply/hold.h"
#include "cmd/applying.h"
#include "cmd/requests.h"
#include "state/journal.h"
#include "state/place.h"

/* `reseal history`: what was done, when, and its proof. */

/* An apply, and where its steps stand. */
struct told {
    struct journal_apply apply;
    journal_standing_list waits, here; /* of one that has not ended: what it waits for, and what of
                                          that has come */
    const char *outcome;
};

/* What is asked about: a cluster's journal, and what was delivered for its requests. */
struct asked {
    struct cmd *cmd;
    struct journal *journal;
    str cluster;
    str_list delivered; /* steps */
};

/* One in which a step failed was stopped, whatever else it waits for. */
static bool tell(const struct asked *asked, const struct journal_apply *apply,
                 struct told *ret_told, struct err *err)
{
    struct arena *arena = &asked->cmd->arena;
    journal_standing_list standings;
    bool failed = false;
    *ret_told = (struct told){ .apply = *apply, .outcome = apply->outcome.ptr };
    if (apply->ended != 0)
        return true;
    if (!journal_standings(arena, asked->journal, apply->id, &standings, err))
        return false;
    for (size_t i = 0; i < standings.count; i++) {
        bool here = str_list_has(&asked->delivered, standings.items[i].step);
        failed = failed || standings.items[i].state == JOURNAL_FAILED ||
                 standings.items[i].state == JOURNAL_UNCERTAIN;
        if (standings.items[i].state == JOURNAL_WAITING)
            list_push(arena, here ? &ret_told->here : &ret_told->waits) = standings.items[i];
    }
    bool waits = ret_told->waits.count + ret_told->here.count > 0;
    ret_told->outcome = waits && !failed ? "waiting" : "stopped";
    return true;
}

static void emit_waits(struct emit *emit, const journal_standing_list *waits)
{
    emit_array(emit, "waiting");
    for (size_t i = 0; i < waits->count; i++) {
        emit_object(emit, NULL);
        emit_str(emit, "step", waits->items[i].step);
        emit_moment(emit, "since", waits->items[i].since);
        emit_str(emit, "evidence", waits->items[i].evidence);
        emit_object_end(emit);
    }
    emit_array_end(emit);
}

static void emit_apply(struct emit *emit, const struct told *told)
{
    const struct journal_apply *apply = &told->apply;
    emit_object(emit, NULL);
    emit_int(emit, "apply", apply->id);
    emit_str(emit, "cluster", apply->cluster_name);
    emit_bool(emit, "rollback", apply->undoes.len > 0);
    emit_moment(emit, "started", apply->started);
    if (apply->ended == 0)
        emit_null(emit, "ended");
    else
        emit_moment(emit, "ended", apply->ended);
    emit_text(emit, "outcome", told->outcome);
    emit_int(emit, "token", apply->token);
    emit_str(emit, "host", apply->host);
    emit_str(emit, "snapshot", apply->snapshot);
    emit_waits(emit, &told->waits);
}

static void print_told(struct cmd *cmd, const struct told *told)
{
    const struct journal_apply *apply = &told->apply;
    fprintf(cmd->out, "%4lld  %.*s  %-8s  %-13s  %.*s\n", (long long)apply->id,
            STR_ARG(clock_format(&cmd->arena, apply->started)),
            apply->undoes.len > 0 ? "rollback" : "apply", told->outcome,
            STR_ARG(apply->cluster_name));
    for (size_t i = 0; i < told->waits.count; i++)
        fprintf(cmd->out, "      %.*s  since then it waits for: %.*s\n",
                STR_ARG(clock_format(&cmd->arena, told->waits.items[i].since)),
                STR_ARG(told->waits.items[i].evidence));
    for (size_t i = 0; i < told->here.count; i++)
        fprintf(cmd->out, "      %.*s  since then it waits, and this is here: %.*s\n",
                STR_ARG(clock_format(&cmd->arena, told->here.items[i].since)),
                STR_ARG(told->here.items[i].evidence));
}

static str text_of(const struct approved *plan, str step)
{
    for (size_t i = 0; i < plan->steps.count; i++)
        if (str_eq(plan->steps.items[i].id, step))
            return plan->steps.items[i].text;
    return step;
}

static void print_event(struct cmd *cmd, const struct journal_event *event, str text)
{
    fprintf(cmd->out, "%.*s  %-9s  %.*s\n", STR_ARG(clock_format(&cmd->arena, event->at)),
            journal_state_name(event->state), STR_ARG(text));
    if (event->evidence.len > 0 && event->state != JOURNAL_PLANNED)
        fprintf(cmd->out, "                                 %.*s\n", STR_ARG(event->evidence));
}

static void emit_events(struct emit *emit, const journal_event_list *events)
{
    emit_array(emit, "events");
    for (size_t i = 0; i < events->count; i++) {
        const struct journal_event *event = &events->items[i];
        emit_object(emit, NULL);
        emit_moment(emit, "at", event->at);
        emit_str(emit, "step", event->step);
        emit_text(emit, "state", journal_state_name(event->state));
        emit_str(emit, "evidence", event->evidence);
        emit_object_end(emit);
    }
    emit_array_end(emit);
}

static bool show_one(const struct asked *asked, struct err *err)
{
    struct cmd *cmd = asked->cmd;
    struct journal_apply apply;
    struct told told;
    journal_event_list events;
    struct approved plan = { 0 };
    AUTO(err) struct err unread = { 0 };
    if (!applying_named(cmd, asked->journal, asked->cluster, cmd->words.items[0], &apply, err) ||
        !journal_events(&cmd->arena, asked->journal, apply.id, &events, err) ||
        !tell(asked, &apply, &told, err))
        return false;
    if (cmd->global.json) {
        struct emit emit = cmd_emit(cmd);
        emit_apply(&emit, &told);
        emit_events(&emit, &events);
        emit_object_end(&emit);
        emit_end(&emit);
        return true;
    }
    if (!approved_parse(&cmd->arena, apply.plan, &plan, &unread))
        plan = (struct approved){ 0 };
    fprintf(cmd->out, "apply %lld of %.*s: %s\n", (long long)apply.id, STR_ARG(apply.cluster_name),
            told.outcome);
    for (size_t i = 0; i < events.count; i++)
        print_event(cmd, &events.items[i], text_of(&plan, events.items[i].step));
    return true;
}

static bool show_all(const struct asked *asked, struct err *err)
{
    struct cmd *cmd = asked->cmd;
    journal_apply_list applies;
    LIST(struct told) tolds = { 0 };
    if (!journal_list(&cmd->arena, asked->journal, asked->cluster, &applies, err))
        return false;
    for (size_t i = 0; i < applies.count; i++)
        if (!tell(asked, &applies.items[i], &list_push(&cmd->arena, &tolds), err))
            return false;
    if (!cmd->global.json) {
        if (tolds.count == 0)
            fputs("nothing was done yet\n", cmd->out);
        for (size_t i = 0; i < tolds.count; i++)
            print_told(cmd, &tolds.items[i]);
        return true;
    }
    struct emit emit = cmd_emit(cmd);
    emit_object(&emit, NULL);
    emit_array(&emit, "applies");
    for (size_t i = 0; i < tolds.count; i++) {
        emit_apply(&emit, &tolds.items[i]);
        emit_object_end(&emit);
    }
    emit_array_end(&emit);
    emit_object_end(&emit);
    emit_end(&emit);
    return true;
}

static int run(struct cmd *cmd, struct err *err)
{
    AUTO(journal) struct journal *journal = NULL;
    AUTO(err) struct err unread = { 0 };
    struct cluster cluster;
    str state;
    if (!open_cluster(cmd, &cluster, err) ||
        !state_place(&cmd->arena, cmd->global.state, &state, err) ||
        !journal_open(state, &journal, err))
        return EXIT_FAILED;
    struct asked asked = { cmd, journal, hold_cluster_id(&cmd->arena, &cluster), { 0 } };
    /* Where that cannot be read all of it is waited for. */
    if (!requests_delivered(cmd, &cluster, &asked.delivered, &unread))
        fprintf(stderr, "note: %s\n", unread.msg);
    bool shown = cmd->words.count > 0 ? show_one(&asked, err) : show_all(&asked, err);
    return shown ? EXIT_OK : EXIT_FAILED;
}

const struct command command_history = {
    .name = "history",
    .arguments = "[APPLY]",
    .summary = "what was done to this cluster, when, and with which evidence",
    .description = "Without a number: every apply, newest first. With one: each of its steps.",
    .examples = "  reseal history\n  reseal history 12 --json",
    .words_max = 1,
    .run = run,
};
