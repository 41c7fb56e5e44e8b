/* SPDX-License-Identifier: Apache-2.0 */
#include "survey/parts.h"

/* What is presented can be longer than what the identity holds: OpenSSL completes a lone leaf from
   the trust store. So the stored chain stands for it when the leaf is the same. */
static uint32_t loaded_chain(struct survey *survey, const struct identity *identity,
                             const cert_list *presented)
{
    uint32_t leaf = model_cert(&survey->model, &presented->items[0]);
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
    str text = str_printf(survey->arena, "still presents %.*s; %.*s/%.*s holds %s",
                          STR_ARG(cert_label(survey->arena, &survey->model.certs.items[loaded[0]])),
                          STR_ARG(identity->node), STR_ARG(identity->store),
                          identity->stored == NO_ID ? "none" : "another");
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

/* Whether another anchor of this name is known to be loaded: then the name tells nothing. */
static bool is_named_by(const struct model *model, uint32_t set, uint32_t cert)
{
    size_t count;
    const uint32_t *members = model_members(model->anchor_sets.items[set], &count);
    for (size_t i = 0; i < count; i++)
        if (members[i] != cert &&
            str_eq(model->certs.items[members[i]].subject, model->certs.items[cert].subject))
            return true;
    return false;
}

/* The names that a server asks clients for are those of the anchors that it has loaded (RFC 8446,
   4.2.4), so what it holds besides was stored after it last loaded; and one that is thought to be
   old and is asked for was loaded since. */
static void take_loaded_anchors(struct survey *survey, const struct service *service,
                                const struct seen_service *seen)
{
    if (service->client_truster == NO_ID || !seen->certificate_requested ||
        seen->acceptable_cas.count == 0)
        return;
    struct model *model = &survey->model;
    struct truster *truster = &model->trusters.items[service->client_truster];
    size_t count;
    uint32_t known = truster->loaded, loaded = truster->loaded;
    const uint32_t sets[] = { known, truster_stored(model, truster) };
    uint32_t all = model_anchors_union(model, sets, COUNT(sets));
    const uint32_t *members = model_members(model->anchor_sets.items[all], &count);
    for (size_t i = 0; i < count; i++) {
        if (model_is_pin(model, members[i]))
            continue;
        if (!str_list_has(&seen->acceptable_cas, model->certs.items[members[i]].subject))
            loaded = model_anchors_without(model, loaded, members[i]);
        else if (!is_named_by(model, known, members[i]))
            loaded = model_anchors_with(model, loaded, members[i]);
    }
    truster->loaded = loaded;
    truster->stale = asks_for_others(model, members, count, &seen->acceptable_cas);
}

static const struct cert *stored_leaf(const struct survey *survey, uint32_t identity)
{
    size_t count = 0;
    uint32_t chain = survey->model.identities.items[identity].stored;
    const uint32_t *members =
        chain == NO_ID ? NULL : model_members(survey->model.chains.items[chain], &count);
    return count == 0 ? NULL : &survey->model.certs.items[members[0]];
}

/* How much speaks for it that `leaf` comes from this identity: one stored there now, or an earlier
   one of its kind. */
static int likeness(const struct survey *survey, uint32_t identity, const struct cert *leaf)
{
    const struct cert *stored = stored_leaf(survey, identity);
    if (stored == NULL)
        return 1;
    return str_eq(stored->sha256, leaf->sha256)       ? 3
           : str_eq(stored->key_type, leaf->key_type) ? 2
                                                      : 1;
}

/* Which of the identities that a service has for a name (SNI, or none) it has shown. */
static uint32_t identity_shown(struct survey *survey, const struct service *service, str name,
                               const struct cert *leaf)
{
    struct node_conf *node = cluster_node(survey->cluster, service->node);
    const struct service_conf *conf = node_service(node, service->name);
    uint32_t best = NO_ID;
    for (size_t i = 0; i < conf->identities.count; i++) {
        AUTO(arena) struct arena scratch = { 0 };
        str key = str_printf(&scratch, "%.*s:%.*s", STR_ARG(service->key),
                             STR_ARG(conf->identities.items[i].store));
        uint32_t id = map_get(&survey->model.identity_ids, key);
        if (id == NO_ID || !str_eq(conf->identities.items[i].sni, name))
            continue;
        if (best == NO_ID || likeness(survey, id, leaf) > likeness(survey, best, leaf))
            best = id;
    }
    return best;
}

static void take_presented(struct survey *survey, const struct service *service, uint32_t id,
                           const cert_list *presented)
{
    struct identity *identity = &survey->model.identities.items[id];
    identity->loaded = loaded_chain(survey, identity, presented);
    if (identity->loaded != identity->stored)
        note_stale(survey, service, identity);
}

/* Where nothing is for any name, who asks for none is shown the first. */
static void take_all_presented(struct survey *survey, const struct service *service, uint32_t shown,
                               const struct seen_service *seen)
{
    uint32_t id = identity_shown(survey, service, S(""), &seen->presented.items[0]);
    take_presented(survey, service, id == NO_ID ? shown : id, &seen->presented);
    for (size_t i = 0; i < seen->named.count; i++) {
        const struct seen_name *named = &seen->named.items[i];
        if (named->presented.count == 0)
            continue;
        id = identity_shown(survey, service, named->name, &named->presented.items[0]);
        if (id != NO_ID)
            take_presented(survey, service, id, &named->presented);
    }
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
    take_all_presented(survey, service, shown, seen);
    take_loaded_anchors(survey, service, seen);
    return true;
}

void survey_look_at_wire(struct survey *survey)
{
    for (uint32_t i = 0; i < survey->model.services.count; i++) {
        bool seen = take_service(survey, i);
        list_push(survey->arena, &survey->seen) = seen;
    }
}
