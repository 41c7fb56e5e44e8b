/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/schema.h"

#include "tests/test.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static json_t *schema_read(void)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    schema_emit(&(struct emit){ .out = out });
    fclose(out);
    json_error_t error;
    json_t *schema = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (schema == NULL)
        fail_msg("line %d: %s", error.line, error.text);
    free(text);
    return schema;
}

static void check_json(const json_t *got, const char *want)
{
    json_t *wanted = json_loads(want, JSON_DECODE_ANY, NULL);
    char *text = json_dumps(got, JSON_ENCODE_ANY);
    check(wanted != NULL);
    if (!json_equal(got, wanted))
        fail_msg("got %s, want %s", text, want);
    free(text);
    json_decref(wanted);
}

static json_t *property(json_t *schema, const char *section, const char *key)
{
    json_t *defs = json_object_get(schema, "$defs");
    return json_object_get(json_object_get(json_object_get(defs, section), "properties"), key);
}

TEST(each_kind_of_value_in_the_cluster_file_has_its_json_schema)
{
    // clang-format off
    static const struct { const char *section, *key, *want; } cases[] = {
        { "cluster", "cluster", "{'$ref': '#/$defs/text'}" },
        { "issuer", "key", "{'$ref': '#/$defs/path'}" },
        { "policy", "lifetime", "{'$ref': '#/$defs/duration', 'default': '90d'}" },
        { "policy", "key", "{'enum': ['new', 'keep'], 'default': 'new'}" },
        { "policy", "max_unavailable",
          "{'type': 'integer', 'minimum': 0, 'maximum': 100000, 'default': 1}" },
        { "node", "port", "{'type': 'integer', 'minimum': 0, 'maximum': 65535}" },
        { "secret", "descriptor", "{'type': 'integer', 'minimum': 0, 'maximum': 65535}" },
        { "service", "refresh", "{'type': 'array', 'items': {'$ref': '#/$defs/text'}}" },
        { "issuer", "passphrase", "{'$ref': '#/$defs/secret'}" },
        { "cluster", "links", "{'type': 'array', 'items': {'$ref': '#/$defs/link'}}" },
        { "cluster", "pins",
          "{'type': 'object', 'propertyNames': {'pattern': '^.*/.*$'},"
          " 'additionalProperties': {'$ref': '#/$defs/pinned'}}" },
        { "node", "stores",
          "{'type': 'object', 'propertyNames': {'pattern': '^[^/]+$'},"
          " 'additionalProperties': {'$ref': '#/$defs/store'}}" },
    };
    // clang-format on
    json_t *schema = schema_read();
    for (size_t i = 0; i < COUNT(cases); i++) {
        char want[256];
        snprintf(want, sizeof(want), "%s", cases[i].want);
        for (char *at = want; *at != '\0'; at++)
            *at = *at == '\'' ? '"' : *at;
        json_t *got = property(schema, cases[i].section, cases[i].key);
        check(json_string_length(json_object_get(got, "description")) > 0);
        json_object_del(got, "description");
        check_json(got, want);
    }
    json_decref(schema);
}

TEST(a_section_s_json_schema_names_what_it_needs_and_refuses_what_it_does_not_know)
{
    json_t *schema = schema_read(), *defs = json_object_get(schema, "$defs"), *section;
    const char *name;
    json_object_foreach(defs, name, section)
    {
        if (json_object_get(section, "properties") != NULL)
            check(json_is_false(json_object_get(section, "additionalProperties")));
    }
    json_t *link = json_object_get(defs, "link"), *secret = json_object_get(defs, "secret");
    check_json(json_object_get(defs, "pinned"),
               "{\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/pin\"}}");
    check_json(json_object_get(link, "required"), "[\"from\", \"to\"]");
    check(json_object_get(json_object_get(defs, "policy"), "required") == NULL);
    check_json(json_object_get(secret, "minProperties"), "1");
    check_json(json_object_get(secret, "maxProperties"), "1");
    json_decref(schema);
}
