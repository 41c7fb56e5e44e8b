/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/back.h"

#include "apply/approved.h"
#include "node/protocol.h"

enum { ASK_MS = 20 * 1000 };

typedef LIST(uint32_t) id_list;

/* What a snapshot holds, interned. */
static id_list take_certificates(struct survey *survey, const json_t *ders)
{
    id_list ids = { 0 };
    for (size_t i = 0; i < json_array_size(ders); i++) {
        AUTO(err) struct err err = { 0 };
        AUTO(json) json_t *wrapped = json_pack("{s:O}", "der", json_array_get(ders, i));
        struct cert cert;
        str der;
        if (need_bytes(survey->arena, wrapped, "der", &der, &err) &&
            cert_parse(survey->arena, der, &cert, &err))
            list_push(survey->arena, &ids) = model_cert(&survey->model, &cert);
    }
    return ids;
}

static uint32_t chain_of(struct survey *survey, const json_t *row)
{
    id_list ids = take_certificates(survey, json_object_get(row, "chain"));
    return ids.count == 0 ? NO_ID : model_chain(&survey->model, ids.items, ids.count);
}

/* How the apply had changed the store: it is written once for all who read it. */
static const struct step *step_for(const struct approved *applied, str node, str store)
{
    for (size_t i = 0; i < applied->steps.count; i++) {
        const struct step *step = &applied->steps.items[i];
        if (step->kind == STEP_install && str_eq(step->node, node) && str_eq(step->store, store))
            return step;
    }
    return NULL;
}

/* Where the apply gave a certificate to a place that had none, there is nothing to go back to. */
static bool take_identity(struct arena *arena, struct survey *survey,
                          const struct approved *applied, str node, const json_t *row,
                          plan_return_list *returns, struct err *err)
{
    str service = answer_text(arena, row, "service"), store = answer_text(arena, row, "store");
    const struct step *step = step_for(applied, node, store);
    str key = str_printf(arena, "%.*s/%.*s:%.*s", STR_ARG(node), STR_ARG(service), STR_ARG(store));
    struct plan_return back = { .identity = map_get(&survey->model.identity_ids, key),
                                .chain = chain_of(survey, row),
                                .trust_store = NO_ID };
    if (back.identity == NO_ID || step == NULL)
        return true;
    if (back.chain == NO_ID)
        return survey->model.identities.items[back.identity].stored == NO_ID ||
               err_set(err, ERR_REFUSED, "%.*s/%.*s had no certificate before, and would have none",
                       STR_ARG(node), STR_ARG(store));
    back.new_key = step->new_key;
    back.in_place = step->in_place;
    list_push(arena, returns) = back;
    return true;
}

/* The node's trust stores that lost an anchor, which is in no store now but in their snapshots; and
   its changed stores of pins, as an approved pin can be one that was not issued then. */
static json_t *saved_paths(const struct survey *survey, const struct approved *applied, str node)
{
    json_t *paths = json_array();
    for (size_t i = 0; i < survey->model.stores.count; i++) {
        const struct trust_store *store = &survey->model.stores.items[i];
        bool changed = false;
        for (size_t k = 0; k < applied->steps.count; k++) {
            const struct step *step = &applied->steps.items[k];
            bool wanted = step->kind == STEP_distrust || step->kind == STEP_replace ||
                          step_is_of_pins(step->kind);
            changed = changed || (wanted && str_eq(step->node, store->node) &&
                                  str_eq(step->store, store->name));
        }
        if (changed && str_eq(store->node, node))
            json_array_append_new(paths, json_stringn(store->path.ptr, store->path.len));
    }
    return paths;
}

static uint32_t saved_pins(struct arena *arena, struct model *model, const json_t *row)
{
    id_list ids = { 0 };
    const json_t *names = json_object_get(row, "pins");
    for (size_t i = 0; i < json_array_size(names); i++) {
        struct pin pin;
        str name = str_copy(arena, str_c(json_string_value(json_array_get(names, i))));
        if (pin_of_name(name, &pin))
            list_push(arena, &ids) = model_pin(model, pin);
    }
    return model_anchors(model, ids.items, ids.count);
}

/* What one set has and the other has not. */
static void add_difference(struct arena *arena, const struct model *model, uint32_t set,
                           uint32_t other, struct plan_return back, plan_return_list *returns)
{
    size_t count;
    const uint32_t *pins = model_members(model->anchor_sets.items[set], &count);
    for (size_t i = 0; i < count; i++) {
        back.anchor = pins[i];
        if (!model_anchors_have(model, other, pins[i]))
            list_push(arena, returns) = back;
    }
}

/* A store of pins returns to what the snapshot has of it. */
static void take_pins(struct arena *arena, struct survey *survey, str node, const json_t *row,
                      plan_return_list *returns)
{
    struct model *model = &survey->model;
    str path = answer_text(arena, row, "path");
    uint32_t saved = saved_pins(arena, model, row);
    for (uint32_t i = 0; i < model->stores.count; i++) {
        const struct trust_store *store = &model->stores.items[i];
        struct plan_return back = { .identity = NO_ID, .trust_store = i };
        if (store->kind != STORE_PINS || !str_eq(store->node, node) || !str_eq(store->path, path))
            continue;
        add_difference(arena, model, store->anchors, saved, back, returns);
        back.regain = true;
        add_difference(arena, model, saved, store->anchors, back, returns);
    }
}

static bool ask_node(struct arena *arena, struct survey *survey, const struct approved *applied,
                     str node, str snapshot, plan_return_list *returns, struct err *err)
{
    AUTO(json) json_t *answer = NULL;
    AUTO(json)
    json_t *body = json_pack("{s:s%,s:o}", "apply", snapshot.ptr, snapshot.len, "paths",
                             saved_paths(survey, applied, node));
    if (!reach_ask(fleet_reach(survey->fleet, node), "saved", body, ASK_MS, &answer, err))
        return false;
    const json_t *rows = json_object_get(answer, "identities");
    for (size_t i = 0; i < json_array_size(rows); i++)
        if (!take_identity(arena, survey, applied, node, json_array_get(rows, i), returns, err))
            return false;
    rows = json_object_get(answer, "anchors");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        (void)take_certificates(survey, json_object_get(row, "certificates"));
        take_pins(arena, survey, node, row, returns);
    }
    return true;
}

static void take_anchors(struct arena *arena, struct survey *survey, const struct approved *applied,
                         plan_return_list *returns)
{
    for (size_t i = 0; i < applied->steps.count; i++) {
        const struct step *step = &applied->steps.items[i];
        str key = str_printf(arena, "%.*s/%.*s", STR_ARG(step->node), STR_ARG(step->store));
        /* What an anchor took the place of comes back in its place. */
        bool replaced = step->kind == STEP_replace && !str_eq(step->expects, S("absent"));
        str anchor = replaced ? step->expects : step->certificate;
        struct plan_return back = { .identity = NO_ID,
                                    .trust_store = map_get(&survey->model.store_ids, key),
                                    .anchor = model_cert_named(&survey->model, anchor),
                                    .regain = step->kind == STEP_distrust || replaced };
        if (step_is_of_anchors(step->kind) && back.trust_store != NO_ID && back.anchor != NO_ID)
            list_push(arena, returns) = back;
    }
}

bool back_make(struct arena *arena, struct survey *survey, const struct journal_apply *undone,
               struct planning *ret_planning, struct err *err)
{
    const struct cluster *cluster = survey->cluster;
    struct approved applied;
    plan_return_list returns = { 0 };
    if (!approved_parse(arena, undone->plan, &applied, err))
        return err_wrap(err, "the journal's plan of apply %lld", (long long)undone->id);
    for (size_t i = 0; i < cluster->nodes.count; i++)
        if (survey_reached(survey, cluster->nodes.items[i].name) &&
            !ask_node(arena, survey, &applied, cluster->nodes.items[i].name, undone->snapshot,
                      &returns, err))
            return false;
    take_anchors(arena, survey, &applied, &returns);
    *ret_planning =
        (struct planning){ .arena = arena, .survey = survey, .options = applied.options };
    ret_planning->goal = (struct plan_goal){
        .cluster = cluster->name,
        .now = clock_now(),
        .renew_before = cluster->policy.renew_before,
        .lifetime = cluster->policy.lifetime,
        .issuer = NO_ID,
        .max_unavailable = cluster->policy.max_unavailable,
    };
    plan_back(arena, &survey->judge, &ret_planning->goal, &returns, &ret_planning->plan);
    return true;
}

bool back_raw(const struct hold *hold, str snapshot, size_t *ret_count, struct err *err)
{
    AUTO(json)
    json_t *body = json_pack("{s:s%,s:I,s:s%}", "cluster", hold->cluster.ptr, hold->cluster.len,
                             "token", (json_int_t)hold->token, "apply", snapshot.ptr, snapshot.len);
    *ret_count = 0;
    for (size_t i = 0; i < hold->fleet->members.count; i++) {
        AUTO(json) json_t *answer = NULL;
        struct reach *reach = &hold->fleet->members.items[i].reach;
        if (!reach_ask(reach, "restore", body, ASK_MS, &answer, err))
            return false;
        *ret_count += (size_t)json_integer_value(json_object_get(answer, "restored"));
    }
    return true;
}
