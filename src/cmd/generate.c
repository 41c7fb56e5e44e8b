/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commands.h"

#include "cause/catalogue.h"
#include "cluster/schema.h"

#include <string.h>

/* Documentation from the tables: what `make docs` writes into docs/. */

static void print_causes(FILE *out)
{
    fputs("# Causes\n\nWhy a handshake fails. One paragraph per row of "
          "`src/cause/catalogue.h`; `make docs` writes this page.\n",
          out);
    for (int cause = CAUSE_none + 1; cause < CAUSE_COUNT; cause++) {
        const struct cause_row *row = cause_row((enum cause)cause);
        fprintf(out, "\n### `%s`\n\n**%s**: %s.\n\n- How to confirm: %s.\n- What to do: %s.\n",
                row->code, row->title, row->meaning, row->confirm, row->remedy);
    }
}

static int upper(char c)
{
    return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c;
}

static void print_findings(FILE *out)
{
    fputs("# Findings\n\nWhat someone must act on. One paragraph per row of "
          "`src/cause/catalogue.h`; `make docs` writes this page.\n",
          out);
    for (int code = 0; code < FINDING_COUNT; code++) {
        const struct finding_row *row = finding_row((enum finding_code)code);
        const char *cause = cause_code(row->cause);
        fprintf(out, "\n### `%s`\n\nSeverity: %s. %c%s.", row->code, severity_name(row->severity),
                upper(row->meaning[0]), row->meaning + 1);
        if (cause != NULL)
            fprintf(out, " Leads to [`%s`](causes.md#%s).", cause, cause);
        fputc('\n', out);
    }
}

static bool do_causes(struct cmd *cmd, const char *argument, struct err *err)
{
    (void)argument;
    (void)err;
    print_causes(cmd->out);
    return true;
}

static bool do_findings(struct cmd *cmd, const char *argument, struct err *err)
{
    (void)argument;
    (void)err;
    print_findings(cmd->out);
    return true;
}

static bool do_commands(struct cmd *cmd, const char *argument, struct err *err)
{
    (void)argument;
    (void)err;
    manual_markdown(cmd->out);
    return true;
}

static bool do_cluster(struct cmd *cmd, const char *argument, struct err *err)
{
    (void)argument;
    (void)err;
    AUTO(arena) struct arena arena = { 0 };
    fprintf(cmd->out, "%.*s", STR_ARG(schema_page(&arena)));
    return true;
}

static bool do_schema(struct cmd *cmd, const char *argument, struct err *err)
{
    (void)argument;
    (void)err;
    struct emit emit = { .out = cmd->out };
    schema_emit(&emit);
    return true;
}

static bool do_man(struct cmd *cmd, const char *argument, struct err *err)
{
    (void)cmd;
    return manual_write(argument, err);
}

static bool do_completion(struct cmd *cmd, const char *argument, struct err *err)
{
    return completion_print(cmd->out, argument, err);
}

static const struct page {
    const char *name;
    const char *argument; /* NULL: it takes none */
    bool (*make)(struct cmd *cmd, const char *argument, struct err *err);
} pages[] = {
    {"causes",      NULL,            do_causes    },
    { "findings",   NULL,            do_findings  },
    { "commands",   NULL,            do_commands  },
    { "cluster",    NULL,            do_cluster   },
    { "schema",     NULL,            do_schema    },
    { "man",        "DIR",           do_man       },
    { "completion", "bash|zsh|fish", do_completion},
};

static bool make(struct cmd *cmd, struct err *err)
{
    const char *name = cmd->words.items[0];
    const char *argument = cmd->words.count > 1 ? cmd->words.items[1] : NULL;
    for (size_t i = 0; i < COUNT(pages); i++) {
        if (strcmp(pages[i].name, name) != 0)
            continue;
        if (argument == NULL && pages[i].argument != NULL)
            return err_set(err, ERR_USAGE, "generate %s needs %s", name, pages[i].argument);
        if (argument != NULL && pages[i].argument == NULL)
            return err_set(err, ERR_USAGE, "generate %s: too many arguments", name);
        return pages[i].make(cmd, argument, err);
    }
    return err_set(err, ERR_USAGE, "no page %s", name);
}

static int run(struct cmd *cmd, struct err *err)
{
    if (make(cmd, err))
        return EXIT_OK;
    if (err->kind != ERR_USAGE)
        return EXIT_FAILED;
    err_next(err, "%s generate --help", cmd->program);
    return EXIT_WRONG_USAGE;
}

const struct command command_generate = {
    .name = "generate",
    .arguments = "PAGE|man DIR|completion SHELL",
    .summary = "print what comes from the program's tables: documentation, completion",
    .description =
        "PAGE is causes, findings, commands, cluster (the cluster file) or schema (its JSON\n"
        "Schema); `make docs` writes them into docs/.\n"
        "man DIR writes the manual pages; SHELL is bash, zsh or fish.",
    .examples =
        "reseal generate completion bash >~/.local/share/bash-completion/completions/reseal",
    .words_min = 1,
    .words_max = 2,
    .hidden = true,
    .run = run,
};
