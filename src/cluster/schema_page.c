/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/schema.h"

#include <stdarg.h>

struct page {
    struct arena *arena;
    struct buf text;
};

static const char introduction[] =
    "# The cluster file\n"
    "\n"
    "What reseal must know of a cluster: its machines (*nodes*), the files with keys and\n"
    "certificates on them (*stores*), the programs that use those (*services*), and who connects "
    "to\n"
    "whom (*links*). One section per row of `src/cluster/schema.c`; `make docs` writes this page.\n"
    "\n"
    "The file is YAML; JSON is a part of that. It is `cluster.yaml` in the current folder, then\n"
    "`/etc/reseal/cluster.yaml`, or the one that `-f` names. `reseal discover` writes one for "
    "running\n"
    "PostgreSQL servers. Keys that are not on this page are refused.\n"
    "\n"
    "## An example\n"
    "\n"
    "A database server, of which the driver for PostgreSQL finds the rest, and an application "
    "that\n"
    "connects to it with a certificate of its own:\n"
    "\n"
    "```yaml\n"
    "cluster: orders\n"
    "issuer:\n"
    "  certificate: ca/ca.pem\n"
    "  key: ca/ca.key\n"
    "  passphrase: {file: ca/pass}\n"
    "policy: {renew_before: 30d, lifetime: 90d}\n"
    "nodes:\n"
    "  db1:\n"
    "    system: postgresql\n"
    "    data: /var/lib/postgresql/15/main\n"
    "    config: /etc/postgresql/15/main/postgresql.conf\n"
    "    socket: /var/run/postgresql\n"
    "    port: 5432\n"
    "    run_as: postgres\n"
    "  web1:\n"
    "    stores:\n"
    "      client: {certificate: web1/client.crt, key: web1/client.key}\n"
    "      trust: {certificates: web1/ca.crt}\n"
    "    services:\n"
    "      shop:\n"
    "        identities: [{store: client}]\n"
    "        trust: [trust]\n"
    "        load: {identity: per_connection, trust: per_connection}\n"
    "links:\n"
    "  - {from: web1/shop, to: db1/postgres, name: db1.example, verify: full, user: shop}\n"
    "```\n"
    "\n"
    "An editor that knows JSON Schema completes and checks the file with\n"
    "[cluster.schema.json](cluster.schema.json); with yaml-language-server, a first line says so:\n"
    "`# yaml-language-server: $schema=PATH/cluster.schema.json`. Whether the names in the file "
    "lead\n"
    "somewhere is beyond a schema; `reseal check` says.\n"
    "\n"
    "## Values\n"
    "\n"
    "| type | is |\n"
    "|---|---|\n"
    "| text | one value; quotes are needed only where YAML demands them |\n"
    "| path | a file or folder: absolute, or relative to the folder of the cluster file; of a node "
    "that is reached over ssh: absolute, there; `~` is not expanded |\n"
    "| duration | a whole number and its unit: `s`, `m`, `h`, `d`, `w` or `y` (365 days), such as "
    "`30d` |\n"
    "| reach | `local`, or `ssh://[USER@]HOST[:PORT]` ([ssh.md](ssh.md)) |\n";

__attribute__((format(printf, 2, 3))) static void add(struct page *page, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_add(page->arena, &page->text, str_vprintf(page->arena, fmt, ap));
    va_end(ap);
}

/* "`none`, `ca` or `full`" */
static void add_choices(struct page *page, const char *choices)
{
    for (str rest = str_c(choices); rest.len > 0;) {
        str choice = str_cut(&rest, '|');
        bool last = str_find(rest, S("|")) == rest.len;
        add(page, "`%.*s`%s", STR_ARG(choice), rest.len == 0 ? "" : last ? " or " : ", ");
    }
}

static void add_link(struct page *page, const struct section *section)
{
    add(page, "[%s](#%s)", section->name, section->name);
}

static void add_kind(struct page *page, const struct field *field)
{
    switch (field->kind) {
    case FIELD_STRING:
        add(page, "text");
        return;
    case FIELD_PATH:
        add(page, "[path](#values)");
        return;
    case FIELD_CHOICE:
        add_choices(page, field->choices);
        return;
    case FIELD_REACH:
        add(page, "[reach](#values)");
        return;
    case FIELD_DURATION:
        add(page, "[duration](#values)");
        return;
    case FIELD_NUMBER:
        add(page, "number, at most %llu", (unsigned long long)field->max);
        return;
    case FIELD_DESCRIPTOR:
        add(page, "number");
        return;
    case FIELD_STRINGS:
        add(page, "list of texts");
        return;
    case FIELD_SECTION:
        add_link(page, field->section);
        return;
    case FIELD_SECTIONS:
        add(page, "list of ");
        add_link(page, field->section);
        return;
    case FIELD_MAP:
        add(page, "mapping from a name to ");
        add_link(page, field->section);
        return;
    }
}

static void add_field(struct page *page, const struct field *field)
{
    add(page, "| `%s` | ", field->key);
    add_kind(page, field);
    if (field->required)
        add(page, " | *required*");
    else if (field->fallback != NULL)
        add(page, " | `%s`", field->fallback);
    else
        add(page, " | ");
    add(page, " | %s |\n", field->doc);
}

/* A section is explained by the keys that it is the value of. */
static void add_places(struct page *page, const section_list *sections,
                       const struct section *section)
{
    for (size_t i = 0; i < sections->count; i++)
        for (size_t k = 0; k < sections->items[i]->count; k++) {
            const struct field *field = &sections->items[i]->fields[k];
            if (field->section != section)
                continue;
            add(page, "- `%s` of ", field->key);
            add_link(page, sections->items[i]);
            add(page, ": %s\n", field->doc);
        }
}

static void add_section(struct page *page, const section_list *sections,
                        const struct section *section)
{
    add(page, "\n## %s\n\n", section->name);
    if (section == &cluster_section)
        add(page, "The keys at the top of the file.\n");
    add_places(page, sections, section);
    if (section->one_of)
        add(page, "\nExactly one of:\n");
    if (section->listed) {
        add(page, "\nA list of ");
        add_link(page, section->fields[0].section);
        add(page, ".\n");
        return;
    }
    add(page, "\n| key | type | default | meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; i < section->count; i++)
        add_field(page, &section->fields[i]);
}

str schema_page(struct arena *arena)
{
    struct page page = { .arena = arena };
    section_list sections = { 0 };
    schema_sections(arena, &cluster_section, &sections);
    buf_add(arena, &page.text, str_c(introduction));
    for (size_t i = 0; i < sections.count; i++)
        add_section(&page, &sections, sections.items[i]);
    return buf_str(&page.text);
}
