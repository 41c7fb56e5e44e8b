/* SPDX-License-Identifier: Apache-2.0 */
/* manual.c - the commands as documentation: one Markdown page, and manual pages in mdoc. */
#include "base/io.h"
#include "cmd/cmd.h"

#include <ctype.h>
#include <stdlib.h>

static void markdown_options(FILE *out, const struct option *option)
{
    for (; option != NULL && option->name != NULL; option++) {
        const char *value = option_value(option);
        fputs("- `", out);
        if (option->letter != 0)
            fprintf(out, "-%c, ", option->letter);
        fprintf(out, "--%s%s%s`: %s\n", option->name, value == NULL ? "" : " ",
                value == NULL ? "" : value, option->help);
    }
}

static void markdown_command(void *context, const struct called *called)
{
    FILE *out = context;
    const struct command *command = called->command;
    fprintf(out, "\n### `reseal %s`\n\n%c%s.\n\n```\nreseal %s%s%s%s\n```\n", called->path,
            toupper((unsigned char)command->summary[0]), command->summary + 1, called->path,
            command->options == NULL ? "" : " [OPTIONS]",
            command->arguments == NULL || command->arguments[0] == '\0' ? "" : " ",
            command->arguments == NULL ? "" : command->arguments);
    if (command->description != NULL)
        fprintf(out, "\n%s\n", command->description);
    if (command->options != NULL)
        fputs("\n", out);
    markdown_options(out, command->options);
    if (command->examples == NULL)
        return;
    fputs("\nExamples:\n\n```\n", out);
    str line = { 0 };
    for (str rest = str_c(command->examples); help_next_line(&rest, &line);)
        fprintf(out, "%.*s\n", STR_ARG(line));
    fputs("```\n", out);
}

void manual_markdown(FILE *out)
{
    AUTO(arena) struct arena arena = { 0 };
    fputs("# Commands\n\nOne paragraph per row of the command tables in `src/cmd/`; `make docs` "
          "writes this page.\n\n## Options of every command\n\n",
          out);
    markdown_options(out, global_option_rows);
    fputs("\n## The commands\n", out);
    commands_each(&arena, markdown_command, out);
}

/* One manual page under construction. */
struct page {
    struct arena *arena;
    struct buf text;
};

/* A line of text: mdoc takes one that starts with a dot or a quote for a macro. */
static void add_line(struct page *page, str line)
{
    if (str_starts(line, S(".")) || str_starts(line, S("'")))
        buf_add(page->arena, &page->text, S("\\&"));
    for (size_t i = 0; i < line.len; i++)
        buf_add(page->arena, &page->text,
                line.ptr[i] == '\\' ? S("\\e") : (str){ line.ptr + i, 1 });
    buf_add(page->arena, &page->text, S("\n"));
}

/* In mdoc each sentence begins a line. */
static void add_sentences(struct page *page, str line)
{
    size_t end;
    while ((end = str_find(line, S(". "))) < line.len) {
        add_line(page, (str){ line.ptr, end + 1 });
        line = (str){ line.ptr + end + 2, line.len - end - 2 };
    }
    add_line(page, line);
}

/* An empty line of a text is a new paragraph; elsewhere, mdoc has no empty lines. */
static void add_text(struct page *page, const char *text)
{
    str line = { 0 };
    for (str rest = str_c(text); help_next_line(&rest, &line);) {
        if (line.len == 0)
            buf_add(page->arena, &page->text, S(".Pp\n"));
        else
            add_sentences(page, line);
    }
}

static void add_literal(struct page *page, const char *text)
{
    buf_add(page->arena, &page->text, S(".Bd -literal -offset indent\n"));
    str line = { 0 };
    for (str rest = str_c(text); help_next_line(&rest, &line);)
        add_line(page, line);
    buf_add(page->arena, &page->text, S(".Ed\n"));
}

/* An option as the arguments of a macro: "Fl v , Fl -verbose". */
static void add_flags(struct page *page, const struct option *option)
{
    const char *value = option_value(option);
    if (option->letter != 0)
        buf_printf(page->arena, &page->text, " Fl %c ,", option->letter);
    buf_printf(page->arena, &page->text, " Fl -%s", option->name);
    if (value != NULL)
        buf_printf(page->arena, &page->text, " Ar \"%s\"", value);
    buf_add(page->arena, &page->text, S("\n"));
}

static void add_options(struct page *page, const struct option *option)
{
    if (option == NULL || option->name == NULL)
        return;
    buf_add(page->arena, &page->text, S(".Bl -tag -width Ds\n"));
    for (; option->name != NULL; option++) {
        buf_add(page->arena, &page->text, S(".It"));
        add_flags(page, option);
        buf_printf(page->arena, &page->text, "%c%s.\n", toupper((unsigned char)option->help[0]),
                   option->help + 1);
    }
    buf_add(page->arena, &page->text, S(".El\n"));
}

static void add_synopsis(struct page *page, const struct called *called)
{
    const struct command *command = called->command;
    buf_printf(page->arena, &page->text, ".Sh SYNOPSIS\n.Nm reseal %s\n", called->path);
    for (const struct option *row = command->options; row != NULL && row->name != NULL; row++) {
        buf_add(page->arena, &page->text, S(".Op"));
        add_flags(page, row);
    }
    if (command->arguments != NULL && command->arguments[0] != '\0')
        buf_printf(page->arena, &page->text, ".Ar \"%s\"\n", command->arguments);
}

static str page_name(struct arena *arena, const char *path)
{
    struct buf name = { 0 };
    buf_add(arena, &name, S("reseal"));
    for (str rest = str_c(path); rest.len > 0;) {
        buf_add(arena, &name, S("-"));
        buf_add(arena, &name, str_cut(&rest, ' '));
    }
    return buf_str(&name);
}

/* The date of the pages is that of this file's wording: two builds give the same bytes. */
static void add_head(struct page *page, str name, const char *summary)
{
    buf_add(page->arena, &page->text,
            S(".\\\" Made by `reseal generate man`.\n.Dd November 24, 2026\n.Dt "));
    for (size_t i = 0; i < name.len; i++)
        buf_printf(page->arena, &page->text, "%c", toupper((unsigned char)name.ptr[i]));
    buf_printf(page->arena, &page->text, " 1\n.Os\n.Sh NAME\n.Nm %s\n.Nd %s\n", name.ptr, summary);
}

static void add_exits(struct page *page)
{
    buf_add(page->arena, &page->text,
            S(".Sh EXIT STATUS\n.Bl -tag -width Ds\n"
              ".It 0\nDone, or healthy.\n"
              ".It 1\nFailed; for\n.Cm check :\nwarning.\n"
              ".It 2\nWrong usage; for\n.Cm check :\ncritical.\n"
              ".It 3\nCould not tell; for\n.Cm check\nalso wrong usage.\n.El\n"));
}

/* All pages of one run go to one folder; the first error is kept and ends the writing. */
struct pages {
    struct arena arena;
    str dir;
    struct buf list; /* of the program's own page */
    struct err *err;
    bool failed;
};

static void write_page(struct pages *pages, str name, const struct page *page)
{
    if (pages->failed)
        return;
    str path = io_join(&pages->arena, pages->dir, str_printf(&pages->arena, "%s.1", name.ptr));
    struct io_owner owner = { (uid_t)-1, (gid_t)-1, 0644 };
    pages->failed = !io_replace(path.ptr, buf_str(&page->text), owner, pages->err);
}

static void write_command(void *context, const struct called *called)
{
    struct pages *pages = context;
    const struct command *command = called->command;
    struct page page = { .arena = &pages->arena };
    str name = page_name(&pages->arena, called->path);
    add_head(&page, name, command->summary);
    add_synopsis(&page, called);
    buf_add(page.arena, &page.text, S(".Sh DESCRIPTION\n"));
    add_text(&page, command->description != NULL ? command->description : command->summary);
    for (const struct command *const *sub = command->subcommands; sub && *sub; sub++)
        buf_printf(page.arena, &page.text, ".Pp\n.Xr %s-%s 1 :\n%s.\n", name.ptr, (*sub)->name,
                   (*sub)->summary);
    if (command->options != NULL && command->options->name != NULL)
        buf_add(page.arena, &page.text, S(".Pp\nThe options are:\n"));
    add_options(&page, command->options);
    add_exits(&page);
    if (command->examples != NULL) {
        buf_add(page.arena, &page.text, S(".Sh EXAMPLES\n"));
        add_literal(&page, command->examples);
    }
    buf_add(page.arena, &page.text, S(".Sh SEE ALSO\n.Xr reseal 1\n"));
    write_page(pages, name, &page);
    buf_printf(&pages->arena, &pages->list, ".It Xr %s 1\n%s.\n", name.ptr, command->summary);
}

bool manual_write(const char *dir, struct err *err)
{
    struct pages pages = { .dir = str_c(dir), .err = err };
    if (!io_make_dirs(dir, 0755, err))
        return false;
    commands_each(&pages.arena, write_command, &pages);
    struct page page = { .arena = &pages.arena };
    add_head(&page, S("reseal"), "plan and apply for the certificates of a cluster");
    buf_add(page.arena, &page.text,
            S(".Sh SYNOPSIS\n.Nm reseal\n.Op Ar options\n.Ar command\n.Op Ar argument ...\n"
              ".Sh DESCRIPTION\n.Nm\nreads the certificates of a cluster and says which "
              "connections they break.\nThe options of every command are:\n"));
    add_options(&page, global_option_rows);
    buf_add(page.arena, &page.text, S(".Pp\nThe commands are:\n.Bl -tag -width Ds\n"));
    buf_add(page.arena, &page.text, buf_str(&pages.list));
    buf_add(page.arena, &page.text, S(".El\n"));
    add_exits(&page);
    write_page(&pages, S("reseal"), &page);
    arena_free(&pages.arena);
    return !pages.failed;
}
