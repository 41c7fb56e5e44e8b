/* SPDX-License-Identifier: Apache-2.0 */
/* schema.h - every key of the cluster file, once: its type, place, default and documentation. */
#ifndef CLUSTER_SCHEMA_H
#define CLUSTER_SCHEMA_H

#include "base/emit.h"
#include "cluster/cluster.h"

enum field_kind {
    FIELD_STRING,     /* str */
    FIELD_PATH,       /* str, absolute once parsed */
    FIELD_CHOICE,     /* str, one of `choices` */
    FIELD_REACH,      /* str, "local" or an address (ssh.h) */
    FIELD_DURATION,   /* int64_t, seconds */
    FIELD_NUMBER,     /* uint64_t, at most `max` */
    FIELD_DESCRIPTOR, /* int, -1 when absent */
    FIELD_STRINGS,    /* str_list */
    FIELD_SECTION,    /* the section's struct */
    FIELD_SECTIONS,   /* LIST of it, a YAML sequence */
    FIELD_MAP,        /* LIST of it, a YAML mapping from name (the struct's first member) */
};

struct field {
    const char *key;
    enum field_kind kind;
    size_t offset;
    const char *doc;
    const struct section *section;
    const char *choices;  /* "a|b|c" */
    const char *fallback; /* as it would be written in the file */
    uint64_t max;
    bool required;
};

/* What a section has when its first key, which is a choice, says `choice`. Keys with | between. */
struct variant {
    const char *choice;
    const char *needs; /* must be there */
    const char *lacks; /* mean nothing then */
};

struct section {
    const char *name;
    size_t size;
    const struct field *fields;
    size_t count;
    size_t line; /* offset of its `int line`, 0 for none */
    bool always; /* has its defaults even when the file does not name it */
    bool one_of; /* has exactly one of its keys */
    bool listed; /* in a FIELD_MAP by "node/service": its only field's list stands for it */
    const struct variant *variants; /* ended by a row without a choice; NULL: there are none */
};

extern const struct section cluster_section, issuer_section, node_section;

/* Whether `object` is a node whose paths are not this machine's. */
bool section_is_elsewhere(const struct section *section, const void *object);

/* Any LIST, as the walkers of the table see it. */
struct any_list {
    void *items;
    size_t count, cap;
};
struct any_list field_list(const void *object, const struct field *field);
void *list_item(const struct field *field, struct any_list list, size_t i);
void *field_add(struct arena *arena, void *object, const struct field *field);

bool field_is_default(const void *object, const struct field *field);
bool choice_valid(const char *choices, str value);

/* `section` and all below it, each once, where it is first met. */
typedef LIST(const struct section *) section_list;
void schema_sections(struct arena *arena, const struct section *section, section_list *list);

/* The table as a JSON Schema (draft 2020-12): for what the parser takes of a file's shape, not for
   where its names lead. */
void schema_emit(struct emit *emit);

/* The table as a page of Markdown. */
str schema_page(struct arena *arena);

#endif
