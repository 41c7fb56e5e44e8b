/* SPDX-License-Identifier: Apache-2.0 */
/* Covers src/cluster/check.c src/cluster/compose.c src/cluster/format.c src/cluster/merge.c */
/* Covers src/cluster/parse.c src/cluster/schema.c */
/*
 * The cluster file: any bytes give a cluster or an error with its line, within bounded memory. A
 * cluster is written as a file that reads back equal, and takes in what was discovered only once.
 * What was discovered is what follows the line "#+", or the same text again.
 */
#include "cluster/cluster.h"
#include "cluster/schema.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool equal(const struct section *section, const void *a, const void *b);

static bool equal_texts(const str_list *a, const str_list *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = str_eq(a->items[i], b->items[i]);
    return same;
}

static bool equal_many(const struct field *field, const void *a, const void *b)
{
    struct any_list x = field_list(a, field), y = field_list(b, field);
    bool same = x.count == y.count;
    for (size_t i = 0; same && i < x.count; i++) {
        const void *one = list_item(field, x, i), *other = list_item(field, y, i);
        same = equal(field->section, one, other) &&
               (field->kind != FIELD_MAP || str_eq(*(const str *)one, *(const str *)other));
    }
    return same;
}

static bool equal_field(const struct field *field, const void *a, const void *b)
{
    const void *x = (const char *)a + field->offset, *y = (const char *)b + field->offset;
    switch (field->kind) {
    case FIELD_STRING:
    case FIELD_PATH:
    case FIELD_CHOICE:
    case FIELD_REACH:
        return str_eq(*(const str *)x, *(const str *)y);
    case FIELD_DURATION:
        return *(const int64_t *)x == *(const int64_t *)y;
    case FIELD_NUMBER:
        return *(const uint64_t *)x == *(const uint64_t *)y;
    case FIELD_DESCRIPTOR:
        return *(const int *)x == *(const int *)y;
    case FIELD_STRINGS:
        return equal_texts(x, y);
    case FIELD_SECTION:
        return equal(field->section, x, y);
    case FIELD_SECTIONS:
    case FIELD_MAP:
        return equal_many(field, a, b);
    }
    return false;
}

static bool equal(const struct section *section, const void *a, const void *b)
{
    for (size_t i = 0; i < section->count; i++)
        if (!equal_field(&section->fields[i], a, b))
            return false;
    return true;
}

static bool parse(struct arena *arena, str text, bool fragment, struct cluster *ret_cluster)
{
    AUTO(err) struct err err = { 0 };
    bool ok = cluster_parse(arena, "/fuzz/fuzz.yaml", text, fragment, ret_cluster, &err);
    assert(ok == (err.kind == ERR_NONE) && ok == (err.where == NULL));
    return ok;
}

static void write_back(struct arena *arena, const struct cluster *cluster, bool fragment)
{
    struct cluster back;
    assert(parse(arena, cluster_format(arena, cluster), fragment, &back));
    assert(equal(&cluster_section, cluster, &back));
}

static void take_in(struct arena *arena, struct cluster *cluster, str text)
{
    struct cluster discovered;
    if (!parse(arena, text, true, &discovered))
        return;
    cluster_merge(cluster, &discovered);
    str once = cluster_format(arena, cluster);
    cluster_merge(cluster, &discovered);
    assert(str_eq(cluster_format(arena, cluster), once));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const str mark = { "\n#+\n", 4 };
    str text = { (const char *)data, size }, declared = { text.ptr, str_find(text, mark) };
    str discovered = text;
    if (declared.len < text.len)
        discovered = (str){ text.ptr + declared.len + mark.len, size - declared.len - mark.len };
    for (int fragment = 0; fragment < 2; fragment++) {
        AUTO(arena) struct arena arena = { 0 };
        struct cluster cluster;
        if (!parse(&arena, declared, fragment == 1, &cluster))
            continue;
        write_back(&arena, &cluster, fragment == 1);
        take_in(&arena, &cluster, discovered);
    }
    return 0;
}
