/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"

#include <stdlib.h>
#include <string.h>

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

static void print_err(const struct err *err)
{
    fprintf(stderr, "reseal: %s\n", err->msg);
    if (err->where != NULL)
        fprintf(stderr, "  at %s\n", err->where);
    if (err->next != NULL)
        fprintf(stderr, "  next: %s\n", err->next);
}

static int usage_exit(const struct command *command)
{
    return command != NULL && command->usage_exit != 0 ? command->usage_exit : EXIT_WRONG_USAGE;
}

/* What was typed, resolved: the row, its path for messages, and how many words named it. */
struct called {
    const struct command *command;
    const char *path;
};

/* The command is the first word; global options may stand before it. */
static bool resolve(struct cmd *cmd, word_list *words, struct called *ret, struct err *err)
{
    const struct command *const *table = commands;
    *ret = (struct called){ 0 };
    do {
        if (words->count == 0)
            return ret->command == NULL || err_set(err, ERR_USAGE, "%s what?", ret->command->name);
        const struct command *found = find_command(table, words->items[0]);
        if (found == NULL)
            return unknown_command(&cmd->arena, table, words->items[0], err);
        ret->path = ret->command == NULL
                        ? found->name
                        : str_printf(&cmd->arena, "%s %s", ret->path, found->name).ptr;
        ret->command = found;
        table = found->subcommands;
        words->items++;
        words->count--;
        words->cap--;
    } while (table != NULL);
    return true;
}

/* The name of the command decides which options there are, and an option's value looks like a
   word: so the command is looked for first, among the words that are no global option. */
static const struct command *peek_command(int argc, const char *const *argv)
{
    const struct command *const *table = commands;
    const struct command *command = NULL;
    for (int i = 0; i < argc && table != NULL; i++) {
        if (strcmp(argv[i], "-f") == 0 || strcmp(argv[i], "--file") == 0 ||
            strcmp(argv[i], "--state") == 0)
            i++;
        else if (argv[i][0] != '-') {
            const struct command *found = find_command(table, argv[i]);
            if (found == NULL)
                break;
            command = found;
            table = found->subcommands;
        }
    }
    return command;
}

static bool check_words(const struct command *command, const char *path, size_t count,
                        struct err *err)
{
    if (count < command->words_min)
        return err_set(err, ERR_USAGE, "%s needs %s", path, command->arguments);
    if (count > command->words_max)
        return err_set(err, ERR_USAGE, "%s: too many arguments", path);
    return true;
}

/* A command's own option wins over a global one of the same name (lab up --state). */
static int run(struct cmd *cmd, int argc, const char *const *argv, struct err *err)
{
    const struct command *peeked = peek_command(argc, argv);
    const struct option *tables[] = { peeked ? peeked->options : NULL, global_option_rows };
    cmd->options = arena_alloc(&cmd->arena, 1, peeked ? peeked->options_size + 1 : 1);
    void *values[] = { cmd->options, &cmd->global };
    struct option_set set = { tables, values, COUNT(tables) };
    struct called called = { 0 };
    bool parsed = options_parse(&cmd->arena, &set, argc, argv, &cmd->words, err);
    if (cmd->global.version)
        return fprintf(cmd->out, "reseal %s\n", RESEAL_VERSION), EXIT_OK;
    if (parsed && cmd->global.help && peeked == NULL)
        return help_program(cmd->out, cmd->program), EXIT_OK;
    if (parsed && cmd->global.help)
        return help_command(cmd->out, peeked, peeked->name), EXIT_OK;
    if (!parsed || !resolve(cmd, &cmd->words, &called, err) ||
        (called.command != NULL &&
         !check_words(called.command, called.path, cmd->words.count, err))) {
        err_next(err, "%s %s%s--help", cmd->program, peeked ? peeked->name : "", peeked ? " " : "");
        return usage_exit(peeked);
    }
    if (called.command == NULL)
        return help_program(cmd->out, cmd->program), EXIT_OK;
    int code = called.command->run(cmd, err);
    return err->kind == ERR_USAGE ? usage_exit(called.command) : code;
}

int cmd_main(int argc, const char *const *argv)
{
    struct cmd cmd = { .program = argc > 0 ? argv[0] : "reseal", .out = stdout };
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
        print_err(&err);
    arena_free(&cmd.arena);
    return code;
}
