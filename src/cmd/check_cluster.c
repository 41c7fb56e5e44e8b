/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/check_cluster.h"

#include "apply/approved.h"
#include "apply/hold.h"
#include "base/io.h"
#include "cmd/open.h"
#include "cmd/requests.h"
#include "state/journal.h"
#include "state/place.h"
#include "survey/links.h"
#include "survey/parts.h"

enum status { STATUS_OK, STATUS_WARNING, STATUS_CRITICAL };
enum outcome { LINK_OK, LINK_BROKEN, LINK_UNKNOWN };

/* What is said of a link that was not looked at from both of its ends. */
#define UNSEEN "a node of it did not answer"

/* A declared link. Where several certificates may be shown, it has several rows in the model. */
struct judged_link {
    uint32_t first, row; /* link ids: of its first row, and of the one that the verdict is about */
    enum outcome outcome;
    bool on_wire; /* it was tried by its client */
    struct verdict verdict;
    enum cause cause;
    moment breaks_at; /* INT64_MAX: never */
    str text;
};

struct check {
    struct cmd *cmd;
    struct opened opened;
    moment at;
    bool now; /* judging the present: what is on the wire counts */
    LIST(struct judged_link) links;
    enum status status;
};

static struct judged_link judge(struct check *check, uint32_t id)
{
    struct survey *survey = &check->opened.survey;
    const struct link *link = &survey->model.links.items[id];
    struct ends ends =
        check->now ? ends_loaded(&survey->model, link) : ends_stored(&survey->model, link);
    struct verdict verdict = judge_link(&survey->judge, link, ends, check->at);
    struct judged_link judged = {
        .first = id, .row = id, .verdict = verdict, .cause = verdict.cause
    };
    judged.outcome = verdict.ok ? LINK_OK : LINK_BROKEN;
    judged.text = verdict_text(&check->cmd->arena, &survey->model, link, verdict, check->at);
    judged.breaks_at =
        verdict.ok ? forecast_link(&survey->judge, link, ends, check->at) : INT64_MAX;
    return judged;
}

static bool is_down(const struct survey *survey, const struct service *service)
{
    for (size_t i = 0; i < survey->findings.count; i++)
        if (survey->findings.items[i].code == FINDING_service_down &&
            str_eq(survey->findings.items[i].where, service->key))
            return true;
    return false;
}

static void note_difference(struct check *check, const struct link *link, enum severity severity,
                            const char *what, str why)
{
    struct survey *survey = &check->opened.survey;
    finding_add(&check->cmd->arena, &survey->findings, FINDING_wrong_on_wire, link->key,
                str_printf(&check->cmd->arena, "%s: %.*s", what, STR_ARG(why)))
        ->severity = severity;
}

/* The worst of its rows: a peer can be shown each of them. */
static void judge_rows(struct check *check, struct judged_link *judged)
{
    const struct survey *survey = &check->opened.survey;
    uint32_t first = judged->first;
    for (uint32_t id = first + 1; id < survey->model.links.count && !survey_is_first(survey, id);
         id++) {
        struct judged_link other = judge(check, id);
        bool worse = judged->outcome == LINK_OK &&
                     (other.outcome == LINK_BROKEN || other.breaks_at < judged->breaks_at);
        if (worse)
            *judged = other;
        judged->first = first;
    }
}

static bool has_rows(const struct check *check, const struct judged_link *judged)
{
    const struct survey *survey = &check->opened.survey;
    uint32_t next = judged->first + 1;
    return next < survey->model.links.count && !survey_is_first(survey, next);
}

/* What the wire says counts; that the stores say something else is worth knowing. It says nothing
   of what it was not shown. */
static void take_wire(struct check *check, const struct link *link, const struct tried *tried,
                      struct judged_link *judged)
{
    const struct survey *survey = &check->opened.survey;
    if (!tried->asked)
        return;
    judged->on_wire = true;
    if (is_down(survey, &survey->model.services.items[link->to])) {
        judged->on_wire = false;
        if (judged->outcome == LINK_OK)
            judged->outcome = LINK_UNKNOWN, judged->text = S("the server does not answer");
    } else if (judged->outcome == LINK_OK && !tried->accepted) {
        judged->outcome = LINK_BROKEN;
        judged->cause = tried->cause != CAUSE_none ? tried->cause : CAUSE_not_tls;
        judged->text = tried->text;
        note_difference(check, link, SEVERITY_CRITICAL, "the stores fit, the wire refuses",
                        tried->text);
    } else if (judged->outcome == LINK_BROKEN && tried->accepted && !has_rows(check, judged)) {
        judged->outcome = LINK_OK;
        note_difference(check, link, SEVERITY_WARNING, "accepted on the wire, though",
                        judged->text);
        judged->cause = CAUSE_none;
    }
}

static bool is_seen(const struct survey *survey, const struct link *link)
{
    return survey_reached(survey, survey->model.services.items[link->from].node) &&
           survey_reached(survey, survey->model.services.items[link->to].node);
}

/* Of what has an end that nobody looked at nothing is known. */
static struct judged_link judge_link_of(struct check *check, uint32_t id, const struct tried *tried)
{
    const struct survey *survey = &check->opened.survey;
    const struct link *link = &survey->model.links.items[id];
    if (!is_seen(survey, link))
        return (struct judged_link){ .first = id,
                                     .row = id,
                                     .outcome = LINK_UNKNOWN,
                                     .verdict.certificate = NO_ID,
                                     .breaks_at = INT64_MAX,
                                     .text = S(UNSEEN) };
    struct judged_link judged = judge(check, id);
    judge_rows(check, &judged);
    take_wire(check, link, tried, &judged);
    return judged;
}

static void judge_all(struct check *check, bool try_them)
{
    AUTO(arena) struct arena scratch = { 0 };
    struct survey *survey = &check->opened.survey;
    size_t count = survey->model.links.count;
    bool *wanted = arena_alloc(&scratch, count + 1, sizeof(bool));
    struct tried *tried = arena_alloc(&check->cmd->arena, count + 1, sizeof(*tried));
    for (size_t i = 0; i < count; i++)
        wanted[i] = try_them && is_seen(survey, &survey->model.links.items[i]);
    survey_try_links(&check->cmd->arena, survey, wanted, tried);
    for (uint32_t i = 0; i < count; i++)
        if (survey_is_first(survey, i))
            list_push(&check->cmd->arena, &check->links) = judge_link_of(check, i, &tried[i]);
}

static enum status worst(const struct check *check)
{
    const struct survey *survey = &check->opened.survey;
    enum status status = survey->unseen.count > 0 ? STATUS_WARNING : STATUS_OK;
    for (size_t i = 0; i < check->links.count; i++) {
        if (check->links.items[i].outcome == LINK_BROKEN)
            return STATUS_CRITICAL;
        if (check->links.items[i].outcome == LINK_UNKNOWN)
            status = STATUS_WARNING;
    }
    for (size_t i = 0; i < survey->findings.count; i++) {
        enum severity severity = survey->findings.items[i].severity;
        if (severity == SEVERITY_CRITICAL)
            return STATUS_CRITICAL;
        if (severity == SEVERITY_WARNING)
            status = STATUS_WARNING;
    }
    return status;
}

static const char *const outcome_names[] = {
    [LINK_OK] = "ok", [LINK_BROKEN] = "broken", [LINK_UNKNOWN] = "unknown"
};

static const char *const status_names[] = {
    [STATUS_OK] = "ok", [STATUS_WARNING] = "warning", [STATUS_CRITICAL] = "critical"
};

/* The store that holds the certificate at fault, or the empty string. */
static str store_at_fault(const struct check *check, const struct link *link,
                          struct verdict verdict)
{
    const struct model *model = &check->opened.survey.model;
    uint32_t identity = verdict.client_side ? link->client_identity : link->server_identity;
    if (verdict.ok || identity == NO_ID)
        return S("");
    const struct identity *row = &model->identities.items[identity];
    return str_printf(&check->cmd->arena, "%.*s/%.*s", STR_ARG(row->node), STR_ARG(row->store));
}

static void emit_link(struct emit *emit, const struct check *check, size_t index)
{
    const struct model *model = &check->opened.survey.model;
    const struct judged_link *judged = &check->links.items[index];
    const struct link *link = &model->links.items[judged->row];
    str store =
        judged->outcome == LINK_BROKEN ? store_at_fault(check, link, judged->verdict) : S("");
    emit_object(emit, NULL);
    emit_str(emit, "from", model->services.items[link->from].key);
    emit_str(emit, "to", model->services.items[link->to].key);
    emit_text(emit, "verdict", outcome_names[judged->outcome]);
    emit_text(emit, "cause", cause_code(judged->cause));
    if (judged->verdict.certificate == NO_ID)
        emit_null(emit, "certificate");
    else
        emit_str(emit, "certificate",
                 str_printf(&check->cmd->arena, "sha256:%.*s",
                            STR_ARG(model->certs.items[judged->verdict.certificate].sha256)));
    emit_text(emit, "store", store.len == 0 ? NULL : store.ptr);
    emit_text(emit, "basis", judged->on_wire ? "wire" : "stored");
    if (judged->breaks_at == INT64_MAX)
        emit_null(emit, "breaks_at");
    else
        emit_moment(emit, "breaks_at", judged->breaks_at);
    emit_str(emit, "user", link->user);
    emit_str(emit, "text", judged->text);
    emit_object_end(emit);
}

static void emit_unseen(struct emit *emit, const struct link_conf *link)
{
    emit_object(emit, NULL);
    emit_str(emit, "from", link->from);
    emit_str(emit, "to", link->to);
    emit_text(emit, "verdict", outcome_names[LINK_UNKNOWN]);
    emit_null(emit, "cause");
    emit_null(emit, "certificate");
    emit_null(emit, "store");
    emit_text(emit, "basis", "stored");
    emit_null(emit, "breaks_at");
    emit_str(emit, "user", link->user);
    emit_text(emit, "text", UNSEEN);
    emit_object_end(emit);
}

static void print_json(const struct check *check)
{
    const struct survey *survey = &check->opened.survey;
    struct emit emit = cmd_emit(check->cmd);
    emit_object(&emit, NULL);
    emit_moment(&emit, "at", check->at);
    emit_text(&emit, "status", status_names[check->status]);
    emit_array(&emit, "links");
    for (size_t i = 0; i < check->links.count; i++)
        emit_link(&emit, check, i);
    for (size_t i = 0; i < survey->unseen.count; i++)
        emit_unseen(&emit, survey->unseen.items[i]);
    emit_array_end(&emit);
    findings_emit(&emit, "findings", &survey->findings);
    emit_object_end(&emit);
    emit_end(&emit);
}

static void print_link(const struct check *check, size_t index)
{
    static const char *const marks[] = {
        [LINK_OK] = "ok", [LINK_BROKEN] = "BROKEN", [LINK_UNKNOWN] = "?"
    };
    FILE *out = check->cmd->out;
    const struct judged_link *judged = &check->links.items[index];
    fprintf(out, "  %-6s  %.*s", marks[judged->outcome],
            STR_ARG(check->opened.survey.model.links.items[judged->first].key));
    if (judged->outcome == LINK_BROKEN)
        fprintf(out, "  %s\n          %.*s", cause_code(judged->cause), STR_ARG(judged->text));
    else if (judged->outcome == LINK_UNKNOWN)
        fprintf(out, "  %.*s", STR_ARG(judged->text));
    else if (judged->breaks_at != INT64_MAX)
        fprintf(out, "  breaks %.*s",
                STR_ARG(clock_relative(&check->cmd->arena, judged->breaks_at, check->at)));
    fputc('\n', out);
}

static void print_links(const struct check *check)
{
    const struct survey *survey = &check->opened.survey;
    for (size_t i = 0; i < check->links.count; i++)
        print_link(check, i);
    for (size_t i = 0; i < survey->unseen.count; i++)
        fprintf(check->cmd->out, "  ?       %.*s->%.*s  " UNSEEN "\n",
                STR_ARG(survey->unseen.items[i]->from), STR_ARG(survey->unseen.items[i]->to));
}

/* A finding that planning cannot mend comes first, then one that says that it is being mended. */
static str next_of(const struct check *check)
{
    const finding_list *findings = &check->opened.survey.findings;
    str next = cmd_line(check->cmd, "plan");
    for (size_t i = 0; i < findings->count; i++) {
        if (findings->items[i].next.len > 0 && findings->items[i].severity == SEVERITY_CRITICAL)
            return findings->items[i].next;
        if (findings->items[i].code == FINDING_waiting)
            next = findings->items[i].next;
    }
    return next;
}

static void print_text(const struct check *check)
{
    FILE *out = check->cmd->out;
    size_t broken = 0, critical = 0;
    for (size_t i = 0; i < check->links.count; i++)
        broken += check->links.items[i].outcome == LINK_BROKEN;
    for (size_t i = 0; i < check->opened.survey.findings.count; i++)
        critical += check->opened.survey.findings.items[i].severity == SEVERITY_CRITICAL;
    fprintf(out, "%.*s: %s at %.*s: %zu of %zu links broken",
            STR_ARG(check->opened.survey.cluster->name), status_names[check->status],
            STR_ARG(clock_format(&check->cmd->arena, check->at)), broken, check->links.count);
    if (broken == 0 && critical > 0)
        fprintf(out, ", and %zu critical %s", critical, critical == 1 ? "finding" : "findings");
    fputs("\n\n", out);
    print_links(check);
    for (size_t i = 0; i < check->opened.survey.findings.count; i++) {
        const struct finding *finding = &check->opened.survey.findings.items[i];
        fprintf(out, "%s  %-8s  %.*s: %.*s\n", i == 0 ? "\nfindings:\n" : "",
                severity_name(finding->severity), STR_ARG(finding->where), STR_ARG(finding->text));
    }
    if (check->status != STATUS_OK)
        fprintf(out, "\nnext: %.*s\n", STR_ARG(next_of(check)));
}

/* ---- what an apply waits for ---- */

static const struct step *step_of(const struct approved *plan, str id)
{
    for (size_t i = 0; i < plan->steps.count; i++)
        if (str_eq(plan->steps.items[i].id, id))
            return &plan->steps.items[i];
    return NULL;
}

/* What came already is not waited for: the next run takes it. */
static void note_wait(struct check *check, const struct approved *plan,
                      const struct journal_standing *standing, bool here)
{
    struct arena *arena = &check->cmd->arena;
    const struct step *step = step_of(plan, standing->step);
    if (step == NULL)
        return;
    const char *next = here ? "renew" : step->kind == STEP_issue ? "issuer list" : "history";
    str where = step->node.len == 0
                    ? check->opened.cluster.name
                    : str_printf(arena, "%.*s/%.*s", STR_ARG(step->node),
                                 STR_ARG(step->store.len > 0 ? step->store : step->service));
    finding_add(arena, &check->opened.survey.findings, FINDING_waiting, where,
                str_printf(arena,
                           here ? "what it waits for since %.*s is here: %.*s"
                                : "waits since %.*s for %.*s",
                           STR_ARG(clock_format(arena, standing->since)),
                           STR_ARG(standing->evidence)))
        ->next = cmd_line(check->cmd, "%s", next);
}

/* Whoever looks may not be who renews: where the journal is not theirs to read, nothing is said. */
static bool note_waits(struct check *check, struct err *err)
{
    AUTO(journal) struct journal *journal = NULL;
    struct cmd *cmd = check->cmd;
    struct journal_apply apply;
    struct approved plan;
    journal_standing_list standings;
    str_list delivered;
    str state;
    bool found;
    AUTO(err) struct err none = { 0 };
    if (!state_place(&cmd->arena, cmd->global.state, &state, &none) ||
        access(io_join(&cmd->arena, state, S("journal.sqlite")).ptr, R_OK | W_OK) < 0)
        return true;
    if (!journal_open(state, &journal, err) ||
        !journal_unfinished(&cmd->arena, journal,
                            hold_cluster_id(&cmd->arena, &check->opened.cluster), &found, &apply,
                            err))
        return false;
    if (!found)
        return true;
    if (!approved_parse(&cmd->arena, apply.plan, &plan, err) ||
        !journal_standings(&cmd->arena, journal, apply.id, &standings, err) ||
        !requests_delivered(cmd, &check->opened.cluster, &delivered, err))
        return false;
    /* What is still to be done by somebody comes last, and is what to do next. */
    for (int here = 1; here >= 0; here--)
        for (size_t i = 0; i < standings.count; i++)
            if (standings.items[i].state == JOURNAL_WAITING &&
                str_list_has(&delivered, standings.items[i].step) == here)
                note_wait(check, &plan, &standings.items[i], here);
    return true;
}

int check_cluster(struct cmd *cmd, int64_t at, bool offline, struct err *err)
{
    struct check check = { .cmd = cmd, .at = at != 0 ? at : clock_now(), .now = at == 0 };
    if (!open_cluster(cmd, &check.opened.cluster, err))
        return EXIT_UNKNOWN;
    bool looked = open_survey(cmd, check.at, offline, &check.opened, err);
    if (looked)
        judge_all(&check, check.now && !offline);
    fleet_close(&check.opened.fleet);
    if (!looked)
        return EXIT_UNKNOWN;
    AUTO(err) struct err unread = { 0 };
    if (!note_waits(&check, &unread))
        fprintf(stderr, "note: %s\n", unread.msg);
    check.status = worst(&check);
    if (cmd->global.json)
        print_json(&check);
    else
        print_text(&check);
    static const int codes[] = {
        [STATUS_OK] = EXIT_OK, [STATUS_WARNING] = EXIT_FAILED, [STATUS_CRITICAL] = 2
    };
    return codes[check.status];
}
