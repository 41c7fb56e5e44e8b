/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd.h - a command is a row: name, help, options, and the function that runs it.
 *
 * main() finds the row, takes the options out of the arguments, runs the command and prints the
 * error, if there is one, once. Each command is one file, src/cmd/NAME.c, with one public symbol,
 * `command_NAME`; commands.c lists them in the order of the help.
 */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include "base/emit.h"
#include "cmd/option.h"

#include <stdio.h>

/* Exit codes (design, section 6). */
enum {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_WRONG_USAGE = 2, /* for `check`: critical */
    EXIT_UNKNOWN = 3,     /* could not tell; for `check` also wrong usage */
    EXIT_HAS_STEPS = 10   /* plan */
};

/* The options that every command takes. */
struct global_options {
    const char *file;  /* -f: the cluster file; NULL: the usual places */
    const char *state; /* --state: NULL: the usual place */
    bool json, help, version, no_color, verbose;
};
extern const struct option global_option_rows[];

/* One run of one command. */
struct cmd {
    struct arena arena;  /* everything of this run */
    const char *program; /* as it was called: what a user types next starts with it */
    struct global_options global;
    word_list words; /* positional arguments, the command's own name taken off */
    void *options;   /* the command's own struct */
    FILE *out;       /* standard output */
    size_t width;    /* of a line on it */
    bool color;
    bool answered; /* with --json: its document was begun */
};

/* Begin the one document of --json. A command that fails before it does prints one with the error.
 */
struct emit cmd_emit(struct cmd *cmd);

struct command {
    const char *name;
    const char *arguments; /* "WHAT...", for the usage line */
    const char *summary;   /* one line, for the list of commands */
    const char *description;
    const char *examples;         /* lines to paste; NULL when there are none */
    const struct option *options; /* ended by a row without a name; NULL when there are none */
    size_t options_size;          /* of the struct that they write to */
    const struct command *const *subcommands; /* ended by NULL; then `run` is not used */
    size_t words_min, words_max;
    bool hidden;
    int usage_exit; /* for wrong usage, where it is not EXIT_WRONG_USAGE */
    /* Returns the exit code; on false kinds of failure sets `err`, which main prints. */
    int (*run)(struct cmd *cmd, struct err *err);
};
#define ANY_WORDS SIZE_MAX

extern const struct command *const commands[]; /* ended by NULL */

/* A pasteable command line: the program as called, `-f FILE` and `--state DIR` if they were given,
   then what `fmt` says. */
str cmd_line(struct cmd *cmd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Run the program. Returns its exit code. */
int cmd_main(int argc, const char *const *argv);

/* A command and how it is called: "lab up". Without a command: the program itself. */
struct called {
    const struct command *command;
    const char *path;
};

/* Take the words that name a command, and its subcommand if one is given, off the front. */
MUST_CHECK bool cmd_find(struct arena *arena, word_list *words, struct called *ret,
                         struct err *err);

/* Every command that is not hidden, each followed by its subcommands: what documentation and
   completion are made from. Paths live in `arena`. */
typedef void command_visit(void *context, const struct called *called);
void commands_each(struct arena *arena, command_visit *visit, void *context);

/* The help of a command, or of the program. `program` is how the reader called it. */
void help_print(FILE *out, const char *program, const struct called *called);

/* One line of a text at a time, without the blanks before it; false at the end. */
bool help_next_line(str *rest, str *ret_line);

/* What stands for an option's value, "ca|full" or "DIR"; NULL for a flag. */
const char *option_value(const struct option *option);

/* Pages made from the tables: manual.c and completion.c. */
void manual_markdown(FILE *out);
MUST_CHECK bool manual_write(const char *dir, struct err *err);
MUST_CHECK bool completion_print(FILE *out, const char *shell, struct err *err);

#endif
