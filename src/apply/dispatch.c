/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/dispatch.h"

enum { STEP_MS = 60 * 1000, GRACE_MS = 15 * 1000 };

static json_t *text(str s)
{
    return json_stringn(s.len > 0 ? s.ptr : "", s.len);
}

/* What the step's service was planned as, where its order rests on that. */
static str role_of(const struct apply *apply, const struct step *step)
{
    AUTO(arena) struct arena scratch = { 0 };
    const struct model *model = &apply->survey->model;
    str key = str_printf(&scratch, "%.*s/%.*s", STR_ARG(step->node), STR_ARG(step->service));
    uint32_t id = map_get(&model->service_ids, key);
    return id == NO_ID ? S("") : model->services.items[id].role;
}

/* The name of the pin that the step is about; empty while what it is to remember is not there. */
static str pin_of(const struct apply *apply, const struct step *step)
{
    struct pin pin;
    str id;
    if (!step_is_of_pins(step->kind) || !pin_of_name(step->certificate, &pin))
        return S("");
    if (!str_starts(pin.digest, S("new:")))
        return step->certificate;
    id = (str){ pin.digest.ptr + 4, pin.digest.len - 4 };
    for (size_t i = 0; i < apply->issued.count; i++) {
        const struct cert *leaf = &apply->issued.items[i].leaf;
        if (!str_eq(apply->issued.items[i].step, id))
            continue;
        pin.digest = pin.kind == PIN_CERT ? leaf->sha256 : leaf->spki_sha256;
        return pin_name(apply->arena, pin);
    }
    return S("");
}

static json_t *step_object(const struct apply *apply, const struct step *step)
{
    json_t *object = json_object();
    /* clang-format off */
    const struct {
        const char *name;
        str value;
    } texts[] = {
        { "id",          step->id },
        { "kind",        str_c(step_kind_name(step->kind)) },
        { "service",     step->service },
        { "store",       step->store },
        { "expects",     step->expects },
        { "certificate", step->certificate },
        { "leaves",      step->leaves },
        { "role",        role_of(apply, step) },
        { "pin",         pin_of(apply, step) },
        { "from",        apply->record.undoes },
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT(texts); i++)
        json_object_set_new(object, texts[i].name, text(texts[i].value));
    json_object_set_new(object, "new_key", json_boolean(step->new_key));
    json_object_set_new(object, "in_place", json_boolean(step->in_place));
    if ((step->kind == STEP_trust || step->kind == STEP_replace) && step->new_cert != NO_ID)
        json_object_set_new(object, "anchor",
                            json_bytes(apply->survey->model.certs.items[step->new_cert].der));
    const struct model *model = &apply->survey->model;
    if (step->kind == STEP_issue && step->identity != NO_ID &&
        model->identities.items[step->identity].gone)
        json_object_set_new(
            object, "replaced",
            json_bytes(model->certs.items[plan_replaced(model, step->identity)].der));
    return object;
}

json_t *dispatch_body(const struct apply *apply, const struct job *job)
{
    json_t *body = json_object();
    json_object_set_new(body, "cluster", text(apply->hold->cluster));
    json_object_set_new(body, "token", json_integer(apply->hold->token));
    json_object_set_new(body, "apply", text(apply->record.snapshot));
    json_object_set_new(body, "node", text(survey_node_text(apply->survey, job->step->node)));
    json_object_set_new(body, "timeout_ms", json_integer(STEP_MS));
    json_object_set_new(body, "step", step_object(apply, job->step));
    if (job->chain.len > 0)
        json_object_set_new(body, "chain", text(job->chain));
    return body;
}

void dispatch(struct apply *apply, struct job *jobs, size_t count, const char *op,
              void (*take)(struct apply *apply, struct job *job, const json_t *answer))
{
    AUTO(arena) struct arena scratch = { 0 };
    struct ask *asks = arena_alloc(&scratch, count + 1, sizeof(*asks));
    struct job **asked = arena_alloc(&scratch, count + 1, sizeof(struct job *));
    json_t **bodies = arena_alloc(&scratch, count + 1, sizeof(json_t *));
    size_t flying = 0;
    for (size_t i = 0; i < count; i++) {
        if (jobs[i].failed || jobs[i].over || jobs[i].waiting)
            continue;
        asked[flying] = &jobs[i];
        bodies[flying] = dispatch_body(apply, &jobs[i]);
        asks[flying] = (struct ask){ .reach = fleet_reach(apply->survey->fleet, jobs[i].step->node),
                                     .op = op,
                                     .body = bodies[flying],
                                     .timeout_ms = STEP_MS + GRACE_MS };
        flying++;
    }
    reach_ask_all(asks, flying);
    for (size_t i = 0; i < flying; i++) {
        if (asks[i].ok)
            take(apply, asked[i], asks[i].answer);
        else
            asked[i]->failed = !ask_error(&asks[i], &asked[i]->err);
        ask_clear(&asks[i]);
        json_decref(bodies[i]);
    }
}
