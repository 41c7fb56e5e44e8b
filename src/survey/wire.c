/* SPDX-License-Identifier: Apache-2.0 */
#include "survey/parts.h"

/* What is presented can be longer than what the identity holds: OpenSSL completes a lone leaf from
   the trust store. So the stored chain stands for it when the leaf is the same. */
static uint32_t loaded_chain(struct survey *survey, const struct identity *identity,
                             const struct seen_service *seen)
{
    uint32_t leaf = model_cert(&survey->model, &seen->presented.items[0]);
    size_t count = 0;
    const uint32_t *stored =
        identity->stored == NO_ID
            ? NULL
            : model_members(survey->model.chains.items[identity->stored], &count);
    if (count > 0 && stored[0] == leaf)
        return identity->stored;
    return model_chain(&survey->model, &leaf, 1);
}

static void note_stale(struct survey *survey, const struct service *service,
                       const struct identity *identity)
{
    size_t count;
    const uint32_t *loaded = model_members(survey->model.chains.items[identity->loaded], &count);
    str text = str_printf(survey->arena, "still presents %.*s; %.*s/%.*s holds another",
                          STR_ARG(cert_label(survey->arena, &survey->model.certs.items[loaded[0]])),
                          STR_ARG(identity->node), STR_ARG(identity->store));
    finding_add(survey->arena, &survey->findings, FINDING_restart_needed_after_renewal,
                service->key, text);
}

/* Whether it asks for a CA that none of the anchors is. */
static bool asks_for_others(const struct model *model, const uint32_t *anchors, size_t count,
                            const str_list *names)
{
    for (size_t i = 0; i < names->count; i++) {
        size_t k = 0;
        while (k < count && !str_eq(model->certs.items[anchors[k]].subject, names->items[i]))
            k++;
        if (k == count)
            return true;
    }
    return false;
}

/* The names that a server asks clients for are those of the anchors that it has loaded (RFC 8446,
   4.2.4), so what it holds besides was stored after it last loaded. */
static void take_loaded_anchors(struct survey *survey, const struct service *service,
                                const struct seen_service *seen)
{
    if (service->client_truster == NO_ID || !seen->certificate_requested ||
        seen->acceptable_cas.count == 0)
        return;
    struct model *model = &survey->model;
    struct truster *truster = &model->trusters.items[service->client_truster];
    size_t count;
    uint32_t loaded = truster->loaded;
    const uint32_t *members = model_members(model->anchor_sets.items[truster->loaded], &count);
    for (size_t i = 0; i < count; i++)
        if (!model_is_pin(model, members[i]) &&
            !str_list_has(&seen->acceptable_cas, model->certs.items[members[i]].subject))
            loaded = model_anchors_without(model, loaded, members[i]);
    truster->loaded = loaded;
    truster->stale = asks_for_others(model, members, count, &seen->acceptable_cas);
}

static bool take_service(struct survey *survey, uint32_t id)
{
    const struct service *service = &survey->model.services.items[id];
    uint32_t shown = survey->shown.items[id];
    const struct seen_service *seen =
        seen_service(survey_seen_node(survey, service->node), service->name);
    if (shown == NO_ID || seen == NULL || !seen->asked)
        return false;
    if (seen->presented.count == 0) {
        finding_add(survey->arena, &survey->findings, FINDING_service_down, service->key,
                    seen->text);
        return false;
    }
    struct identity *identity = &survey->model.identities.items[shown];
    identity->loaded = loaded_chain(survey, identity, seen);
    take_loaded_anchors(survey, service, seen);
    if (identity->loaded != identity->stored)
        note_stale(survey, service, identity);
    return true;
}

void survey_look_at_wire(struct survey *survey)
{
    for (uint32_t i = 0; i < survey->model.services.count; i++) {
        bool seen = take_service(survey, i);
        list_push(survey->arena, &survey->seen) = seen;
    }
}
