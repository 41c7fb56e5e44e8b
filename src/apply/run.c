/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/run.h"

#include "apply/dispatch.h"
#include "apply/issue.h"
#include "apply/quiet.h"
#include "base/window.h"

/* ---- one question about one step ---- */

static void keep_answer(struct apply *apply, struct job *job, const json_t *answer)
{
    job->evidence = answer_text(apply->arena, answer, "evidence");
}

/* What others are to remember of it is known from here on. */
static void keep_issued(struct apply *apply, const struct job *job, const json_t *answer)
{
    AUTO(err) struct err err = { 0 };
    struct apply_issued issued = { .step = job->step->id };
    str der;
    for (size_t i = 0; i < apply->issued.count; i++)
        if (str_eq(apply->issued.items[i].step, issued.step))
            return;
    if (json_object_get(answer, "leaf") != NULL &&
        need_bytes(apply->arena, answer, "leaf", &der, &err) &&
        cert_parse(apply->arena, der, &issued.leaf, &err))
        list_push(apply->arena, &apply->issued) = issued;
}

static void keep_observed(struct apply *apply, struct job *job, const json_t *answer)
{
    keep_issued(apply, job, answer);
    enum observed observed = OBSERVED_UNKNOWN;
    str name = answer_text(apply->arena, answer, "observed");
    job->evidence = answer_text(apply->arena, answer, "evidence");
    (void)observed_parse(name, &observed);
    /* Where nothing can tell what a service has loaded, having asked it to load is all there is. */
    job->over = observed == OBSERVED_AFTER ||
                (observed == OBSERVED_UNKNOWN && job->step->kind == STEP_refresh);
}

bool apply_ask(struct apply *apply, const struct step *step, const char *op, json_t **ret_answer,
               struct err *err)
{
    struct job job = { .step = step };
    AUTO(json) json_t *body = dispatch_body(apply, &job);
    struct reach *reach = fleet_reach(apply->survey->fleet, step->node);
    enum { ASK_MS = 60 * 1000 };
    if (reach == NULL)
        return err_set(err, ERR_USAGE, "there is no node %.*s", STR_ARG(step->node));
    return reach_ask(reach, op, body, ASK_MS, ret_answer, err);
}

bool apply_is_done(struct apply *apply, const struct step *step, bool *ret_done, str *ret_evidence,
                   struct err *err)
{
    AUTO(json) json_t *answer = NULL;
    struct job job = { .step = step };
    if (!apply_ask(apply, step, "observe", &answer, err))
        return false;
    keep_observed(apply, &job, answer);
    *ret_done = job.over;
    *ret_evidence = job.evidence;
    return true;
}

bool apply_note(struct apply *apply, const struct step *step, enum journal_state state,
                str evidence, struct err *err)
{
    struct apply_event seen = { step, state, evidence, apply->total };
    struct journal_event event = { step->id, state, clock_now(), evidence };
    if (!journal_step(apply->journal, apply->record.id, &event, err))
        return false;
    apply->done += state == JOURNAL_DONE || state == JOURNAL_UNCERTAIN;
    if (apply->watch != NULL)
        apply->watch(apply->context, &seen);
    return true;
}

/* ---- a round: one step at each of several nodes ---- */

/* A node that was lost in the middle is observed: what it was told may have happened all the same.
 */
static void look_again(struct apply *apply, struct job *jobs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!jobs[i].failed || jobs[i].err.kind != ERR_UNCERTAIN)
            continue;
        jobs[i].lost = str_copy(apply->arena, str_c(jobs[i].err.msg));
        jobs[i].unseen = true;
        err_clear(&jobs[i].err);
        jobs[i].failed = false;
    }
}

static void judge(struct job *jobs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct job *job = &jobs[i];
        job->unseen = job->unseen && job->failed;
        if (!job->failed && !job->over && !job->waiting)
            job->failed = !err_set(&job->err, ERR_CONFLICT, "it is not as it should be: %.*s",
                                   STR_ARG(job->evidence));
        if (job->failed && job->lost.len > 0)
            (void)err_wrap(&job->err, "%.*s; asked again", STR_ARG(job->lost));
    }
}

static bool note_job(struct apply *apply, const struct job *job, struct err *err)
{
    enum journal_state state = job->unseen    ? JOURNAL_UNCERTAIN
                               : job->failed  ? JOURNAL_FAILED
                               : job->waiting ? JOURNAL_WAITING
                                              : JOURNAL_DONE;
    str evidence = job->failed ? str_c(job->err.msg) : job->evidence;
    if (state == JOURNAL_WAITING)
        list_push(apply->arena, &apply->waits) = (struct apply_wait){ job->step, evidence };
    return apply_note(apply, job->step, state, evidence, err);
}

static bool note_all(struct apply *apply, struct job *jobs, size_t count, struct err *err)
{
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        struct job *job = &jobs[i];
        AUTO(err) struct err unwritten = { 0 };
        if (!note_job(apply, job, good ? err : &unwritten))
            good = false;
        if (job->failed && good) {
            (void)err_set(err, job->err.kind, "%.*s: %s", STR_ARG(job->step->text), job->err.msg);
            if (job->err.next != NULL)
                (void)err_next(err, "%s", job->err.next);
            good = false;
        }
        err_clear(&job->err);
    }
    return good;
}

static bool run_round(struct apply *apply, struct job *jobs, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++)
        if (!apply_note(apply, jobs[i].step, JOURNAL_STARTED, S(""), err))
            return false;
    if (jobs[0].step->kind == STEP_issue) {
        dispatch(apply, jobs, count, "observe", keep_observed);
        apply_issue(apply, jobs, count);
    } else {
        dispatch(apply, jobs, count, "carry_out", keep_answer);
    }
    look_again(apply, jobs, count);
    dispatch(apply, jobs, count, "observe", keep_observed);
    judge(jobs, count);
    return note_all(apply, jobs, count, err);
}

static bool has_node(const struct job *jobs, size_t count, str node)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(jobs[i].step->node, node))
            return true;
    return false;
}

/* Nothing is done at any node: it is seen, or waited for. */
static bool run_holds(struct apply *apply, const struct wave *wave, struct err *err)
{
    for (size_t i = 0; i < wave->steps.count; i++) {
        struct job job = { .step = &apply->plan->steps.items[wave->steps.items[i]] };
        bool quiet;
        if (!apply_note(apply, job.step, JOURNAL_STARTED, S(""), err))
            return false;
        job.failed = !quiet_check(apply, job.step, &quiet, &job.evidence, &job.err);
        job.waiting = !job.failed && !quiet;
        if (!note_all(apply, &job, 1, err))
            return false;
    }
    return true;
}

/* The steps of a wave are of one kind; each round takes the next one of each node. */
static bool run_wave(struct apply *apply, const struct wave *wave, struct err *err)
{
    AUTO(arena) struct arena scratch = { 0 };
    bool *taken = arena_alloc(&scratch, wave->steps.count + 1, sizeof(bool));
    for (size_t left = wave->steps.count; left > 0;) {
        struct job *jobs = arena_alloc(&scratch, wave->steps.count + 1, sizeof(*jobs));
        size_t count = 0;
        for (size_t i = 0; i < wave->steps.count; i++) {
            const struct step *step = &apply->plan->steps.items[wave->steps.items[i]];
            if (taken[i] || has_node(jobs, count, step->node))
                continue;
            taken[i] = true;
            jobs[count++] = (struct job){ .step = step };
        }
        left -= count;
        if (!run_round(apply, jobs, count, err))
            return false;
    }
    return true;
}

static bool has_new_certificate(const struct apply *apply, const struct wave *wave)
{
    for (size_t i = 0; i < wave->steps.count; i++)
        if (str_starts(apply->plan->steps.items[wave->steps.items[i]].certificate, S("new:")))
            return true;
    return false;
}

/* A certificate that is waited for changes nothing that anybody presents or trusts, so the waves
   before the first new certificate are carried out as they were proven; none is put to use before
   all are there. Whatever else is waited for, the rest depends on it. */
static bool must_stop(const struct apply *apply, const struct wave *wave)
{
    for (size_t i = 0; i < apply->waits.count; i++)
        if (apply->waits.items[i].step->kind != STEP_issue)
            return true;
    return apply->waits.count > 0 && has_new_certificate(apply, wave);
}

/* When the next window opens, `now` when one is open or none is declared. */
static moment next_window(const struct apply *apply, moment now)
{
    const str_list *windows = &apply->survey->cluster->policy.windows;
    moment next = windows->count == 0 ? now : INT64_MAX;
    for (size_t i = 0; i < windows->count; i++) {
        struct window window;
        moment opens = window_parse(windows->items[i], &window) ? window_next(&window, now) : now;
        next = opens < next ? opens : next;
    }
    return next;
}

/* A step that takes connections down waits for its window. */
static bool wait_for_window(struct apply *apply, const struct wave *wave, struct err *err)
{
    moment now = clock_now(), opens = next_window(apply, now);
    for (size_t i = 0; i < wave->steps.count && opens > now; i++) {
        struct job job = { .step = &apply->plan->steps.items[wave->steps.items[i]],
                           .waiting = true };
        if (job.step->outage.count + job.step->refused.count == 0)
            continue;
        job.evidence = str_printf(apply->arena,
                                  "it takes connections down; policy.windows opens at "
                                  "%.*s",
                                  STR_ARG(clock_format(apply->arena, opens)));
        if (!note_all(apply, &job, 1, err))
            return false;
    }
    return true;
}

bool apply_run(struct apply *apply, struct err *err)
{
    for (size_t i = 0; i < apply->plan->waves.count; i++) {
        const struct wave *wave = &apply->plan->waves.items[i];
        enum step_kind kind = apply->plan->steps.items[wave->steps.items[0]].kind;
        if (!wait_for_window(apply, wave, err))
            return false;
        if (must_stop(apply, wave))
            return true;
        if (kind == STEP_verify)
            continue;
        if (!(kind == STEP_hold ? run_holds(apply, wave, err) : run_wave(apply, wave, err)))
            return false;
    }
    return true;
}
