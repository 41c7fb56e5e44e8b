/* SPDX-License-Identifier: Apache-2.0 */
#include "survey/parts.h"

static void add_derivation(struct survey *survey, derivation_list *derived, uint32_t source,
                           uint32_t copy)
{
    if (source != NO_ID && copy != NO_ID && source != copy)
        list_push(survey->arena, derived) = (struct derivation){ source, copy };
}

/* The identity of a store that no service reads: it is there for its source or its copies. */
static uint32_t unread_identity(struct survey *survey, const struct node_conf *node, str store)
{
    static const struct service_conf nobody;
    return survey_identity(survey, node, &nobody, store, LOAD_PER_CONNECTION);
}

static uint32_t first_of(struct survey *survey, const struct node_conf *node, str store)
{
    AUTO(arena) struct arena scratch = { 0 };
    return map_get(&survey->model.first_ids,
                   str_printf(&scratch, "%.*s/%.*s", STR_ARG(node->name), STR_ARG(store)));
}

/* Each row of the copy is a copy of the source's first one. A pair that nobody reads in either form
   is nobody's concern. */
static void add_identities(struct survey *survey, const struct node_conf *node,
                           const struct store_conf *copy)
{
    struct model *model = &survey->model;
    uint32_t source = first_of(survey, node, copy->derived_from);
    uint32_t first = first_of(survey, node, copy->name);
    if (source == NO_ID && first == NO_ID)
        return;
    if (source == NO_ID)
        source = unread_identity(survey, node, copy->derived_from);
    if (first == NO_ID)
        first = unread_identity(survey, node, copy->name);
    for (uint32_t i = 0; i < model->identities.count; i++)
        if (model->identities.items[i].first == first)
            add_derivation(survey, &model->derived_identities, source, i);
}

void survey_add_copies(struct survey *survey)
{
    for (size_t n = 0; n < survey->cluster->nodes.count; n++) {
        const struct node_conf *node = &survey->cluster->nodes.items[n];
        for (size_t i = 0; i < node->stores.count; i++) {
            const struct store_conf *store = &node->stores.items[i];
            if (store->derived_from.len == 0)
                continue;
            if (store->certificate.len > 0)
                add_identities(survey, node, store);
            else
                add_derivation(survey, &survey->model.derived_stores,
                               survey_trust_store(survey, node, store->derived_from),
                               survey_trust_store(survey, node, store->name));
        }
    }
}
