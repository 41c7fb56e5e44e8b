/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/check_cluster.h"

#include "cmd/open.h"

enum status { STATUS_OK, STATUS_WARNING, STATUS_CRITICAL };

struct judged_link {
    struct verdict verdict;
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

static bool seen_on_wire(const struct check *check, const struct link *link)
{
    return check->now && link->to < check->opened.survey.seen.count &&
           check->opened.survey.seen.items[link->to];
}

static void judge_all(struct check *check)
{
    struct model *model = &check->opened.survey.model;
    struct judge *judge = &check->opened.survey.judge;
    for (size_t i = 0; i < model->links.count; i++) {
        const struct link *link = &model->links.items[i];
        struct ends ends = check->now ? ends_loaded(model, link) : ends_stored(model, link);
        struct judged_link judged = { .verdict = judge_link(judge, link, ends, check->at) };
        judged.text = verdict_text(&check->cmd->arena, model, link, judged.verdict, check->at);
        judged.breaks_at =
            judged.verdict.ok ? forecast_link(judge, link, ends, check->at) : INT64_MAX;
        list_push(&check->cmd->arena, &check->links) = judged;
    }
}

static enum status worst(const struct check *check)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < check->links.count; i++)
        if (!check->links.items[i].verdict.ok)
            return STATUS_CRITICAL;
    for (size_t i = 0; i < check->opened.survey.findings.count; i++) {
        enum severity severity = check->opened.survey.findings.items[i].severity;
        if (severity == SEVERITY_CRITICAL)
            return STATUS_CRITICAL;
        if (severity == SEVERITY_WARNING)
            status = STATUS_WARNING;
    }
    return status;
}

static const char *const status_names[] = {
    [STATUS_OK] = "ok", [STATUS_WARNING] = "warning", [STATUS_CRITICAL] = "critical"
};

/* The store that holds the certificate at fault, or the empty string. */
static str store_at_fault(const struct check *check, const struct link *link,
                          struct verdict verdict)
{
    const struct model *model = &check->opened.survey.model;
    uint32_t identity = verdict.client_side ? link->client_identity
                                            : model->services.items[link->to].listen_identity;
    if (verdict.ok || identity == NO_ID)
        return S("");
    const struct identity *row = &model->identities.items[identity];
    return str_printf(&check->cmd->arena, "%.*s/%.*s", STR_ARG(row->node), STR_ARG(row->store));
}

static void emit_link(struct emit *emit, const struct check *check, size_t index)
{
    const struct model *model = &check->opened.survey.model;
    const struct link *link = &model->links.items[index];
    const struct judged_link *judged = &check->links.items[index];
    str store = store_at_fault(check, link, judged->verdict);
    emit_object(emit, NULL);
    emit_str(emit, "from", model->services.items[link->from].key);
    emit_str(emit, "to", model->services.items[link->to].key);
    emit_text(emit, "verdict", judged->verdict.ok ? "ok" : "broken");
    emit_text(emit, "cause", cause_code(judged->verdict.cause));
    if (judged->verdict.certificate == NO_ID)
        emit_null(emit, "certificate");
    else
        emit_str(emit, "certificate",
                 str_printf(&check->cmd->arena, "sha256:%.*s",
                            STR_ARG(model->certs.items[judged->verdict.certificate].sha256)));
    emit_text(emit, "store", store.len == 0 ? NULL : store.ptr);
    emit_text(emit, "basis", seen_on_wire(check, link) ? "wire" : "stored");
    if (judged->breaks_at == INT64_MAX)
        emit_null(emit, "breaks_at");
    else
        emit_moment(emit, "breaks_at", judged->breaks_at);
    emit_str(emit, "user", link->user);
    emit_str(emit, "text", judged->text);
    emit_object_end(emit);
}

static void print_json(const struct check *check)
{
    struct emit emit = { .out = check->cmd->out };
    emit_object(&emit, NULL);
    emit_moment(&emit, "at", check->at);
    emit_text(&emit, "status", status_names[check->status]);
    emit_array(&emit, "links");
    for (size_t i = 0; i < check->links.count; i++)
        emit_link(&emit, check, i);
    emit_array_end(&emit);
    findings_emit(&emit, "findings", &check->opened.survey.findings);
    emit_object_end(&emit);
    emit_end(&emit);
}

static void print_links(const struct check *check)
{
    const struct model *model = &check->opened.survey.model;
    FILE *out = check->cmd->out;
    for (size_t i = 0; i < check->links.count; i++) {
        const struct judged_link *judged = &check->links.items[i];
        fprintf(out, "  %-6s  %.*s", judged->verdict.ok ? "ok" : "BROKEN",
                STR_ARG(model->links.items[i].key));
        if (!judged->verdict.ok)
            fprintf(out, "  %s\n          %.*s", cause_code(judged->verdict.cause),
                    STR_ARG(judged->text));
        else if (judged->breaks_at != INT64_MAX)
            fprintf(out, "  breaks %.*s",
                    STR_ARG(clock_relative(&check->cmd->arena, judged->breaks_at, check->at)));
        fputc('\n', out);
    }
}

static void print_text(const struct check *check)
{
    FILE *out = check->cmd->out;
    size_t broken = 0;
    for (size_t i = 0; i < check->links.count; i++)
        broken += !check->links.items[i].verdict.ok;
    fprintf(out, "%.*s: %s at %.*s: %zu of %zu links broken\n\n",
            STR_ARG(check->opened.survey.cluster->name), status_names[check->status],
            STR_ARG(clock_format(&check->cmd->arena, check->at)), broken, check->links.count);
    print_links(check);
    for (size_t i = 0; i < check->opened.survey.findings.count; i++) {
        const struct finding *finding = &check->opened.survey.findings.items[i];
        fprintf(out, "%s  %-8s  %.*s: %.*s\n", i == 0 ? "\nfindings:\n" : "",
                severity_name(finding->severity), STR_ARG(finding->where), STR_ARG(finding->text));
    }
    if (check->status != STATUS_OK)
        fprintf(out, "\nnext: %.*s\n", STR_ARG(cmd_line(check->cmd, "plan")));
}

int check_cluster(struct cmd *cmd, int64_t at, bool offline, struct err *err)
{
    struct check check = { .cmd = cmd, .at = at != 0 ? at : clock_now(), .now = at == 0 };
    if (!open_cluster(cmd, &check.opened.cluster, err))
        return EXIT_UNKNOWN;
    bool looked = open_survey(cmd, offline, &check.opened, err);
    fleet_close(&check.opened.fleet);
    if (!looked)
        return EXIT_UNKNOWN;
    judge_all(&check);
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
