/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commands.h"

#include "base/io.h"
#include "cmd/check_cluster.h"
#include "tls/endpoint.h"
#include "tls/probe.h"

/* `reseal check`: the whole cluster (check_cluster.c), or one endpoint, judged as the client that
   the options describe. */

#define SYSTEM_TRUST "/etc/ssl/certs/ca-certificates.crt"

struct check_options {
    const char *protocol, *name, *certificate, *key, *trust, *user, *verify;
    int64_t timeout, warn, at;
    bool offline;
};

// clang-format off
#define AT(type, member) OPTION_AT(struct check_options, type, member)
static const struct option options[] = {
    { "protocol", 'p', OPTION_TEXT, "NAME", "how to begin TLS: tls, https, postgresql, mysql, ldap, smtp, imap, pop3, ftp (default: by the port)", NULL, AT(const char *, protocol) },
    { "name", 'n', OPTION_TEXT, "NAME", "the name to send and to verify (default: HOST)", NULL, AT(const char *, name) },
    { "verify", 0, OPTION_CHOICE, "HOW", "what this client verifies (default: full)", "none|ca|full", AT(const char *, verify) },
    { "ca", 0, OPTION_FILE, "FILE", "the anchors that this client trusts (default: the system's)", NULL, AT(const char *, trust) },
    { "cert", 0, OPTION_FILE, "FILE", "the client certificate, with its chain", NULL, AT(const char *, certificate) },
    { "key", 0, OPTION_FILE, "FILE", "its private key (default: in the certificate's file)", NULL, AT(const char *, key) },
    { "user", 'u', OPTION_TEXT, "USER", "who to log in as where the protocol asks (default: by the protocol)", NULL, AT(const char *, user) },
    { "warn", 0, OPTION_DURATION, "TIME", "warn of certificates that end within this (default: 30d)", NULL, AT(int64_t, warn) },
    { "at", 0, OPTION_TIME, "TIME", "judge a cluster at this moment instead of now", NULL, AT(int64_t, at) },
    { "offline", 0, OPTION_FLAG, NULL, "judge a cluster by its stores alone, without connecting", NULL, AT(bool, offline) },
    { "timeout", 0, OPTION_DURATION, "TIME", "for the whole probe (default: 5s)", NULL, AT(int64_t, timeout) },
    { 0 },
};
// clang-format on

enum status { STATUS_OK, STATUS_WARNING, STATUS_CRITICAL, STATUS_UNKNOWN };

struct check {
    struct cmd *cmd;
    const struct check_options *options;
    str target; /* as typed */
    struct probe_request request;
    struct probe_result result;
    finding_list findings;
    moment now;
    enum status status;
};

static bool read_text(struct cmd *cmd, const char *path, str *ret_text, struct err *err)
{
    if (path == NULL)
        return true;
    return io_read(&cmd->arena, path, IO_FILE_MAX, ret_text, err);
}

static enum probe_verify verify_of(const char *name)
{
    str how = str_c(name);
    if (str_eq(how, S("none")))
        return PROBE_VERIFY_NONE;
    return str_eq(how, S("ca")) ? PROBE_VERIFY_CA : PROBE_VERIFY_FULL;
}

static bool make_request(struct check *check, struct endpoint endpoint, struct err *err)
{
    const struct check_options *given = check->options;
    const char *key = given->key != NULL ? given->key : given->certificate;
    check->request = (struct probe_request){
        .host = endpoint.host,
        .port = endpoint.port,
        .protocol =
            str_c(given->protocol != NULL ? given->protocol : endpoint_protocol(endpoint.port)),
        .name = str_c(given->name),
        .user = str_c(given->user),
        .verify = verify_of(given->verify),
        .key_path = str_c(given->certificate == NULL ? NULL : key),
        .timeout_ms = (int)(given->timeout > 3600 ? 3600 : given->timeout) * 1000,
    };
    const char *trust = given->trust != NULL ? given->trust : SYSTEM_TRUST;
    bool needs_trust = check->request.verify != PROBE_VERIFY_NONE;
    if (read_text(check->cmd, needs_trust ? trust : NULL, &check->request.trust_pem, err))
        return read_text(check->cmd, given->certificate, &check->request.certificate_pem, err);
    if (given->trust != NULL)
        return false;
    /* A machine without package ca-certificates. */
    const char *where = check->cmd->words.items[0];
    return err_next(err, "%.*s", STR_ARG(cmd_line(check->cmd, "check %s --ca FILE", where)));
}

static int64_t warn_of(const struct check *check)
{
    return check->options->warn != 0 ? check->options->warn : 30 * 86400;
}

static void find_in_chain(struct check *check)
{
    struct arena *arena = &check->cmd->arena;
    for (size_t i = 0; i < check->result.chain.count; i++) {
        const struct cert *cert = &check->result.chain.items[i];
        bool expired = cert->not_after < check->now;
        if (!expired && cert->not_after - check->now >= warn_of(check))
            continue;
        str when = clock_relative(arena, cert->not_after, check->now);
        str text = str_printf(arena, "%.*s %s %.*s", STR_ARG(cert_label(arena, cert)),
                              expired ? "expired" : "expires", STR_ARG(when));
        finding_add(arena, &check->findings, expired ? FINDING_expired : FINDING_expiring,
                    check->target, text);
    }
}

/* A server that asks for a certificate was asked without one: that is our doing, not a fault. */
static bool only_lacks_identity(const struct check *check)
{
    return check->result.cause == CAUSE_client_cert_missing && check->options->certificate == NULL;
}

static enum status status_of(const struct check *check)
{
    switch (check->result.outcome) {
    case PROBE_UNREACHABLE:
    case PROBE_TIMEOUT:
        return STATUS_UNKNOWN;
    case PROBE_REFUSED_BY_PEER:
        return only_lacks_identity(check) ? STATUS_WARNING : STATUS_CRITICAL;
    case PROBE_REFUSED_BY_US:
    case PROBE_NOT_TLS:
    case PROBE_FAILED:
        return STATUS_CRITICAL;
    case PROBE_ACCEPTED:
        break;
    }
    return check->findings.count > 0 ? STATUS_WARNING : STATUS_OK;
}

static const char *const status_names[] = { [STATUS_OK] = "ok",
                                            [STATUS_WARNING] = "warning",
                                            [STATUS_CRITICAL] = "critical",
                                            [STATUS_UNKNOWN] = "unknown" };

static const char *verdict_name(const struct check *check)
{
    static const char *const names[] = { [STATUS_OK] = "ok",
                                         [STATUS_WARNING] = "warning",
                                         [STATUS_CRITICAL] = "broken",
                                         [STATUS_UNKNOWN] = "unknown" };
    return names[check->status];
}

/* The next thing to type, or the empty string. */
static str next_of(const struct check *check)
{
    struct cmd *cmd = check->cmd;
    if (only_lacks_identity(check))
        return cmd_line(cmd, "check %.*s --cert FILE --key FILE", STR_ARG(check->target));
    if (check->result.cause == CAUSE_issuer_unknown && check->options->trust == NULL)
        return cmd_line(cmd, "check %.*s --ca FILE", STR_ARG(check->target));
    if (check->result.cause == CAUSE_hostname_mismatch)
        return cmd_line(cmd, "check %.*s --name NAME", STR_ARG(check->target));
    if (check->result.outcome == PROBE_NOT_TLS && check->options->protocol == NULL)
        return cmd_line(cmd, "check %.*s --protocol postgresql", STR_ARG(check->target));
    return S("");
}

static moment breaks_at(const struct check *check)
{
    moment first = INT64_MAX;
    for (size_t i = 0; i < check->result.chain.count; i++)
        if (check->result.chain.items[i].not_after < first)
            first = check->result.chain.items[i].not_after;
    return first;
}

static void emit_link(struct emit *emit, const struct check *check)
{
    AUTO(arena) struct arena scratch = { 0 };
    const struct cert *leaf = check->result.chain.count > 0 ? &check->result.chain.items[0] : NULL;
    emit_object(emit, NULL);
    emit_text(emit, "from", "here");
    emit_str(emit, "to", check->target);
    emit_text(emit, "verdict", verdict_name(check));
    emit_text(emit, "cause", cause_code(check->result.cause));
    emit_text(emit, "certificate",
              leaf == NULL ? NULL : str_printf(&scratch, "sha256:%.*s", STR_ARG(leaf->sha256)).ptr);
    emit_null(emit, "store");
    emit_text(emit, "basis", "wire");
    if (check->result.chain.count > 0)
        emit_moment(emit, "breaks_at", breaks_at(check) + 1);
    else
        emit_null(emit, "breaks_at");
    emit_object_end(emit);
}

static void print_json(const struct check *check)
{
    struct emit emit = cmd_emit(check->cmd);
    emit_object(&emit, NULL);
    emit_moment(&emit, "at", check->now);
    emit_text(&emit, "status", status_names[check->status]);
    emit_array(&emit, "links");
    emit_link(&emit, check);
    emit_array_end(&emit);
    findings_emit(&emit, "findings", &check->findings);
    probe_emit(&emit, "probe", &check->result);
    emit_object_end(&emit);
    emit_end(&emit);
}

static void print_chain(const struct check *check)
{
    FILE *out = check->cmd->out;
    struct arena *arena = &check->cmd->arena;
    if (check->result.chain.count == 0)
        return;
    fputs("\npresented, leaf first:\n", out);
    for (size_t i = 0; i < check->result.chain.count; i++) {
        const struct cert *cert = &check->result.chain.items[i];
        str until = clock_format(arena, cert->not_after);
        str when = clock_relative(arena, cert->not_after, check->now);
        fprintf(out, "  %zu  %.*s\n     issued by %.*s\n     until %.*s (%.*s), sha256:%.16s\n", i,
                STR_ARG(cert->subject), STR_ARG(cert->issuer), STR_ARG(until), STR_ARG(when),
                cert->sha256.ptr);
        for (size_t j = 0; i == 0 && j < cert->san.count; j++)
            fprintf(out, "     %s%.*s%s", j == 0 ? "names " : "", STR_ARG(cert->san.items[j]),
                    j + 1 == cert->san.count ? "\n" : "\n           ");
    }
}

static void print_client_authentication(const struct check *check)
{
    FILE *out = check->cmd->out;
    if (!check->result.client_certificate_requested)
        return;
    fputs("\nasks for a client certificate", out);
    fputs(check->result.acceptable_cas.count == 0 ? ", of any issuer\n" : " issued by:\n", out);
    for (size_t i = 0; i < check->result.acceptable_cas.count; i++)
        fprintf(out, "  %.*s\n", STR_ARG(check->result.acceptable_cas.items[i]));
}

static void print_text(const struct check *check)
{
    FILE *out = check->cmd->out;
    const struct cause_row *cause = cause_row(check->result.cause);
    fprintf(out, "%.*s: %s", STR_ARG(check->target), verdict_name(check));
    if (cause != NULL)
        fprintf(out, ": %s (%s)", cause->title, cause->code);
    if (check->result.version.len > 0)
        fprintf(out, ", %.*s", STR_ARG(check->result.version));
    fputc('\n', out);
    if (check->result.text.len > 0)
        fprintf(out, "  %.*s\n", STR_ARG(check->result.text));
    print_chain(check);
    print_client_authentication(check);
    for (size_t i = 0; i < check->findings.count; i++)
        fprintf(out, "%s  %s: %.*s\n", i == 0 ? "\nfindings:\n" : "",
                severity_name(check->findings.items[i].severity),
                STR_ARG(check->findings.items[i].text));
    if (cause != NULL && check->result.outcome != PROBE_ACCEPTED && !only_lacks_identity(check))
        fprintf(out, "\nwhat to do: %s\n", cause->remedy);
    if (next_of(check).len > 0)
        fprintf(out, "next: %.*s\n", STR_ARG(next_of(check)));
}

static int check_endpoint(struct cmd *cmd, struct err *err)
{
    struct endpoint endpoint;
    struct check check = { .cmd = cmd,
                           .options = cmd->options,
                           .target = str_c(cmd->words.items[0]),
                           .now = clock_now() };
    if (!endpoint_parse(check.target, &endpoint)) {
        err_set(err, ERR_USAGE, "%s is not HOST:PORT", cmd->words.items[0]);
        err_next(err, "%s check --help", cmd->program);
        return EXIT_UNKNOWN;
    }
    if (!make_request(&check, endpoint, err) ||
        !probe_run(&cmd->arena, &check.request, &check.result, err))
        return EXIT_UNKNOWN;
    find_in_chain(&check);
    check.status = status_of(&check);
    if (cmd->global.json)
        print_json(&check);
    else
        print_text(&check);
    static const int codes[] = { [STATUS_OK] = EXIT_OK,
                                 [STATUS_WARNING] = EXIT_FAILED,
                                 [STATUS_CRITICAL] = 2,
                                 [STATUS_UNKNOWN] = EXIT_UNKNOWN };
    return codes[check.status];
}

static int run(struct cmd *cmd, struct err *err)
{
    const struct check_options *given = cmd->options;
    return cmd->words.count == 0 ? check_cluster(cmd, given->at, given->offline, err)
                                 : check_endpoint(cmd, err);
}

const struct command command_check = {
    .name = "check",
    .arguments = "[HOST:PORT]",
    .summary = "judge every link of the cluster, or one endpoint",
    .description =
        "Without HOST:PORT: reads the cluster file, finds what its drivers can find, reads every\n"
        "store, looks at what each service presents, and judges every link.\n\n"
        "With HOST:PORT: connects once as the client that the options describe, and says what was "
        "presented,\n"
        "whether this client accepts it, whether it is accepted, and why not.\n\n"
        "Exit: 0 ok, 1 warning, 2 critical, 3 could not tell (also wrong usage).",
    .examples = "  reseal -f cluster.yaml check --at 2027-01-03\n"
                "  reseal check db1.example:5432 --ca ca.pem --cert client.crt --key client.key\n"
                "  reseal check www.example:443 --warn 14d --json",
    .options = options,
    .options_size = sizeof(struct check_options),
    .words_max = 1,
    .usage_exit = EXIT_UNKNOWN,
    .run = run,
};
