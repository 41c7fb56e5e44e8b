/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/perform.h"

#include "apply/back.h"
#include "apply/forget.h"
#include "apply/preflight.h"
#include "apply/stale.h"
#include "apply/verify.h"
#include "issue/secret.h"
#include "node/lease.h"

#include <openssl/rand.h>

enum { SNAPSHOT_BYTES = 8 };

/* Everything that one run holds. */
struct run {
    struct arena *arena;
    const struct approved *approved;
    struct approved proven; /* whose verifications are made: those of a stopped apply as well */
    const struct perform_options *options;
    struct performed *performed;
    struct cluster cluster;
    struct survey survey;
    struct planning planning;
    struct local_ca ca;
    struct hold hold;
    struct journal *journal;
    struct apply apply;
};

static void run_close(struct run *run)
{
    local_close(&run->ca);
    hold_release(&run->hold);
    journal_close(run->journal);
}
DEFINE_AUTO(run, struct run, run_close(handle))

static bool issues_something(const struct approved *approved)
{
    for (size_t i = 0; i < approved->steps.count; i++)
        if (approved->steps.items[i].kind == STEP_issue)
            return true;
    return false;
}

static bool names_nothing(const struct secret_source *source)
{
    return source->file.len == 0 && source->env.len == 0 && source->command.count == 0 &&
           source->descriptor < 0;
}

/* Where the passphrase came from, or should have, and how to try what is there. */
static bool say_passphrase(struct run *run, const struct issuer_conf *issuer, struct err *err)
{
    const struct secret_source *source = &issuer->passphrase;
    struct arena *arena = run->arena;
    str from = source->file.len > 0 ? str_printf(arena, "file %.*s", STR_ARG(source->file))
               : source->env.len > 0
                   ? str_printf(arena, "environment variable %.*s", STR_ARG(source->env))
               : source->command.count > 0
                   ? str_printf(arena, "command %.*s", STR_ARG(source->command.items[0]))
               : source->descriptor >= 0 ? str_printf(arena, "descriptor %d", source->descriptor)
                                         : S("terminal");
    (void)err_wrap(err, "the passphrase from %.*s", STR_ARG(from));
    if (source->file.len > 0)
        return err_next(err, "openssl pkey -in '%.*s' -passin 'file:%.*s' -noout",
                        STR_ARG(issuer->key), STR_ARG(source->file));
    if (source->env.len > 0)
        return err_next(err, "openssl pkey -in '%.*s' -passin 'env:%.*s' -noout",
                        STR_ARG(issuer->key), STR_ARG(source->env));
    return err_next(err, "openssl pkey -in '%.*s' -noout", STR_ARG(issuer->key));
}

/* A key that is not encrypted needs no passphrase; whether it is is seen by trying. */
static bool open_key(struct run *run, const struct issuer_conf *issuer, struct err *err)
{
    AUTO(arena) struct arena secret = { .wipe = true };
    AUTO(err) struct err locked = { 0 };
    const char *certificate = str_cstr(run->arena, issuer->certificate);
    const char *key = str_cstr(run->arena, issuer->key);
    const char *prompt = str_printf(&secret, "Passphrase for %s: ", key).ptr;
    str passphrase = { 0 };
    if (names_nothing(&issuer->passphrase)) {
        if (local_open(run->arena, certificate, key, passphrase, clock_now(), &run->ca, &locked))
            return true;
        if (locked.kind != ERR_PASSWORD)
            return local_open(run->arena, certificate, key, passphrase, clock_now(), &run->ca, err);
    }
    if (!secret_read(&secret, &issuer->passphrase, prompt, &passphrase, err))
        return say_passphrase(run, issuer, err);
    return local_open(run->arena, certificate, key, passphrase, clock_now(), &run->ca, err) ||
           (err->kind == ERR_PASSWORD && say_passphrase(run, issuer, err));
}

static bool open_issuer(struct run *run, const struct cluster *cluster, struct err *err)
{
    if (!issues_something(run->approved))
        return true;
    if (awaited_any(cluster) ? csr_prepare(str_cstr(run->arena, cluster->issuer.directory), err)
                             : open_key(run, &cluster->issuer, err))
        return true;
    return err_where(err, "%.*s:%d", STR_ARG(cluster->path), cluster->issuer.line);
}

static bool plan_again(struct run *run, struct survey *before, struct err *err)
{
    if (!survey_again(run->arena, before, &run->cluster, &run->survey, err) ||
        !preflight_survey(&run->survey, err))
        return false;
    bool made =
        run->options->undone != NULL
            ? back_make(run->arena, &run->survey, run->options->undone, &run->planning, err)
            : planning_make(run->arena, &run->survey, &run->approved->options, &run->planning, err);
    return made && planning_permitted(&run->planning, err);
}

static bool snapshot_name(struct arena *arena, str *ret_name, struct err *err)
{
    unsigned char bytes[SNAPSHOT_BYTES];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return err_set(err, ERR_CRYPTO, "no random bytes");
    *ret_name = str_hex(arena, bytes, sizeof(bytes));
    return true;
}

static bool new_record(struct run *run, struct journal_apply *ret_record, struct err *err)
{
    *ret_record = (struct journal_apply){
        .cluster_id = run->hold.cluster,
        .cluster_name = run->cluster.name,
        .token = run->hold.token,
        .undoes = run->options->undone == NULL ? S("") : run->options->undone->snapshot,
        .plan = run->approved->document,
        .started = clock_now(),
        .host = lease_host(run->arena),
        .pid = getpid(),
    };
    return snapshot_name(run->arena, &ret_record->snapshot, err);
}

/* An apply that was stopped is gone on with when all that is approved now was approved then. What
   it had done was not verified yet. */
static bool goes_on(struct run *run, const struct journal_apply *stopped, bool *ret_same,
                    struct err *err)
{
    struct approved then = { 0 };
    str undoes = run->options->undone == NULL ? S("") : run->options->undone->snapshot;
    *ret_same = str_eq(stopped->undoes, undoes);
    if (!*ret_same)
        return true;
    if (!approved_parse(run->arena, stopped->plan, &then, err))
        return err_wrap(err, "the journal's plan of apply %lld", (long long)stopped->id);
    for (size_t i = 0; i < run->approved->steps.count; i++)
        *ret_same = *ret_same && approved_has(&then, run->approved->steps.items[i].id);
    if (*ret_same)
        run->proven.steps = then.steps;
    return true;
}

static bool choose_record(struct run *run, struct err *err)
{
    struct journal_apply stopped;
    bool found, same = false;
    if (!journal_unfinished(run->arena, run->journal, run->hold.cluster, &found, &stopped, err) ||
        (found && !goes_on(run, &stopped, &same, err)))
        return false;
    run->performed->resumed = same;
    if (same) {
        run->apply.record = stopped;
        return true;
    }
    return new_record(run, &run->apply.record, err);
}

/* Nodes that were left out of this run are not asked. */
static size_t keep_verifications(struct run *run)
{
    struct approved kept = { 0 };
    for (size_t i = 0; i < run->proven.steps.count; i++) {
        const struct step *step = &run->proven.steps.items[i];
        if (step->kind == STEP_verify && cluster_node(&run->cluster, step->node) != NULL)
            list_push(run->arena, &kept.steps) = *step;
    }
    run->proven = kept;
    return kept.steps.count;
}

static size_t count_changes(const struct plan *plan)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->steps.count; i++)
        count += plan->steps.items[i].kind != STEP_verify;
    return count;
}

/* Only now is anything written: the journal's first line. */
static bool begin(struct run *run, struct err *err)
{
    struct journal_apply stopped;
    bool found;
    if (run->performed->resumed)
        return true;
    if (!journal_unfinished(run->arena, run->journal, run->hold.cluster, &found, &stopped, err) ||
        (found && !journal_end(run->journal, stopped.id, clock_now(), S("given up"), err)) ||
        !journal_begin(run->journal, &run->apply.record, err))
        return false;
    for (size_t i = 0; i < run->planning.plan.steps.count; i++) {
        const struct step *step = &run->planning.plan.steps.items[i];
        struct journal_event event = { step->id, JOURNAL_PLANNED, clock_now(), step->text };
        if (!journal_step(run->journal, run->apply.record.id, &event, err))
            return false;
    }
    return true;
}

/* Put away before the journal says that it is done: whoever is killed here comes here again. */
static bool put_requests_away(struct run *run, struct err *err)
{
    const struct journal_apply *undone = run->options->undone;
    if (undone == NULL)
        return forget_done(run->arena, &run->hold, &run->cluster, run->apply.record.plan, err);
    return forget_plan(run->arena, &run->hold, &run->cluster, undone->plan,
                       &run->performed->forgotten, err);
}

static bool finish(struct run *run, struct err *err)
{
    const struct journal_apply *undone = run->options->undone;
    bool nothing = run->performed->steps == 0 && !run->performed->resumed;
    str outcome = nothing ? S(PERFORM_NOTHING) : S("done");
    return put_requests_away(run, err) &&
           (undone == NULL ||
            journal_end(run->journal, undone->id, clock_now(), S("rolled back"), err)) &&
           journal_end(run->journal, run->apply.record.id, clock_now(), outcome, err);
}

/* Who lost the lease before the first step leaves nothing to go on with and nothing to undo: what
   is in the journal before it is what counts. Whoever took the lease may have gone on with this
   very apply, and ended it. */
static bool give_up(struct run *run, const struct err *why)
{
    AUTO(err) struct err unwritten = { 0 };
    struct journal_apply open;
    bool found = false;
    bool nothing = run->apply.done == 0 && !run->performed->resumed && why->kind == ERR_CONFLICT;
    nothing = nothing &&
              journal_unfinished(run->arena, run->journal, run->hold.cluster, &found, &open,
                                 &unwritten) &&
              found && open.id == run->apply.record.id;
    if (nothing && journal_end(run->journal, run->apply.record.id, clock_now(), S(PERFORM_NOTHING),
                               &unwritten))
        run->performed->apply = 0;
    return false;
}

bool perform(struct arena *arena, struct survey *survey, const struct approved *approved,
             const struct perform_options *options, struct performed *ret_performed,
             struct err *err)
{
    AUTO(run)
    struct run run = {
        .arena = arena, .approved = approved, .options = options, .performed = ret_performed
    };
    run.proven.steps = approved->steps;
    *ret_performed = (struct performed){ 0 };
    if (!preflight_survey(survey, err) || !open_issuer(&run, survey->cluster, err) ||
        !journal_open(options->state, &run.journal, err) ||
        !hold_take(arena, survey->fleet, hold_cluster_id(arena, survey->cluster),
                   options->take_over, &run.hold, &ret_performed->holder, err) ||
        !plan_again(&run, survey, err))
        return false;
    run.apply = (struct apply){ .arena = arena,
                                .survey = &run.survey,
                                .plan = &run.planning.plan,
                                .hold = &run.hold,
                                .journal = run.journal,
                                .ca = &run.ca,
                                .awaited = &run.planning.awaited,
                                .authority = planning_authority(&run.planning),
                                .watch = options->watch,
                                .context = options->context };
    if (!choose_record(&run, err) || !stale_check(&run.apply, approved, err) ||
        !preflight_nodes(&run.apply, err) || !begin(&run, err))
        return false;
    ret_performed->apply = run.apply.record.id;
    ret_performed->steps = run.planning.plan.steps.count;
    run.apply.total = count_changes(&run.planning.plan) + keep_verifications(&run);
    if (!apply_run(&run.apply, err))
        return give_up(&run, err);
    ret_performed->waits = run.apply.waits.count;
    if (ret_performed->waits > 0)
        return true;
    bool verified = apply_verify(&run.apply, &run.proven, err);
    ret_performed->verified = run.apply.verified;
    ret_performed->unseen = run.apply.unseen;
    return verified && finish(&run, err);
}
