/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/schema.h"

enum { DESCRIPTOR_MAX = 65535 };

/* Scalars are text to the parser, so `name: 5` and `name: yes` are texts too; to a reader of YAML
   or JSON they are a number and a boolean. */
static const char *const text_types[] = { "string", "number", "boolean" };

static const struct value_type {
    const char *name, *description, *pattern;
} value_types[] = {
    {"path",      "a file or folder: absolute, or relative to the folder of this file",
     "^[^\\u0000]+$"              },
    { "duration", "a whole number and its unit: s, m, h, d, w or y, such as 30d",
     "^0*[1-9][0-9]{0,7}[smhdwy]$"},
    { "reach",    "local, or the address of a machine for the OpenSSH client",
     "^(local|ssh://([A-Za-z0-9._][A-Za-z0-9._-]*@)?"
      "([A-Za-z0-9._][A-Za-z0-9._-]*|\\[[A-Za-z0-9.:%]+\\])"
      "(:0*(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|"
      "[1-9][0-9]{0,3}))?)$"      },
};

static void emit_ref(struct emit *emit, const char *name)
{
    AUTO(arena) struct arena arena = { 0 };
    emit_str(emit, "$ref", str_printf(&arena, "#/$defs/%s", name));
}

static void emit_type_of(struct emit *emit, const char *member, const char *name)
{
    emit_object(emit, member);
    emit_ref(emit, name);
    emit_object_end(emit);
}

static void emit_integer(struct emit *emit, const struct field *field, uint64_t max)
{
    uint64_t fallback;
    emit_text(emit, "type", "integer");
    emit_int(emit, "minimum", 0);
    emit_int(emit, "maximum", (int64_t)max);
    if (field->fallback != NULL && str_to_u64(str_c(field->fallback), max, &fallback))
        emit_int(emit, "default", (int64_t)fallback);
}

static void emit_choices(struct emit *emit, const char *choices)
{
    emit_array(emit, "enum");
    for (str rest = str_c(choices); rest.len > 0;)
        emit_str(emit, NULL, str_cut(&rest, '|'));
    emit_array_end(emit);
}

static void emit_list_of(struct emit *emit, const char *name)
{
    emit_text(emit, "type", "array");
    emit_type_of(emit, "items", name);
}

static void emit_map_of(struct emit *emit, const struct section *section)
{
    emit_text(emit, "type", "object");
    emit_object(emit, "propertyNames");
    emit_text(emit, "pattern", section->listed ? "^.*/.*$" : "^[^/]+$");
    emit_object_end(emit);
    emit_type_of(emit, "additionalProperties", section->name);
}

static void emit_kind(struct emit *emit, const struct field *field)
{
    switch (field->kind) {
    case FIELD_STRING:
        emit_ref(emit, "text");
        return;
    case FIELD_PATH:
        emit_ref(emit, "path");
        return;
    case FIELD_CHOICE:
        emit_choices(emit, field->choices);
        return;
    case FIELD_REACH:
        emit_ref(emit, "reach");
        return;
    case FIELD_DURATION:
        emit_ref(emit, "duration");
        return;
    case FIELD_NUMBER:
        emit_integer(emit, field, field->max);
        return;
    case FIELD_DESCRIPTOR:
        emit_integer(emit, field, DESCRIPTOR_MAX);
        return;
    case FIELD_STRINGS:
        emit_list_of(emit, "text");
        return;
    case FIELD_SECTION:
        emit_ref(emit, field->section->name);
        return;
    case FIELD_SECTIONS:
        emit_list_of(emit, field->section->name);
        return;
    case FIELD_MAP:
        emit_map_of(emit, field->section);
        return;
    }
}

static void emit_field(struct emit *emit, const struct field *field)
{
    emit_object(emit, field->key);
    emit_text(emit, "description", field->doc);
    emit_kind(emit, field);
    if (field->fallback != NULL && field->kind != FIELD_NUMBER)
        emit_text(emit, "default", field->fallback);
    emit_object_end(emit);
}

static void emit_required(struct emit *emit, const struct section *section)
{
    size_t required = 0;
    for (size_t i = 0; i < section->count; i++)
        required += section->fields[i].required;
    if (required == 0)
        return;
    emit_array(emit, "required");
    for (size_t i = 0; i < section->count; i++)
        if (section->fields[i].required)
            emit_text(emit, NULL, section->fields[i].key);
    emit_array_end(emit);
}

static void emit_keys(struct emit *emit, const char *keys)
{
    emit_array(emit, "required");
    for (str rest = str_c(keys); rest.len > 0;)
        emit_str(emit, NULL, str_cut(&rest, '|'));
    emit_array_end(emit);
}

/* Where the choice is not made its default counts: "if" holds for what is not there. */
static void emit_variant(struct emit *emit, const struct field *choice,
                         const struct variant *variant)
{
    emit_object(emit, NULL);
    emit_object(emit, "if");
    emit_object(emit, "properties");
    emit_object(emit, choice->key);
    emit_text(emit, "const", variant->choice);
    emit_object_end(emit);
    emit_object_end(emit);
    if (choice->fallback == NULL || !str_eq(str_c(choice->fallback), str_c(variant->choice)))
        emit_keys(emit, choice->key);
    emit_object_end(emit);
    emit_object(emit, "then");
    emit_keys(emit, variant->needs);
    emit_object(emit, "properties");
    for (str rest = str_c(variant->lacks); rest.len > 0;) {
        AUTO(arena) struct arena scratch = { 0 };
        emit_bool(emit, str_cstr(&scratch, str_cut(&rest, '|')), false);
    }
    emit_object_end(emit);
    emit_object_end(emit);
    emit_object_end(emit);
}

static void emit_variants(struct emit *emit, const struct section *section)
{
    if (section->variants == NULL)
        return;
    emit_array(emit, "allOf");
    for (const struct variant *variant = section->variants; variant->choice != NULL; variant++)
        emit_variant(emit, &section->fields[0], variant);
    emit_array_end(emit);
}

static void emit_section(struct emit *emit, const struct section *section)
{
    emit_object(emit, section->name);
    if (section->listed) {
        emit_list_of(emit, section->fields[0].section->name);
        emit_object_end(emit);
        return;
    }
    emit_text(emit, "type", "object");
    emit_object(emit, "properties");
    for (size_t i = 0; i < section->count; i++)
        emit_field(emit, &section->fields[i]);
    emit_object_end(emit);
    emit_required(emit, section);
    emit_variants(emit, section);
    emit_bool(emit, "additionalProperties", false);
    if (section->one_of) {
        emit_int(emit, "minProperties", 1);
        emit_int(emit, "maxProperties", 1);
    }
    emit_object_end(emit);
}

static void emit_value_types(struct emit *emit)
{
    emit_object(emit, "text");
    emit_array(emit, "type");
    for (size_t i = 0; i < COUNT(text_types); i++)
        emit_text(emit, NULL, text_types[i]);
    emit_array_end(emit);
    emit_int(emit, "minLength", 1);
    emit_object_end(emit);
    for (size_t i = 0; i < COUNT(value_types); i++) {
        emit_object(emit, value_types[i].name);
        emit_text(emit, "description", value_types[i].description);
        emit_text(emit, "type", "string");
        emit_text(emit, "pattern", value_types[i].pattern);
        emit_object_end(emit);
    }
}

void schema_emit(struct emit *emit)
{
    AUTO(arena) struct arena arena = { 0 };
    section_list sections = { 0 };
    schema_sections(&arena, &cluster_section, &sections);
    emit_object(emit, NULL);
    emit_text(emit, "$schema", "https://json-schema.org/draft/2020-12/schema");
    emit_text(emit, "title", "The cluster file of reseal");
    emit_ref(emit, cluster_section.name);
    emit_object(emit, "$defs");
    emit_value_types(emit);
    for (size_t i = 0; i < sections.count; i++)
        emit_section(emit, sections.items[i]);
    emit_object_end(emit);
    emit_object_end(emit);
    emit_end(emit);
}
