/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commands.h"

#include "cause/catalogue.h"

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

static const struct page {
    const char *name;
    void (*print)(FILE *out);
} pages[] = {
    {"causes",    print_causes  },
    { "findings", print_findings},
};

static int run(struct cmd *cmd, struct err *err)
{
    for (size_t i = 0; i < COUNT(pages); i++)
        if (strcmp(pages[i].name, cmd->words.items[0]) == 0) {
            pages[i].print(cmd->out);
            return EXIT_OK;
        }
    err_set(err, ERR_USAGE, "no page %s", cmd->words.items[0]);
    err_next(err, "%s generate --help", cmd->program);
    return EXIT_WRONG_USAGE;
}

const struct command command_generate = {
    .name = "generate",
    .arguments = "causes|findings",
    .summary = "print a documentation page that comes from the program's tables",
    .words_min = 1,
    .words_max = 1,
    .hidden = true,
    .run = run,
};
