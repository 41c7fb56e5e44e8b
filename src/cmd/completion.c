/* SPDX-License-Identifier: Apache-2.0 */
/*
 * completion.c - shell completion. Each shell gets the same rows, one per command path:
 * what its next word may be, and a small function that looks the row up.
 */
#include "cmd/cmd.h"

#include <string.h>

struct shell {
    const char *name;
    const char *head, *tail; /* around the rows */
    void (*row)(FILE *out, const char *path, const struct command *command);
};

static bool has_option(const struct option *table, const char *name)
{
    for (; table != NULL && table->name != NULL; table++)
        if (strcmp(table->name, name) == 0)
            return true;
    return false;
}

/* The options of a table, without those that `hidden_by` has under the same name. */
static void print_flags(FILE *out, const struct option *option, const struct option *hidden_by)
{
    for (; option != NULL && option->name != NULL; option++) {
        if (has_option(hidden_by, option->name))
            continue;
        fprintf(out, " --%s", option->name);
        if (option->letter != 0)
            fprintf(out, " -%c", option->letter);
    }
}

static void print_choices(FILE *out, const struct option *option)
{
    for (str rest = str_c(option->choices); rest.len > 0;) {
        str choice = str_cut(&rest, '|');
        fprintf(out, " %.*s", STR_ARG(choice));
    }
}

static void print_names(FILE *out, const struct command *const *table)
{
    for (; table != NULL && *table != NULL; table++)
        if (!(*table)->hidden)
            fprintf(out, " %s", (*table)->name);
}

/* "'lab up') choices=' --nodes --state' ;;": the shells' `case` is the same. */
static void case_row(FILE *out, const char *path, const struct command *command)
{
    fprintf(out, "        '%s') choices='", path);
    print_names(out, command == NULL ? commands : command->subcommands);
    const struct option *own = command == NULL ? NULL : command->options;
    print_flags(out, own, NULL);
    print_flags(out, global_option_rows, own);
    fputs("' ;;\n", out);
}

/* "'lab up --state') choices=' healthy expired'": only the options whose values are known. */
static void case_values(FILE *out, const char *path, const struct option *option)
{
    for (; option != NULL && option->name != NULL; option++) {
        if (option->kind != OPTION_CHOICE)
            continue;
        fprintf(out, "        '%s --%s') choices='", path, option->name);
        print_choices(out, option);
        fputs("' ;;\n", out);
    }
}

static void case_options(FILE *out, const char *path, const struct command *command)
{
    case_row(out, path, command);
    if (command != NULL)
        case_values(out, path, command->options);
}

/* fish quotes with '...' too, with \' and \\ inside. */
static void fish_text(FILE *out, const char *text)
{
    fputs(" -d '", out);
    for (; *text != '\0'; text++) {
        if (*text == '\'' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputs("'", out);
}

static void fish_options(FILE *out, const char *condition, const struct option *option)
{
    for (; option != NULL && option->name != NULL; option++) {
        fprintf(out, "complete -c reseal%s -l %s", condition, option->name);
        if (option->letter != 0)
            fprintf(out, " -s %c", option->letter);
        if (option->kind == OPTION_FILE || option->kind == OPTION_DIR)
            fputs(" -rF", out);
        else if (option->kind != OPTION_FLAG)
            fputs(" -x", out);
        if (option->kind == OPTION_CHOICE) {
            fputs(" -a '", out);
            print_choices(out, option);
            fputs("'", out);
        }
        fish_text(out, option->help);
        fputc('\n', out);
    }
}

static void fish_row(FILE *out, const char *path, const struct command *command)
{
    AUTO(arena) struct arena arena = { 0 };
    const char *condition = str_printf(&arena, " -n '__reseal_at \"%s\"'", path).ptr;
    const struct command *const *table = command == NULL ? commands : command->subcommands;
    for (; table != NULL && *table != NULL; table++) {
        if ((*table)->hidden)
            continue;
        fprintf(out, "complete -c reseal -f%s -a %s", condition, (*table)->name);
        fish_text(out, (*table)->summary);
        fputc('\n', out);
    }
    fish_options(out, command == NULL ? "" : condition,
                 command == NULL ? global_option_rows : command->options);
}

// clang-format off
/* The chain is what was typed before the cursor, without options: as far as it names a command. */
#define LOOK_UP \
    "    local chain= choices= word\n" \
    "    for word in $typed; do\n" \
    "        case $word in -*) continue ;; esac\n" \
    "        __reseal_words \"${chain:+$chain }$word\" && chain=\"${chain:+$chain }$word\"\n" \
    "    done\n" \
    "    __reseal_words \"$chain $previous\" || __reseal_words \"$chain\"\n"

#define CASE_HEAD \
    "__reseal_words() {\n" \
    "    case $1 in\n"
#define CASE_TAIL \
    "        *) return 1 ;;\n" \
    "    esac\n" \
    "}\n\n"

static const struct shell shells[] = {
    { "bash",
      "# bash completion for reseal, made by `reseal generate completion bash`.\n" CASE_HEAD,
      CASE_TAIL
      "_reseal() {\n"
      "    local typed=\"${COMP_WORDS[*]:1:COMP_CWORD-1}\" previous=${COMP_WORDS[COMP_CWORD-1]}\n"
      LOOK_UP
      "    COMPREPLY=($(compgen -W \"$choices\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
      "}\n"
      "complete -o default -F _reseal reseal\n",
      case_options },
    { "zsh",
      "#compdef reseal\n"
      "# zsh completion for reseal, made by `reseal generate completion zsh`.\n" CASE_HEAD,
      CASE_TAIL
      "_reseal() {\n"
      "    setopt localoptions shwordsplit\n"
      "    local seen=\"${words[2,CURRENT-1]}\"\n"
      "    local typed=$seen previous=${words[CURRENT-1]}\n"
      LOOK_UP
      "    compadd -- $choices\n"
      "    _files\n"
      "}\n"
      "compdef _reseal reseal\n",
      case_options },
    { "fish",
      "# fish completion for reseal, made by `reseal generate completion fish`.\n"
      "function __reseal_at\n"
      "    set -l typed (string match -v -- '-*' (commandline -opc)[2..-1])\n"
      "    test \"$argv[1]\" = \"$typed\"\n"
      "    or begin\n"
      "        test -n \"$argv[1]\"\n"
      "        and string match -q -- \"$argv[1] *\" \"$typed \"\n"
      "    end\n"
      "end\n",
      "",
      fish_row },
};
// clang-format on

struct rows {
    FILE *out;
    const struct shell *shell;
};

static void print_row(void *context, const struct called *called)
{
    struct rows *rows = context;
    rows->shell->row(rows->out, called->path, called->command);
}

bool completion_print(FILE *out, const char *name, struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    for (size_t i = 0; i < COUNT(shells); i++) {
        if (strcmp(shells[i].name, name) != 0)
            continue;
        struct rows rows = { out, &shells[i] };
        fputs(shells[i].head, out);
        shells[i].row(out, "", NULL);
        commands_each(&arena, print_row, &rows);
        fputs(shells[i].tail, out);
        return true;
    }
    return err_set(err, ERR_USAGE, "no completion for %s, only for bash, zsh and fish", name);
}
