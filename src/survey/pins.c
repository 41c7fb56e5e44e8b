/* SPDX-License-Identifier: Apache-2.0 */
#include "survey/parts.h"

/* A pin that matches nothing is one of an earlier certificate, or of one that is to come. */

static bool matches_chain(const struct model *model, uint32_t pin, uint32_t chain)
{
    size_t count = 0;
    const uint32_t *members =
        chain == NO_ID ? NULL : model_members(model->chains.items[chain], &count);
    return count > 0 && model_pin_matches(model, pin, members[0]);
}

static bool matches(const struct model *model, uint32_t pin, uint32_t identity)
{
    if (identity == NO_ID)
        return false;
    const struct identity *row = &model->identities.items[identity];
    return matches_chain(model, pin, row->stored) || matches_chain(model, pin, row->loaded);
}

/* Whether anybody who is held against the store has what the pin remembers. */
static bool is_met(const struct model *model, uint32_t store, uint32_t pin)
{
    for (size_t i = 0; i < model->links.count; i++) {
        const struct link *link = &model->links.items[i];
        const struct service *to = &model->services.items[link->to];
        if (model_reads(model, link->client_truster, store) &&
            matches(model, pin, link->server_identity))
            return true;
        if (link->kind != LINK_CONNECT || !model_reads(model, to->client_truster, store))
            continue;
        bool met = matches(model, pin, link->client_identity);
        for (size_t k = 0; k < link->more_identities.count; k++)
            met = met || matches(model, pin, link->more_identities.items[k]);
        if (met)
            return true;
    }
    return false;
}

void survey_look_at_pins(struct survey *survey)
{
    const struct model *model = &survey->model;
    for (uint32_t i = 0; i < model->stores.count; i++) {
        const struct trust_store *store = &model->stores.items[i];
        size_t count;
        const uint32_t *pins = model_members(model->anchor_sets.items[store->anchors], &count);
        for (size_t k = 0; k < count && store->kind == STORE_PINS; k++)
            if (model_is_pin(model, pins[k]) && !is_met(model, i, pins[k]))
                finding_add(survey->arena, &survey->findings, FINDING_pin_stale, store->key,
                            str_printf(survey->arena, "%.*s matches nothing that is shown",
                                       STR_ARG(model->certs.items[pins[k]].sha256)));
    }
}
