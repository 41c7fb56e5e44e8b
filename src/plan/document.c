/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/plan.h"

#include "plan/state.h"

/* The plan as a document: enough for a checker that knows nothing of reseal to judge every state.
 */

static const struct step_row {
    const char *name, *text;
} step_rows[STEP_KIND_COUNT] = {
#define STEP_ROW(id, text) [STEP_##id] = { #id, text },
    STEP_KINDS(STEP_ROW)
#undef STEP_ROW
};

const char *step_kind_name(enum step_kind kind)
{
    return step_rows[kind].name;
}

const char *step_kind_text(enum step_kind kind)
{
    return step_rows[kind].text;
}

bool step_kind_parse(str name, enum step_kind *ret_kind)
{
    for (int kind = 0; kind < STEP_KIND_COUNT; kind++)
        if (str_eq(name, str_c(step_rows[kind].name))) {
            *ret_kind = (enum step_kind)kind;
            return true;
        }
    return false;
}

bool step_is_of_anchors(enum step_kind kind)
{
    return kind == STEP_trust || kind == STEP_distrust || kind == STEP_replace;
}

bool step_is_of_pins(enum step_kind kind)
{
    return kind == STEP_expect || kind == STEP_forget;
}

static void emit_cert(struct emit *emit, const struct model *model, uint32_t cert)
{
    AUTO(arena) struct arena scratch = { 0 };
    emit_str(emit, NULL, model_cert_name(&scratch, model, cert));
}

static void emit_members(struct emit *emit, const struct model *model, const char *name,
                         const str *packed)
{
    size_t count = 0;
    const uint32_t *members = packed == NULL ? NULL : model_members(*packed, &count);
    emit_array(emit, name);
    for (size_t i = 0; i < count; i++)
        emit_cert(emit, model, members[i]);
    emit_array_end(emit);
}

static const str *packed(const str *items, uint32_t id)
{
    return id == NO_ID ? NULL : &items[id];
}

static void emit_chains(struct emit *emit, const struct model *model, const char *name,
                        const uint32_t *chains)
{
    emit_object(emit, name);
    for (size_t i = 0; i < model->identities.count; i++)
        emit_members(emit, model, model->identities.items[i].key.ptr,
                     packed(model->chains.items, chains[i]));
    emit_object_end(emit);
}

static void emit_anchors(struct emit *emit, const struct model *model, const struct state *state)
{
    emit_object(emit, "trusts");
    for (size_t i = 0; i < model->stores.count; i++)
        emit_members(emit, model, model->stores.items[i].key.ptr,
                     packed(model->anchor_sets.items, state->anchors_stored[i]));
    for (size_t i = 0; i < model->trusters.count; i++)
        emit_members(emit, model, model->trusters.items[i].key.ptr,
                     packed(model->anchor_sets.items, state->truster_loaded[i]));
    emit_object_end(emit);
}

/* The members of `set` that `other` lacks. */
static void emit_extra(struct emit *emit, const struct model *model, const char *name, uint32_t set,
                       uint32_t other)
{
    size_t count = 0;
    const uint32_t *members =
        set == NO_ID ? NULL : model_members(model->anchor_sets.items[set], &count);
    emit_array(emit, name);
    for (size_t i = 0; i < count; i++)
        if (!model_anchors_have(model, other, members[i]))
            emit_cert(emit, model, members[i]);
    emit_array_end(emit);
}

static void emit_chain_changes(struct emit *emit, const struct walk *walk, const char *name,
                               enum state_part part)
{
    const struct model *model = walk->model;
    emit_object(emit, name);
    for (size_t i = 0; i < walk->changes.count; i++) {
        struct state_change change = walk->changes.items[i];
        if (change.part == part)
            emit_members(emit, model, model->identities.items[change.id].key.ptr,
                         packed(model->chains.items, walk->after.part[part][change.id]));
    }
    emit_object_end(emit);
}

static void emit_anchor_changes(struct emit *emit, const struct walk *walk, enum state_part part)
{
    const struct model *model = walk->model;
    for (size_t i = 0; i < walk->changes.count; i++) {
        uint32_t id = walk->changes.items[i].id;
        uint32_t before = walk->before.part[part][id], after = walk->after.part[part][id];
        if (walk->changes.items[i].part != part)
            continue;
        emit_object(emit, part == STATE_ANCHORS_STORED ? model->stores.items[id].key.ptr
                                                       : model->trusters.items[id].key.ptr);
        emit_extra(emit, model, "add", after, before);
        emit_extra(emit, model, "remove", before, after);
        emit_object_end(emit);
    }
}

static void emit_changes(struct emit *emit, struct walk *walk)
{
    walk_sort(walk);
    emit_object(emit, "changes");
    emit_chain_changes(emit, walk, "stored", STATE_CHAIN_STORED);
    emit_chain_changes(emit, walk, "loaded", STATE_CHAIN_LOADED);
    emit_object(emit, "trusts");
    emit_anchor_changes(emit, walk, STATE_ANCHORS_STORED);
    emit_anchor_changes(emit, walk, STATE_TRUSTER_LOADED);
    emit_object_end(emit);
    emit_object_end(emit);
}

/* All that are down for whatever reason, in the order of the lists. */
static void emit_outage(struct emit *emit, const struct step *step)
{
    emit_array(emit, "outage");
    for (size_t i = 0; i < step->outage.count; i++)
        emit_str(emit, NULL, step->outage.items[i]);
    for (size_t i = 0; i < step->refused.count; i++)
        if (!str_list_has(&step->outage, step->refused.items[i]))
            emit_str(emit, NULL, step->refused.items[i]);
    emit_array_end(emit);
}

static void emit_step(struct emit *emit, const struct step *step)
{
    emit_object(emit, NULL);
    emit_str(emit, "id", step->id);
    emit_text(emit, "kind", step_kind_name(step->kind));
    emit_str(emit, "node", step->node);
    emit_str(emit, "service", step->service);
    emit_str(emit, "store", step->store);
    emit_text(emit, "certificate", step->certificate.len == 0 ? NULL : step->certificate.ptr);
    emit_str(emit, "expects", step->expects);
    emit_str(emit, "leaves", step->leaves);
    emit_bool(emit, "new_key", step->new_key);
    emit_bool(emit, "in_place", step->in_place);
    emit_outage(emit, step);
    emit_text(emit, "outage_kind",
              step->refused.count > 0  ? "refused"
              : step->outage.count > 0 ? "restart"
                                       : NULL);
    if (step->refused.count > 0)
        emit_list(emit, "refused", &step->refused);
    if (step->why.len > 0)
        emit_str(emit, "why", step->why);
    emit_str(emit, "text", step->text);
    emit_object_end(emit);
}

static void emit_wave(struct emit *emit, const struct plan *plan, const struct wave *wave)
{
    emit_array(emit, "steps");
    for (size_t i = 0; i < wave->steps.count; i++)
        emit_str(emit, NULL, plan->steps.items[wave->steps.items[i]].id);
    emit_array_end(emit);
    emit_int(emit, "judged", (int64_t)wave->judged);
    emit_list(emit, "broken", &wave->broken);
    emit_list(emit, "outage", &wave->outage);
}

static void emit_proof(struct emit *emit, struct model *model, const struct plan *plan)
{
    AUTO(arena) struct arena scratch = { 0 };
    struct walk walk;
    walk_start(&scratch, model, &walk);
    emit_object(emit, "proof");
    emit_bool(emit, "proven", plan->proven);
    emit_list(emit, "unrepaired", &plan->unrepaired);
    emit_object(emit, "start");
    emit_chains(emit, model, "stored", walk.before.chain_stored);
    emit_chains(emit, model, "loaded", walk.before.chain_loaded);
    emit_anchors(emit, model, &walk.before);
    emit_object_end(emit);
    emit_array(emit, "waves");
    for (size_t i = 0; i < plan->waves.count; i++) {
        const struct wave *wave = &plan->waves.items[i];
        for (size_t j = 0; j < wave->steps.count; j++)
            walk_step(&walk, &plan->steps.items[wave->steps.items[j]]);
        emit_object(emit, NULL);
        emit_wave(emit, plan, wave);
        emit_changes(emit, &walk);
        emit_object_end(emit);
        walk_on(&walk);
    }
    emit_array_end(emit);
    emit_object_end(emit);
}

static void emit_kept(struct emit *emit, const struct model *model, const struct plan *plan)
{
    emit_array(emit, "kept");
    for (size_t i = 0; i < plan->kept.count; i++) {
        emit_object(emit, NULL);
        emit_str(emit, "store", model->stores.items[plan->kept.items[i].store].key);
        emit_str(emit, "link", plan->kept.items[i].link);
        emit_object_end(emit);
    }
    emit_array_end(emit);
}

void plan_emit(struct emit *emit, struct model *model, const struct plan *plan,
               const plan_source_list *made_from)
{
    emit_str(emit, "cluster", plan->cluster);
    emit_object(emit, "made_from");
    for (size_t i = 0; i < made_from->count; i++)
        emit_str(emit, made_from->items[i].store.ptr, made_from->items[i].digest);
    emit_object_end(emit);
    emit_array(emit, "steps");
    for (size_t i = 0; i < plan->steps.count; i++)
        emit_step(emit, &plan->steps.items[i]);
    emit_array_end(emit);
    emit_kept(emit, model, plan);
    emit_proof(emit, model, plan);
}
