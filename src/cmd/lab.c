/* SPDX-License-Identifier: Apache-2.0 */
#include "base/emit.h"
#include "cmd/commands.h"
#include "lab/kind.h"

struct up_options {
    int64_t nodes;
    const char *state, *verify, *dir;
};

struct place_options {
    const char *dir;
    bool keep_files;
};

// clang-format off
#define UP(type, member) OPTION_AT(struct up_options, type, member)
#define PLACE(type, member) OPTION_AT(struct place_options, type, member)
static const struct option up_rows[] = {
    { "nodes", 0, OPTION_NUMBER, "N", "how many servers (default 3)", NULL, UP(int64_t, nodes) },
    { "state", 0, OPTION_CHOICE, "STATE", "what is wrong with it (default healthy)", "healthy|expiring|expired|half-renewed", UP(const char *, state) },
    { "verify", 0, OPTION_CHOICE, "HOW", "what PostgreSQL's standbys check of the primary (default full)", "ca|full", UP(const char *, verify) },
    { "dir", 0, OPTION_DIR, "DIR", "where it goes", NULL, UP(const char *, dir) },
    { 0 },
};
static const struct option status_rows[] = {
    { "dir", 0, OPTION_DIR, "DIR", "where the lab is", NULL, PLACE(const char *, dir) },
    { 0 },
};
static const struct option down_rows[] = {
    { "dir", 0, OPTION_DIR, "DIR", "where the lab is", NULL, PLACE(const char *, dir) },
    { "keep-files", 0, OPTION_FLAG, NULL, "end the servers and leave the files", NULL, PLACE(bool, keep_files) },
    { 0 },
};
// clang-format on

/* The kind that a command line names; without a word, NULL. */
static bool find_kind(struct cmd *cmd, const struct lab_kind **ret_kind, struct err *err)
{
    *ret_kind = cmd->words.count == 0 ? NULL : lab_kind_find(str_c(cmd->words.items[0]));
    if (*ret_kind != NULL || cmd->words.count == 0)
        return true;
    err_set(err, ERR_USAGE, "there is no lab for %s", cmd->words.items[0]);
    return err_next(err, "%s lab up %s", cmd->program, lab_kinds[0]->name);
}

static bool find_dir(struct cmd *cmd, const struct lab_kind *kind, const char *given, str *ret_dir,
                     struct err *err)
{
    if (given == NULL)
        return kind != NULL ? lab_default_dir(&cmd->arena, kind, ret_dir, err)
                            : lab_only_dir(&cmd->arena, cmd->program, ret_dir, err);
    *ret_dir = str_c(given);
    return true;
}

static int run_up(struct cmd *cmd, struct err *err)
{
    const struct up_options *given = cmd->options;
    struct lab_options options = { .nodes = (size_t)given->nodes,
                                   .verify_full = !str_eq(str_c(given->verify), S("ca")),
                                   .program = cmd->program };
    struct lab lab;
    if (!find_kind(cmd, &options.kind, err))
        return EXIT_WRONG_USAGE;
    if (given->state != NULL && !lab_state_parse(str_c(given->state), &options.state))
        return err_set(err, ERR_USAGE, "there is no state %s", given->state), EXIT_WRONG_USAGE;
    if (!find_dir(cmd, options.kind, given->dir, &options.dir, err) ||
        !lab_up(&cmd->arena, &options, &lab, err))
        return EXIT_FAILED;
    if (cmd->global.json) {
        struct emit emit = cmd_emit(cmd);
        emit_object(&emit, NULL);
        emit_str(&emit, "dir", lab.dir);
        emit_text(&emit, "state", lab_state_name(lab.state));
        emit_int(&emit, "nodes", (int64_t)lab.count);
        emit_object_end(&emit);
        emit_end(&emit);
        return EXIT_OK;
    }
    fprintf(cmd->out, "%zu %s run in %s (%s)\n", lab.count, lab.kind->servers, lab.dir.ptr,
            lab_state_name(lab.state));
    fprintf(cmd->out, "  look:  %s lab status --dir '%s'\n", cmd->program, lab.dir.ptr);
    fprintf(cmd->out, "  stop:  %s lab down --dir '%s'\n", cmd->program, lab.dir.ptr);
    return EXIT_OK;
}

static void emit_file(struct emit *emit, const struct lab_file *file)
{
    emit_object(emit, NULL);
    emit_str(emit, "path", file->path);
    emit_str(emit, "subject", file->subject);
    emit_moment(emit, "not_before", file->not_before);
    emit_moment(emit, "not_after", file->not_after);
    emit_object_end(emit);
}

static void emit_node(struct emit *emit, const struct lab_node *node,
                      const struct lab_node_status *status)
{
    emit_object(emit, NULL);
    emit_str(emit, "name", node->name);
    emit_text(emit, "role", status->answered && status->role.len > 0 ? status->role.ptr : NULL);
    emit_bool(emit, "running", status->running);
    emit_int(emit, "port", node->port);
    emit_int(emit, "pid", status->running ? node->server.pid : 0);
    emit_text(emit, "receiver", status->receiver.len > 0 ? status->receiver.ptr : NULL);
    emit_text(emit, "trouble", status->why_not.len > 0 ? status->why_not.ptr : NULL);
    emit_array(emit, "streams");
    for (size_t i = 0; i < status->streams.count; i++) {
        emit_object(emit, NULL);
        emit_str(emit, "name", status->streams.items[i].name);
        emit_str(emit, "state", status->streams.items[i].state);
        emit_str(emit, "tls", status->streams.items[i].tls);
        emit_str(emit, "client_serial", status->streams.items[i].certificate);
        emit_object_end(emit);
    }
    emit_array_end(emit);
    emit_array(emit, "certificates");
    for (size_t i = 0; i < status->certificates.count; i++)
        emit_file(emit, &status->certificates.items[i]);
    emit_array_end(emit);
    emit_object_end(emit);
}

static void emit_status(struct cmd *cmd, const struct lab_status *status)
{
    struct emit emit = cmd_emit(cmd);
    emit_object(&emit, NULL);
    emit_str(&emit, "dir", status->lab.dir);
    emit_text(&emit, "state", lab_state_name(status->lab.state));
    emit_bool(&emit, "ready", status->lab.ready);
    emit_array(&emit, "nodes");
    for (size_t i = 0; i < status->lab.count; i++)
        emit_node(&emit, &status->lab.nodes[i], &status->nodes[i]);
    emit_array_end(&emit);
    emit_array(&emit, "app");
    for (size_t i = 0; i < status->app.count; i++)
        emit_file(&emit, &status->app.items[i]);
    emit_array_end(&emit);
    emit_object_end(&emit);
    emit_end(&emit);
}

static void print_file(struct cmd *cmd, const struct lab_file *file)
{
    fprintf(cmd->out, "      %s  %s, ends %s\n", file->path.ptr, file->subject.ptr,
            clock_relative(&cmd->arena, file->not_after, clock_now()).ptr);
}

/* A replica is asked whether it receives. */
static str receiver(struct cmd *cmd, const struct lab_node_status *status)
{
    if (!str_eq(status->role, S("replica")))
        return S("");
    if (status->receiver.len == 0)
        return S(", not streaming");
    return str_printf(&cmd->arena, ", receiver %s", status->receiver.ptr);
}

static void print_node(struct cmd *cmd, const struct lab_node *node,
                       const struct lab_node_status *status)
{
    if (!status->running)
        fprintf(cmd->out, "  %s  not running\n", node->name.ptr);
    else if (!status->answered)
        fprintf(cmd->out, "  %s  port %u, pid %d: %s\n", node->name.ptr, node->port,
                (int)node->server.pid, status->why_not.ptr);
    else
        fprintf(cmd->out, "  %s  %s, port %u, pid %d%s\n", node->name.ptr, status->role.ptr,
                node->port, (int)node->server.pid, receiver(cmd, status).ptr);
    for (size_t i = 0; i < status->streams.count; i++) {
        const struct lab_stream *stream = &status->streams.items[i];
        fprintf(cmd->out, "      to %s: %s, %s\n", stream->name.ptr, stream->state.ptr,
                stream->tls.len > 0 ? stream->tls.ptr : "not encrypted");
    }
    for (size_t i = 0; i < status->certificates.count; i++)
        print_file(cmd, &status->certificates.items[i]);
}

/* Where `status` and `down` look. */
static bool find_place(struct cmd *cmd, str *ret_dir, struct err *err)
{
    const struct place_options *given = cmd->options;
    const struct lab_kind *kind;
    return find_kind(cmd, &kind, err) && find_dir(cmd, kind, given->dir, ret_dir, err);
}

static int run_status(struct cmd *cmd, struct err *err)
{
    struct lab_status status;
    str dir;
    if (!find_place(cmd, &dir, err))
        return EXIT_FAILED;
    if (!lab_status(&cmd->arena, dir, &status, err)) {
        err_next(err, "%s lab up %s", cmd->program, lab_kinds[0]->name);
        return EXIT_FAILED;
    }
    if (cmd->global.json)
        return emit_status(cmd, &status), EXIT_OK;
    fprintf(cmd->out, "%s (made %s%s); certificates as they are on disk\n", status.lab.dir.ptr,
            lab_state_name(status.lab.state), status.lab.ready ? "" : ", never finished");
    for (size_t i = 0; i < status.lab.count; i++)
        print_node(cmd, &status.lab.nodes[i], &status.nodes[i]);
    if (status.app.count > 0)
        fputs("  app  a client\n", cmd->out);
    for (size_t i = 0; i < status.app.count; i++)
        print_file(cmd, &status.app.items[i]);
    return EXIT_OK;
}

static int run_down(struct cmd *cmd, struct err *err)
{
    const struct place_options *given = cmd->options;
    str dir;
    if (!find_place(cmd, &dir, err) || !lab_down(&cmd->arena, dir, given->keep_files, err))
        return EXIT_FAILED;
    if (!cmd->global.json)
        fprintf(cmd->out, "the lab in %.*s is down%s\n", STR_ARG(dir),
                given->keep_files ? ", its files are kept" : " and removed");
    return EXIT_OK;
}

#define KIND_LINE(id, text) "\n- " #id ": " text

static const struct command command_up = {
    .name = "up",
    .arguments = "NAME",
    .summary = "make and start a practice cluster",
    .description = "Real servers on loopback, never as root. NAME is one of\n" LAB_KINDS(KIND_LINE),
    .examples = "reseal lab up postgresql --state expired",
    .options = up_rows,
    .options_size = sizeof(struct up_options),
    .words_min = 1,
    .words_max = 1,
    .run = run_up,
};

static const struct command command_status = {
    .name = "status",
    .arguments = "[NAME]",
    .summary = "what runs, who streams, which certificates are on disk",
    .description = "Asks each server of the lab NAME, of the one in DIR, or of the only one.",
    .options = status_rows,
    .options_size = sizeof(struct place_options),
    .words_max = 1,
    .run = run_status,
};

static const struct command command_down = {
    .name = "down",
    .arguments = "[NAME]",
    .summary = "end the servers and remove the files",
    .description = "Ends only what the lab started, removes only what it made.",
    .options = down_rows,
    .options_size = sizeof(struct place_options),
    .words_max = 1,
    .run = run_down,
};

static const struct command *const subcommands[] = { &command_up, &command_status, &command_down,
                                                     NULL };

const struct command command_lab = {
    .name = "lab",
    .arguments = "up|status|down",
    .summary = "a practice cluster on this machine",
    .description = "Starts a cluster whose certificates are broken in a chosen way.",
    .examples = "reseal lab up postgresql --state expired\nreseal lab status\nreseal lab down",
    .subcommands = subcommands,
};
