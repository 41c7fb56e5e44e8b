/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

// clang-format off
#define GLOBAL(type, member) OPTION_AT(struct global_options, type, member)
const struct option global_option_rows[] = {
    { "file", 'f', OPTION_FILE, "CLUSTER.yaml", "the cluster file (default ./cluster.yaml, then /etc/reseal/)", NULL, GLOBAL(const char *, file) },
    { "state", 0, OPTION_DIR, "DIR", "where journal and snapshots are kept", NULL, GLOBAL(const char *, state) },
    { "json", 0, OPTION_FLAG, NULL, "one JSON document on standard output", NULL, GLOBAL(bool, json) },
    { "no-color", 0, OPTION_FLAG, NULL, "no colour (also: NO_COLOR in the environment)", NULL, GLOBAL(bool, no_color) },
    { "verbose", 'v', OPTION_FLAG, NULL, "say more about what is done", NULL, GLOBAL(bool, verbose) },
    { "version", 'V', OPTION_FLAG, NULL, "print the version", NULL, GLOBAL(bool, version) },
    { "help", 'h', OPTION_FLAG, NULL, "print this help", NULL, GLOBAL(bool, help) },
    { 0 },
};
// clang-format on

/* A word that a shell would split or expand is quoted, so that the line can be pasted. */
static str shell_word(struct arena *arena, const char *word)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "-_./:=@%+,";
    if (word[0] != '\0' && word[strspn(word, safe)] == '\0')
        return str_c(word);
    struct buf quoted = { 0 };
    buf_add(arena, &quoted, S("'"));
    for (const char *c = word; *c != '\0'; c++)
        buf_add(arena, &quoted, *c == '\'' ? S("'\\''") : (str){ c, 1 });
    buf_add(arena, &quoted, S("'"));
    return buf_str(&quoted);
}

str cmd_line(struct cmd *cmd, const char *fmt, ...)
{
    struct buf line = { 0 };
    buf_add(&cmd->arena, &line, shell_word(&cmd->arena, cmd->program));
    if (cmd->global.file != NULL)
        buf_printf(&cmd->arena, &line, " -f %s", shell_word(&cmd->arena, cmd->global.file).ptr);
    if (cmd->global.state != NULL)
        buf_printf(&cmd->arena, &line, " --state %s",
                   shell_word(&cmd->arena, cmd->global.state).ptr);
    va_list ap;
    va_start(ap, fmt);
    buf_printf(&cmd->arena, &line, " %s", str_vprintf(&cmd->arena, fmt, ap).ptr);
    va_end(ap);
    return buf_str(&line);
}

static const struct command *find_command(const struct command *const *table, const char *name)
{
    for (; *table != NULL; table++)
        if (strcmp((*table)->name, name) == 0)
            return *table;
    return NULL;
}

static bool unknown_command(struct arena *arena, const struct command *const *table,
                            const char *name, struct err *err)
{
    LIST(const char *) names = { 0 };
    for (; *table != NULL; table++)
        if (!(*table)->hidden)
            list_push(arena, &names) = (*table)->name;
    const char *nearest = str_nearest(str_c(name), names.items, names.count);
    if (nearest != NULL)
        return err_set(err, ERR_USAGE, "unknown command %s, did you mean %s?", name, nearest);
    return err_set(err, ERR_USAGE, "unknown command %s", name);
}

/* Layers that do not know how the program was called say "reseal …"; what is printed can be pasted.
 */
static str pasteable(struct cmd *cmd, str next)
{
    str name = S("reseal ");
    if (!str_starts(next, name))
        return next;
    str program = shell_word(&cmd->arena, cmd->program);
    return str_printf(&cmd->arena, "%.*s %.*s", STR_ARG(program), (int)(next.len - name.len),
                      next.ptr + name.len);
}

struct emit cmd_emit(struct cmd *cmd)
{
    cmd->answered = true;
    return (struct emit){ .out = cmd->out };
}

/* Who reads a document has one to read, whatever happened. */
static void emit_err(struct cmd *cmd, const struct err *err)
{
    struct emit emit = cmd_emit(cmd);
    str next = pasteable(cmd, str_c(err->next));
    emit_object(&emit, NULL);
    emit_text(&emit, "error", err->msg);
    emit_text(&emit, "where", err->where);
    emit_text(&emit, "next", err->next == NULL ? NULL : next.ptr);
    emit_object_end(&emit);
    emit_end(&emit);
}

static void print_err(struct cmd *cmd, const struct err *err)
{
    if (cmd->global.json && !cmd->answered)
        emit_err(cmd, err);
    fprintf(stderr, "reseal: %s\n", err->msg);
    if (err->where != NULL)
        fprintf(stderr, "  at %s\n", err->where);
    if (err->next != NULL)
        fprintf(stderr, "  next: %.*s\n", STR_ARG(pasteable(cmd, str_c(err->next))));
}

static int usage_exit(const struct command *command)
{
    return command != NULL && command->usage_exit != 0 ? command->usage_exit : EXIT_WRONG_USAGE;
}

static const char *join_path(struct arena *arena, const char *path, const char *name)
{
    return path == NULL ? name : str_printf(arena, "%s %s", path, name).ptr;
}

bool cmd_find(struct arena *arena, word_list *words, struct called *ret, struct err *err)
{
    const struct command *const *table = commands;
    *ret = (struct called){ 0 };
    while (table != NULL && words->count > 0) {
        const struct command *found = find_command(table, words->items[0]);
        if (found == NULL)
            return unknown_command(arena, table, words->items[0], err);
        *ret = (struct called){ found, join_path(arena, ret->path, found->name) };
        table = found->subcommands;
        words->items++;
        words->count--;
        words->cap--;
    }
    return true;
}

/* The name of the command decides which options there are, and an option's value looks like a
   word: so the command is looked for first, among the words that are no global option. */
static struct called peek_command(struct arena *arena, int argc, const char *const *argv)
{
    const struct command *const *table = commands;
    struct called called = { 0 };
    for (int i = 0; i < argc && table != NULL; i++) {
        if (strcmp(argv[i], "-f") == 0 || strcmp(argv[i], "--file") == 0 ||
            strcmp(argv[i], "--state") == 0)
            i++;
        else if (argv[i][0] != '-') {
            const struct command *found = find_command(table, argv[i]);
            if (found == NULL)
                break;
            called = (struct called){ found, join_path(arena, called.path, found->name) };
            table = found->subcommands;
        }
    }
    return called;
}

static bool check_words(const struct called *called, size_t count, struct err *err)
{
    if (called->command->subcommands != NULL)
        return err_set(err, ERR_USAGE, "%s what?", called->path);
    if (count < called->command->words_min)
        return err_set(err, ERR_USAGE, "%s needs %s", called->path, called->command->arguments);
    if (count > called->command->words_max)
        return err_set(err, ERR_USAGE, "%s: too many arguments", called->path);
    return true;
}

static void each_of(struct arena *arena, const struct command *const *table, const char *path,
                    command_visit *visit, void *context)
{
    for (; *table != NULL; table++) {
        if ((*table)->hidden)
            continue;
        struct called called = { *table, join_path(arena, path, (*table)->name) };
        visit(context, &called);
        if ((*table)->subcommands != NULL)
            each_of(arena, (*table)->subcommands, called.path, visit, context);
    }
}

void commands_each(struct arena *arena, command_visit *visit, void *context)
{
    each_of(arena, commands, NULL, visit, context);
}

/* What --version, --help and an empty command line print; false: there is a command to run. */
static bool answer_globals(struct cmd *cmd, const struct called *peeked)
{
    if (cmd->global.version)
        fprintf(cmd->out, "reseal %s\n", RESEAL_VERSION);
    else if (cmd->global.help || cmd->words.count == 0)
        help_print(cmd->out, cmd->program, peeked);
    else
        return false;
    return true;
}

/* A command's own option wins over a global one of the same name (lab up --state). */
static int run(struct cmd *cmd, int argc, const char *const *argv, struct err *err)
{
    struct called peeked = peek_command(&cmd->arena, argc, argv), called = { 0 };
    const struct command *known = peeked.command;
    const struct option *tables[] = { known ? known->options : NULL, global_option_rows };
    cmd->options = arena_alloc(&cmd->arena, 1, known ? known->options_size + 1 : 1);
    void *values[] = { cmd->options, &cmd->global };
    struct option_set set = { tables, values, COUNT(tables) };
    bool parsed = options_parse(&cmd->arena, &set, argc, argv, &cmd->words, err);
    if (parsed && answer_globals(cmd, &peeked))
        return EXIT_OK;
    if (!parsed || !cmd_find(&cmd->arena, &cmd->words, &called, err) ||
        !check_words(&called, cmd->words.count, err)) {
        err_next(err, "%s %s%s--help", cmd->program, known ? peeked.path : "", known ? " " : "");
        return usage_exit(known);
    }
    int code = called.command->run(cmd, err);
    return err->kind == ERR_USAGE ? usage_exit(called.command) : code;
}

enum { WIDTH_MIN = 60, WIDTH_USUAL = 100 };

/* A terminal's own; what goes into a file or a pipe is as wide as people read well. */
static size_t width_of(int fd)
{
    struct winsize size;
    if (isatty(fd) != 1 || ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return WIDTH_USUAL;
    return size.ws_col < WIDTH_MIN ? WIDTH_MIN : size.ws_col;
}

int cmd_main(int argc, const char *const *argv)
{
    struct cmd cmd = { .program = argc > 0 ? argv[0] : "reseal",
                       .out = stdout,
                       .width = width_of(STDOUT_FILENO) };
    AUTO(err) struct err err = { 0 };
    const char *no_color = getenv("NO_COLOR");
    cmd.color = isatty(STDOUT_FILENO) == 1 && (no_color == NULL || no_color[0] == '\0');
    for (int i = 1; i < argc; i++)
        cmd.color = cmd.color && strcmp(argv[i], "--no-color") != 0;
    int code = run(&cmd, argc - 1, argv + 1, &err);
    if (fflush(stdout) != 0 && err.kind == ERR_NONE) {
        (void)err_errno(&err, "standard output");
        code = EXIT_FAILED;
    }
    if (err.kind != ERR_NONE)
        print_err(&cmd, &err);
    arena_free(&cmd.arena);
    return code;
}
