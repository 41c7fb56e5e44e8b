/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/random/document.h"

static const char *const act_names[ACT_COUNT] = {
#define ACT_NAME(id) [ACT_##id] = #id,
    ACTS(ACT_NAME)
#undef ACT_NAME
};

static bool problem(struct doc *doc, const char *what, str subject)
{
    doc->problem = str_printf(doc->arena, "%s: \"%.*s\"", what, STR_ARG(subject));
    return false;
}

static str text_of(const json_t *row, const char *name)
{
    return str_c(json_string_value(json_object_get(row, name)));
}

static bool read_act(str name, enum act *ret_act)
{
    for (int act = 0; act < ACT_COUNT; act++)
        if (str_eq(name, str_c(act_names[act]))) {
            *ret_act = (enum act)act;
            return true;
        }
    return false;
}

static bool is_node(int node, str name)
{
    AUTO(arena) struct arena scratch = { 0 };
    return str_eq(str_printf(&scratch, "n%d", node + 1), name);
}

static void find_parts(const struct doc *doc, const json_t *row, struct doc_step *step)
{
    const struct gen_cluster *cluster = doc->cluster;
    str node = text_of(row, "node"), store = text_of(row, "store"), name = text_of(row, "service");
    step->service = step->identity = step->store = NONE;
    for (int i = 0; i < cluster->services; i++)
        if (is_node(cluster->service[i].node, node) &&
            str_eq(str_c(cluster->service[i].name), name))
            step->service = i;
    for (int i = 0; i < cluster->identities; i++)
        if (is_node(cluster->service[cluster->identity[i].service].node, node) &&
            str_eq(str_c(cluster->identity[i].store), store))
            step->identity = i;
    for (int i = 0; i < cluster->stores; i++)
        if (is_node(cluster->store[i].node, node) && str_eq(str_c(cluster->store[i].name), store))
            step->store = i;
}

/* "sha256:…" or "new:…" */
static uint32_t find_cert(const struct doc *doc, str name)
{
    if (str_starts(name, S("sha256:")))
        return pool_find(doc->pool, (str){ name.ptr + 7, name.len - 7 });
    if (!str_starts(name, S("new:")))
        return NO_CERT;
    str id = { name.ptr + 4, name.len - 4 };
    for (size_t i = 0; i < doc->steps.count; i++)
        if (doc->steps.items[i].act == ACT_issue && str_eq(doc->steps.items[i].id, id))
            return doc->steps.items[i].cert;
    return NO_CERT;
}

static bool issue(struct doc *doc, struct doc_step *step)
{
    const struct gen_goal *goal = &doc->cluster->goal;
    if (step->identity == NONE || doc->cluster->identity[step->identity].stored.count == 0)
        return problem(doc, "a certificate is issued for no identity", step->text);
    uint32_t old = doc->cluster->identity[step->identity].stored.ids[0];
    step->cert = pool_reissue(doc->pool, old, goal->issuer, step->new_key, goal->lifetime);
    return true;
}

static bool has_what_it_needs(const struct doc_step *step)
{
    switch (step->act) {
    case ACT_snapshot:
        return step->identity != NONE || step->store != NONE;
    case ACT_issue:
        return step->identity != NONE;
    case ACT_trust:
    case ACT_distrust:
        return step->store != NONE && step->cert != NO_CERT;
    case ACT_install:
    case ACT_switch:
        return step->identity != NONE && step->cert != NO_CERT;
    case ACT_hold:
        return step->cert != NO_CERT;
    case ACT_refresh:
    case ACT_verify:
        return step->service != NONE;
    case ACT_COUNT:
        break;
    }
    return false;
}

static int find_link(const struct doc *doc, str key)
{
    AUTO(arena) struct arena scratch = { 0 };
    for (int i = 0; i < doc->cluster->links; i++)
        if (str_eq(link_key(&scratch, doc->cluster, i), key))
            return i;
    return NONE;
}

static bool read_links(struct doc *doc, const json_t *array, int_list *ret_links)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        str key = str_c(json_string_value(json_array_get(array, i)));
        int link = find_link(doc, key);
        if (link == NONE)
            return problem(doc, "no link is known by this key", key);
        list_push(doc->arena, ret_links) = link;
    }
    return true;
}

static bool read_step(struct doc *doc, const json_t *row)
{
    struct doc_step step = { .id = text_of(row, "id"),
                             .leaves = text_of(row, "leaves"),
                             .text = text_of(row, "text"),
                             .new_key = json_is_true(json_object_get(row, "new_key")),
                             .in_place = json_is_true(json_object_get(row, "in_place")) };
    if (!read_act(text_of(row, "kind"), &step.act))
        return problem(doc, "a kind of step that nobody knows", text_of(row, "kind"));
    find_parts(doc, row, &step);
    if (step.act == ACT_issue && !issue(doc, &step))
        return false;
    if (step.act != ACT_issue)
        step.cert = find_cert(doc, text_of(row, "certificate"));
    if (!read_links(doc, json_object_get(row, "outage"), &step.outage) ||
        !read_links(doc, json_object_get(row, "refused"), &step.refused))
        return false;
    if (!has_what_it_needs(&step))
        return problem(doc, "a step on something that is not there", step.text);
    list_push(doc->arena, &doc->steps) = step;
    return true;
}

static int find_step(const struct doc *doc, str id)
{
    for (size_t i = 0; i < doc->steps.count; i++)
        if (str_eq(doc->steps.items[i].id, id))
            return (int)i;
    return NONE;
}

static bool read_wave(struct doc *doc, const json_t *row)
{
    struct doc_wave wave = { .changes = json_object_get(row, "changes") };
    const json_t *ids = json_object_get(row, "steps");
    for (size_t i = 0; i < json_array_size(ids); i++) {
        str id = str_c(json_string_value(json_array_get(ids, i)));
        int step = find_step(doc, id);
        if (step == NONE)
            return problem(doc, "a wave has a step that is not listed", id);
        list_push(doc->arena, &wave.steps) = step;
        const struct doc_step *row_of = &doc->steps.items[step];
        for (size_t k = 0; k < row_of->refused.count; k++)
            list_push(doc->arena, &wave.refused) = row_of->refused.items[k];
    }
    if (!read_links(doc, json_object_get(row, "broken"), &wave.broken))
        return false;
    list_push(doc->arena, &doc->waves) = wave;
    return true;
}

static bool read_proof(struct doc *doc, const json_t *proof)
{
    const json_t *waves = json_object_get(proof, "waves");
    const json_t *unrepaired = json_object_get(proof, "unrepaired");
    doc->proven = json_is_true(json_object_get(proof, "proven"));
    if (!read_links(doc, unrepaired, &doc->unrepaired))
        return false;
    for (size_t i = 0; i < json_array_size(waves); i++)
        if (!read_wave(doc, json_array_get(waves, i)))
            return false;
    return true;
}

/* Each step is in one wave. */
static bool all_placed(struct doc *doc)
{
    size_t placed = 0;
    for (size_t i = 0; i < doc->waves.count; i++)
        placed += doc->waves.items[i].steps.count;
    return placed == doc->steps.count || problem(doc, "a step is in no wave or in two", S(""));
}

bool doc_read(struct arena *arena, struct pool *pool, const struct gen_cluster *cluster, str text,
              struct doc *ret_doc)
{
    *ret_doc = (struct doc){ .arena = arena, .pool = pool, .cluster = cluster };
    json_error_t error;
    ret_doc->json = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &error);
    if (ret_doc->json == NULL)
        return problem(ret_doc, "not JSON", str_c(error.text));
    const json_t *steps = json_object_get(ret_doc->json, "steps");
    for (size_t i = 0; i < json_array_size(steps); i++)
        if (!read_step(ret_doc, json_array_get(steps, i)))
            return false;
    return read_proof(ret_doc, json_object_get(ret_doc->json, "proof")) && all_placed(ret_doc);
}

void doc_free(struct doc *doc)
{
    json_decref(doc->json);
}

bool doc_certs(const struct doc *doc, const json_t *array, struct gen_certs *ret_certs)
{
    *ret_certs = (struct gen_certs){ 0 };
    for (size_t i = 0; i < json_array_size(array); i++) {
        uint32_t cert = find_cert(doc, str_c(json_string_value(json_array_get(array, i))));
        if (cert == NO_CERT || ret_certs->count == MAX_ANCHORS)
            return false;
        ret_certs->ids[ret_certs->count++] = cert;
    }
    return true;
}

str doc_words(struct arena *arena, const struct doc *doc)
{
    struct buf out = { 0 };
    buf_add(arena, &out, S(""));
    for (size_t i = 0; i < doc->waves.count; i++) {
        const struct doc_wave *wave = &doc->waves.items[i];
        for (size_t k = 0; k < wave->steps.count; k++)
            buf_printf(arena, &out, "  %s %.*s\n",
                       k == 0 ? str_printf(arena, "wave %2zu:", i + 1).ptr : "        ",
                       STR_ARG(doc->steps.items[wave->steps.items[k]].text));
        for (size_t k = 0; k < wave->refused.count; k++)
            buf_printf(arena, &out, "           refuses %.*s\n",
                       STR_ARG(link_key(arena, doc->cluster, wave->refused.items[k])));
    }
    return buf_str(&out);
}
