/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/approved.h"

#include "base/io.h"
#include "node/protocol.h"

static bool read_step(struct arena *arena, const json_t *row, struct step *ret_step,
                      struct err *err)
{
    struct step step = { .identity = NO_ID, .trust_store = NO_ID, .new_cert = NO_ID };
    str kind;
    if (!need_text(row, "id", &step.id, err) || !need_text(row, "kind", &kind, err) ||
        !take_text(row, "node", &step.node, err) ||
        !take_text(row, "service", &step.service, err) ||
        !take_text(row, "store", &step.store, err) ||
        !take_text(row, "certificate", &step.certificate, err) ||
        !take_text(row, "expects", &step.expects, err) ||
        !take_text(row, "leaves", &step.leaves, err) || !take_text(row, "text", &step.text, err))
        return false;
    if (!step_kind_parse(kind, &step.kind))
        return err_set(err, ERR_FORMAT, "no step of kind \"%.*s\"", STR_ARG(kind));
    str *const texts[] = { &step.id,          &step.node,    &step.service, &step.store,
                           &step.certificate, &step.expects, &step.leaves,  &step.text };
    for (size_t i = 0; i < COUNT(texts); i++)
        *texts[i] = str_copy(arena, *texts[i]);
    step.new_key = json_is_true(json_object_get(row, "new_key"));
    step.in_place = json_is_true(json_object_get(row, "in_place"));
    *ret_step = step;
    return true;
}

static bool read_options(struct arena *arena, const json_t *json, struct planning_options *options,
                         struct err *err)
{
    static const char *const names[] = { "without", "retire", "replaces" };
    str_list *const lists[] = { &options->without, &options->retire, &options->replaces };
    str since;
    options->renew_all = json_is_true(json_object_get(json, "all"));
    options->keep_key = json_is_true(json_object_get(json, "keep_key"));
    options->replace_others = json_is_true(json_object_get(json, "new_issuer"));
    options->allow_outages = json_is_true(json_object_get(json, "allow_outages"));
    if (json == NULL)
        return true;
    if (!take_text(json, "since", &since, err))
        return false;
    if (since.len > 0 && !clock_parse(since, &options->since))
        return err_set(err, ERR_FORMAT, "\"since\" is not a moment");
    for (size_t i = 0; i < COUNT(names); i++) {
        str_list texts;
        if (!take_texts(arena, json, names[i], &texts, err))
            return false;
        for (size_t k = 0; k < texts.count; k++)
            list_push(arena, lists[i]) = str_copy(arena, texts.items[k]);
    }
    return true;
}

static void read_sources(struct arena *arena, json_t *json, struct approved *approved)
{
    const char *path;
    json_t *digest;
    json_object_foreach(json, path, digest) list_push(arena, &approved->made_from) =
        (struct plan_source){ str_copy(arena, str_c(path)),
                              str_copy(arena, str_c(json_string_value(digest))) };
}

bool approved_parse(struct arena *arena, str document, struct approved *ret_approved,
                    struct err *err)
{
    AUTO(json) json_t *json = NULL;
    struct approved approved = { .document = document };
    str cluster;
    if (!protocol_parse(document, &json, err))
        return false;
    const json_t *steps = json_object_get(json, "steps");
    if (!json_is_array(steps) || !json_is_object(json_object_get(json, "proof")))
        return err_set(err, ERR_FORMAT, "not a plan");
    if (!need_text(json, "cluster", &cluster, err) ||
        !read_options(arena, json_object_get(json, "options"), &approved.options, err))
        return false;
    approved.cluster = str_copy(arena, cluster);
    for (size_t i = 0; i < json_array_size(steps); i++)
        if (!read_step(arena, json_array_get(steps, i), &list_push(arena, &approved.steps), err))
            return err_wrap(err, "step %zu", i + 1);
    read_sources(arena, json_object_get(json, "made_from"), &approved);
    *ret_approved = approved;
    return true;
}

bool approved_read(struct arena *arena, const char *path, struct approved *ret_approved,
                   struct err *err)
{
    str document;
    if (!io_read(arena, path, IO_FILE_MAX, &document, err))
        return false;
    return approved_parse(arena, document, ret_approved, err) || err_wrap(err, "%s", path);
}

bool approved_of(struct planning *planning, struct approved *ret_approved, struct err *err)
{
    str document;
    return planning_text(planning, &document, err) &&
           approved_parse(planning->arena, document, ret_approved, err);
}

bool approved_has(const struct approved *approved, str id)
{
    for (size_t i = 0; i < approved->steps.count; i++)
        if (str_eq(approved->steps.items[i].id, id))
            return true;
    return false;
}
