/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commands.h"

const char *option_value(const struct option *option)
{
    return option->kind == OPTION_CHOICE ? option->choices : option->argument;
}

bool help_next_line(str *rest, str *ret_line)
{
    if (rest->len == 0)
        return false;
    *ret_line = str_cut(rest, '\n');
    while (str_starts(*ret_line, S(" ")))
        *ret_line = (str){ ret_line->ptr + 1, ret_line->len - 1 };
    return true;
}

static void print_option(FILE *out, const struct option *option)
{
    AUTO(arena) struct arena arena = { 0 };
    str letter = option->letter == 0 ? S("    ") : str_printf(&arena, "-%c, ", option->letter);
    const char *value = option_value(option);
    str name = str_printf(&arena, "%.*s--%s%s%s", STR_ARG(letter), option->name,
                          value == NULL ? "" : " ", value == NULL ? "" : value);
    fprintf(out, "  %-30.*s%s%s\n", STR_ARG(name), name.len > 28 ? "  " : "", option->help);
}

static void print_options(FILE *out, const char *title, const struct option *table)
{
    if (table == NULL || table->name == NULL)
        return;
    fprintf(out, "\n%s:\n", title);
    for (; table->name != NULL; table++)
        print_option(out, table);
}

static void print_commands(FILE *out, const struct command *const *table)
{
    for (; *table != NULL; table++)
        if (!(*table)->hidden)
            fprintf(out, "  %-10s %s\n", (*table)->name, (*table)->summary);
}

static void help_command(FILE *out, const struct command *command, const char *path)
{
    fprintf(out, "usage: reseal %s%s%s%s\n\n%s\n", path, command->options ? " [OPTIONS]" : "",
            command->arguments ? " " : "", command->arguments ? command->arguments : "",
            command->description ? command->description : command->summary);
    if (command->subcommands != NULL) {
        fputs("\ncommands:\n", out);
        print_commands(out, command->subcommands);
    }
    print_options(out, "options", command->options);
    print_options(out, "options of every command", global_option_rows);
    if (command->examples == NULL)
        return;
    fputs("\nexamples:\n", out);
    str line = { 0 };
    for (str rest = str_c(command->examples); help_next_line(&rest, &line);)
        fprintf(out, "  %.*s\n", STR_ARG(line));
}

static void help_program(FILE *out, const char *program)
{
    fputs("reseal: plan and apply for the certificates of a cluster, with a doctor built in\n\n"
          "try first:\n",
          out);
    fprintf(out, "  %s inspect FILE         what is in a certificate or key file\n", program);
    fprintf(out, "  %s check HOST:PORT      what is wrong with a TLS endpoint\n", program);
    fprintf(out, "  %s lab up postgresql    a practice cluster on this machine\n", program);
    fputs("\ncommands:\n", out);
    print_commands(out, commands);
    print_options(out, "options of every command", global_option_rows);
    fprintf(out, "\n`%s COMMAND --help` says more.\n", program);
}

void help_print(FILE *out, const char *program, const struct called *called)
{
    if (called->command == NULL)
        help_program(out, program);
    else
        help_command(out, called->command, called->path);
}

static int run(struct cmd *cmd, struct err *err)
{
    struct called called = { 0 };
    bool found = cmd_find(&cmd->arena, &cmd->words, &called, err);
    if (found && cmd->words.count == 0) {
        help_print(cmd->out, cmd->program, &called);
        return EXIT_OK;
    }
    if (found)
        err_set(err, ERR_USAGE, "%s has no command %s", called.path, cmd->words.items[0]);
    err_next(err, "%s help%s%s", cmd->program, called.path ? " " : "",
             called.path ? called.path : "");
    return EXIT_WRONG_USAGE;
}

const struct command command_help = {
    .name = "help",
    .arguments = "[COMMAND [SUBCOMMAND]]",
    .summary = "the help of a command",
    .description = "What `COMMAND --help` prints; alone, the list of commands.",
    .examples = "reseal help lab up",
    .words_max = 2,
    .run = run,
};
