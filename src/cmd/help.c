/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"

static void print_option(FILE *out, const struct option *option)
{
    AUTO(arena) struct arena arena = { 0 };
    str letter = option->letter == 0 ? S("    ") : str_printf(&arena, "-%c, ", option->letter);
    const char *value = option->kind == OPTION_CHOICE ? option->choices : option->argument;
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

void help_command(FILE *out, const struct command *command, const char *path)
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
    if (command->examples != NULL)
        fprintf(out, "\nexamples:\n%s\n", command->examples);
}

void help_program(FILE *out, const char *program)
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
