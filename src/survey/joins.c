/* SPDX-License-Identifier: Apache-2.0 */
#include "survey/index.h"
#include "survey/parts.h"

#include <strings.h>

/* Declared links as rows of the model. */

typedef LIST(uint32_t) id_list;

/* A declared link with its ends found. */
struct join {
    struct survey *survey;
    struct arena *scratch;
    const struct link_conf *conf;
    struct node_conf *from_node, *to_node;
    const struct service_conf *from, *to;
    id_list shown;   /* identities of the server or signer, one of which a peer sees */
    id_list offered; /* of the client */
    uint32_t truster;
    bool has_anchors;
};

/* "node/service" as declared, or NULL. */
static const struct service_conf *find_service(struct survey *survey, str key,
                                               struct node_conf **ret_node)
{
    const struct cluster_index *index = &survey_index(survey)->cluster;
    str rest = key, node = str_cut(&rest, '/');
    *ret_node = index_node(index, node);
    return *ret_node == NULL ? NULL : index_service(index, node, rest);
}

static void add_id(struct join *join, id_list *list, uint32_t id)
{
    if (id != NO_ID)
        list_push(join->scratch, list) = id;
}

static bool same_name(str a, str b)
{
    return a.len == b.len && a.len > 0 && strncasecmp(a.ptr, b.ptr, a.len) == 0;
}

static uint32_t identity_at(struct join *join, struct node_conf *node,
                            const struct service_conf *service, size_t index)
{
    enum load_mode load = service->listen.len > 0 ? LOAD_RELOAD : LOAD_PER_CONNECTION;
    return survey_identity(join->survey, node, service, service->identities.items[index].store,
                           load);
}

/* What a server shows who asks for a name: what it has for that name; else what it has for any, as
   for those who ask for none; else its first. */
static void find_shown(struct join *join)
{
    const struct service_conf *to = join->to;
    bool for_name = false, for_any = false;
    for (size_t i = 0; i < to->identities.count; i++) {
        for_name = for_name || same_name(to->identities.items[i].sni, join->conf->name);
        for_any = for_any || to->identities.items[i].sni.len == 0;
    }
    for (size_t i = 0; i < to->identities.count && to->listen.len > 0; i++) {
        str sni = to->identities.items[i].sni;
        bool shown = for_name ? same_name(sni, join->conf->name) : for_any ? sni.len == 0 : i == 0;
        if (shown)
            add_id(join, &join->shown, identity_at(join, join->to_node, to, i));
    }
}

static void find_offered(struct join *join)
{
    const struct service_conf *from = join->from;
    if (join->conf->identity.len > 0)
        add_id(join, &join->offered,
               survey_identity(join->survey, join->from_node, from, join->conf->identity,
                               survey_client_load(join->from_node, from, from->load.identity)));
    else
        for (size_t i = 0; i < from->identities.count && from->listen.len == 0; i++)
            add_id(join, &join->offered, identity_at(join, join->from_node, from, i));
}

/* What a signer signs with: the identity that is named, or any of its own. */
static void find_signing(struct join *join)
{
    const struct service_conf *from = join->from;
    for (size_t i = 0; i < from->identities.count; i++)
        if (join->conf->identity.len == 0 ||
            str_eq(join->conf->identity, from->identities.items[i].store))
            add_id(join, &join->shown, identity_at(join, join->from_node, from, i));
    if (join->shown.count == 0 && join->conf->identity.len > 0)
        add_id(join, &join->shown,
               survey_identity(join->survey, join->from_node, from, join->conf->identity,
                               LOAD_RELOAD));
}

/* The client's trust, or the verifier's. */
static void find_truster(struct join *join, bool signer)
{
    const struct link_conf *conf = join->conf;
    struct node_conf *node = signer ? join->to_node : join->from_node;
    const struct service_conf *judge = signer ? join->to : join->from;
    str_list anchors = { 0 }, pins = { 0 };
    struct survey_trust trust = { &judge->trust, &judge->pins,
                                  survey_fixed_pins(join->survey, signer ? conf->from : conf->to) };
    if (conf->trust.len > 0) {
        list_push(join->scratch, &anchors) = conf->trust;
        trust.anchors = &anchors;
    }
    if (conf->pins.len > 0) {
        list_push(join->scratch, &pins) = conf->pins;
        trust.pins = &pins;
    }
    enum load_mode load =
        signer ? survey_trust_load(judge) : survey_client_load(node, judge, judge->load.trust);
    join->truster = survey_truster(join->survey, node, judge, &trust, load);
    join->has_anchors = trust.anchors->count > 0;
}

static enum verify_mode verify_of(const struct join *join, bool signer)
{
    str text = join->conf->verify;
    if (!join->has_anchors || str_eq(text, S("none")))
        return VERIFY_NONE;
    return signer || str_eq(text, S("ca")) ? VERIFY_CA : VERIFY_FULL;
}

/* A server that may show one of several certificates is a row for each, and so is a client that
   may: those after the first have what tells them apart in their key. */
static str key_of(const struct join *join, uint32_t shown, uint32_t offered, bool first)
{
    struct arena *arena = join->scratch;
    const struct identity *identities = join->survey->model.identities.items;
    const struct link_conf *conf = join->conf;
    struct buf key = { 0 };
    buf_printf(arena, &key, "%.*s->%.*s", STR_ARG(conf->from), STR_ARG(conf->to));
    if (!first && join->shown.count > 1)
        buf_printf(arena, &key, ":%.*s", STR_ARG(identities[shown].store));
    if (!first && offered != NO_ID && join->offered.count > 1)
        buf_printf(arena, &key, "<%.*s", STR_ARG(identities[offered].store));
    if (conf->user.len > 0)
        buf_printf(arena, &key, "#%.*s", STR_ARG(conf->user));
    return str_copy(join->survey->arena, buf_str(&key));
}

static void add_row(struct join *join, const struct link *link, uint32_t shown, uint32_t offered,
                    bool first)
{
    struct link row = *link;
    row.server_identity = shown;
    row.client_identity = offered;
    row.key = key_of(join, shown, offered, first);
    uint32_t id = model_add_link(&join->survey->model, &row);
    if (id == join->survey->to.count)
        list_push(join->survey->arena, &join->survey->to) = join->conf;
}

static uint32_t at_or_none(const id_list *list, size_t index)
{
    return index < list->count ? list->items[index] : NO_ID;
}

static void add_rows(struct join *join, const struct link *link)
{
    size_t offers = link->by_issuer || join->offered.count == 0 ? 1 : join->offered.count;
    size_t shown = join->shown.count == 0 ? 1 : join->shown.count;
    for (size_t i = 0; i < shown; i++)
        for (size_t k = 0; k < offers; k++)
            add_row(join, link, at_or_none(&join->shown, i), at_or_none(&join->offered, k),
                    i == 0 && k == 0);
}

bool survey_add_link(struct survey *survey, const struct link_conf *conf)
{
    AUTO(arena) struct arena scratch = { 0 };
    struct join join = { .survey = survey, .scratch = &scratch, .conf = conf };
    bool signer = str_eq(conf->kind, S("signer"));
    join.from = find_service(survey, conf->from, &join.from_node);
    join.to = find_service(survey, conf->to, &join.to_node);
    if (join.from == NULL || join.to == NULL)
        return false;
    if (signer) {
        find_signing(&join);
    } else {
        find_shown(&join);
        find_offered(&join);
    }
    find_truster(&join, signer);
    struct link link = {
        .kind = signer ? LINK_SIGNER : LINK_CONNECT,
        .from = map_get(&survey->model.service_ids, conf->from),
        .to = map_get(&survey->model.service_ids, conf->to),
        .by_issuer = !signer && survey_chooses_by_issuer(join.from),
        .client_truster = join.truster,
        .verify = verify_of(&join, signer),
        .name = conf->name,
        .user = conf->user,
        .user_is_cn = !signer && str_eq(join.to->client_identity, S("user")) &&
                      !str_list_has(&join.to->mapped_users, conf->user) &&
                      !str_list_has(&join.to->mapped_users, S("all")),
    };
    for (size_t i = 1; i < join.offered.count && link.by_issuer; i++)
        list_push(survey->arena, &link.more_identities) = join.offered.items[i];
    add_rows(&join, &link);
    return true;
}

bool survey_is_first(const struct survey *survey, uint32_t link)
{
    return link == 0 || survey->to.items[link] != survey->to.items[link - 1];
}
