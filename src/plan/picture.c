/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/picture.h"

#include <stdlib.h>

enum { SHORT = 8 }; /* digits of a fingerprint that people compare */

/* ---- names ---- */

static void count_up(unsigned char *counts, uint32_t service)
{
    if (service != NO_ID && counts[service] < 2)
        counts[service]++;
}

void names_init(struct names *names, struct arena *arena, struct judge *judge)
{
    const struct model *model = judge->model;
    *names = (struct names){ .arena = arena, .judge = judge };
    names->identities = arena_alloc(arena, model->services.count + 1, 1);
    names->trusters = arena_alloc(arena, model->services.count + 1, 1);
    for (uint32_t i = 0; i < model->certs.count; i++)
        if (model->certs.items[i].ca)
            list_push(arena, &names->authorities) = i;
    for (size_t i = 0; i < model->identities.count; i++)
        count_up(names->identities, model_service(model, model->identities.items[i].node,
                                                  model->identities.items[i].service));
    for (size_t i = 0; i < model->trusters.count; i++)
        count_up(names->trusters, model_service(model, model->trusters.items[i].node,
                                                model->trusters.items[i].service));
}

static str plain_name(const struct cert *cert)
{
    return cert->common_name.len > 0 ? cert->common_name : cert->subject;
}

/* Whether others have its name: with its key, and with another one. */
static void find_namesakes(const struct names *names, uint32_t id, bool *ret_same_key,
                           bool *ret_other_key)
{
    const struct cert *certs = names->judge->model->certs.items, *cert = &certs[id];
    *ret_same_key = *ret_other_key = false;
    for (size_t i = 0; i < names->authorities.count; i++) {
        const struct cert *other = &certs[names->authorities.items[i]];
        if (other == cert || !str_eq(plain_name(other), plain_name(cert)))
            continue;
        bool same_key = str_eq(other->spki_sha256, cert->spki_sha256);
        *(same_key ? ret_same_key : ret_other_key) = true;
    }
}

static str name_by_key(const struct names *names, const struct cert *cert)
{
    return str_printf(names->arena, "%.*s (key %.*s)", STR_ARG(plain_name(cert)), SHORT,
                      cert->spki_sha256.ptr);
}

static str name_apart(const struct names *names, uint32_t id)
{
    const struct cert *cert = &names->judge->model->certs.items[id];
    bool same_key, other_key;
    find_namesakes(names, id, &same_key, &other_key);
    if (same_key)
        return str_printf(names->arena, "%.*s (%.*s)", STR_ARG(plain_name(cert)), SHORT,
                          cert->sha256.ptr);
    return other_key ? name_by_key(names, cert) : plain_name(cert);
}

static str name_of_pin(const struct names *names, uint32_t id)
{
    str digest = names->judge->model->certs.items[id].sha256;
    (void)str_cut(&digest, ':');
    return str_starts(digest, S("new:")) ? S("pin new")
                                         : str_printf(names->arena, "pin %.*s", SHORT, digest.ptr);
}

str name_of_authority(struct names *names, uint32_t cert)
{
    const struct model *model = names->judge->model;
    while (names->texts.count < model->certs.count)
        list_push(names->arena, &names->texts) = S("");
    str *text = &names->texts.items[cert];
    if (text->len == 0)
        *text = model_is_pin(model, cert) ? name_of_pin(names, cert) : name_apart(names, cert);
    return *text;
}

uint32_t issuer_of(struct names *names, uint32_t cert)
{
    struct facts *facts = &names->judge->facts;
    for (size_t i = 0; i < names->authorities.count; i++) {
        uint32_t issuer = names->authorities.items[i];
        if (facts_likely_issued(facts, cert, issuer) && facts_signed(facts, cert, issuer))
            return issuer;
    }
    return NO_ID;
}

/* Which of its certificates the key had then does not matter. */
str name_of_issuer(struct names *names, uint32_t cert)
{
    const struct cert *certs = names->judge->model->certs.items;
    uint32_t issuer = issuer_of(names, cert);
    bool same_key, other_key;
    if (issuer == NO_ID)
        return certs[cert].self_issued ? S("itself") : certs[cert].issuer;
    find_namesakes(names, issuer, &same_key, &other_key);
    return other_key ? name_by_key(names, &certs[issuer]) : plain_name(&certs[issuer]);
}

str name_of_identity(const struct names *names, uint32_t identity)
{
    const struct model *model = names->judge->model;
    const struct identity *row = &model->identities.items[identity];
    uint32_t service = model_service(model, row->node, row->service);
    return service != NO_ID && names->identities[service] == 1 ? model->services.items[service].key
                                                               : row->key;
}

str name_of_truster(const struct names *names, uint32_t truster)
{
    const struct model *model = names->judge->model;
    const struct truster *row = &model->trusters.items[truster];
    uint32_t service = model_service(model, row->node, row->service);
    return service != NO_ID && names->trusters[service] == 1 ? model->services.items[service].key
                                                             : row->key;
}

static uint32_t leaf_of(const struct model *model, uint32_t chain)
{
    size_t count = 0;
    const uint32_t *members =
        chain == NO_ID ? NULL : model_members(model->chains.items[chain], &count);
    return count == 0 ? NO_ID : members[0];
}

str name_of_leaf(const struct names *names, uint32_t chain)
{
    uint32_t leaf = leaf_of(names->judge->model, chain);
    if (leaf == NO_ID)
        return S("nothing");
    str sha256 = names->judge->model->certs.items[leaf].sha256;
    return str_starts(sha256, S("new:")) ? S("new") : (str){ sha256.ptr, SHORT };
}

/* ---- groups ---- */

/* Groups in the making: found again by what they say. */
struct grouping {
    struct arena *arena;
    struct map ids;
    picture_groups *groups;
};

static struct picture_group *group_of(struct grouping *grouping, str what, str stored,
                                      uint32_t order)
{
    AUTO(arena) struct arena scratch = { 0 };
    str key = str_printf(&scratch, "%.*s\n%.*s", STR_ARG(what), STR_ARG(stored));
    uint32_t fresh = (uint32_t)grouping->groups->count;
    uint32_t id = map_put(&grouping->ids, key, fresh);
    if (id == fresh)
        list_push(grouping->arena, grouping->groups) =
            (struct picture_group){ .what = what, .stored = stored, .order = order };
    return &grouping->groups->items[id];
}

static int in_order(const void *a, const void *b)
{
    const struct picture_group *left = a, *right = b;
    if (left->order != right->order)
        return left->order < right->order ? -1 : 1;
    return left->ids.items[0] < right->ids.items[0] ? -1 : 1;
}

static void sort(picture_groups *groups)
{
    if (groups->count > 0)
        qsort(groups->items, groups->count, sizeof(*groups->items), in_order);
}

/* What is said of a chain or of a set of anchors, worked out once. */
struct said {
    str text;
    uint32_t order;
};

static struct said issuer_said(struct names *names, struct said *said, uint32_t chain)
{
    uint32_t leaf = leaf_of(names->judge->model, chain);
    if (leaf == NO_ID)
        return (struct said){ S("nobody"), NO_ID };
    if (said[chain].text.len == 0)
        said[chain] = (struct said){ name_of_issuer(names, leaf), issuer_of(names, leaf) };
    return said[chain];
}

/* Of many, as in a system's own store, the ends: what was there first, and what was added. */
static str anchors_text(struct arena *arena, struct names *names, const uint32_t *anchors,
                        size_t count)
{
    enum { MANY = 6, AT_EACH_END = 2 };
    struct buf text = { 0 };
    for (size_t i = 0; i < count; i++) {
        if (count > MANY && i == AT_EACH_END) {
            i = count - AT_EACH_END;
            buf_printf(arena, &text, ", %zu others", count - 2 * AT_EACH_END);
        }
        buf_printf(arena, &text, "%s%.*s", i == 0 ? "" : ", ",
                   STR_ARG(name_of_authority(names, anchors[i])));
    }
    return buf_str(&text);
}

static struct said anchors_said(struct arena *arena, struct names *names, struct said *said,
                                uint32_t set)
{
    const struct model *model = names->judge->model;
    size_t count = 0;
    const uint32_t *anchors =
        set == NO_ID ? NULL : model_members(model->anchor_sets.items[set], &count);
    if (count == 0)
        return (struct said){ S("nobody"), NO_ID };
    if (said[set].text.len > 0)
        return said[set];
    return said[set] = (struct said){ anchors_text(arena, names, anchors, count), set };
}

static void group_identities(struct arena *arena, struct names *names, const struct state *state,
                             picture_groups *ret_groups)
{
    AUTO(arena) struct arena scratch = { 0 };
    const struct model *model = names->judge->model;
    struct grouping grouping = { arena, { .arena = &scratch }, ret_groups };
    struct said *said = arena_alloc(&scratch, model->chains.count + 1, sizeof(*said));
    for (uint32_t i = 0; i < model->identities.count; i++) {
        uint32_t loaded = state->chain_loaded[i];
        struct said issuer = issuer_said(names, said, loaded);
        struct picture_group *group = group_of(&grouping, issuer.text, S(""), issuer.order);
        uint32_t leaf = leaf_of(model, loaded);
        group->fresh += leaf != NO_ID && facts_planned(&names->judge->facts, leaf);
        group->pending += loaded != state->chain_stored[i];
        list_push(arena, &group->ids) = i;
    }
    sort(ret_groups);
}

static void group_trusters(struct arena *arena, struct names *names, const struct state *state,
                           picture_groups *ret_groups)
{
    AUTO(arena) struct arena scratch = { 0 };
    const struct model *model = names->judge->model;
    struct grouping grouping = { arena, { .arena = &scratch }, ret_groups };
    struct said *said = arena_alloc(&scratch, model->anchor_sets.count + 1, sizeof(*said));
    for (uint32_t i = 0; i < model->trusters.count; i++) {
        uint32_t loaded = state->truster_loaded[i], stored = state->truster_stored[i];
        struct said anchors = anchors_said(arena, names, said, loaded);
        str other = loaded == stored ? S("") : anchors_said(arena, names, said, stored).text;
        list_push(arena, &group_of(&grouping, anchors.text, other, anchors.order)->ids) = i;
    }
    sort(ret_groups);
}

void picture_make(struct arena *arena, struct names *names, const struct state *state,
                  struct picture *ret_picture)
{
    *ret_picture = (struct picture){ 0 };
    group_identities(arena, names, state, &ret_picture->presents);
    group_trusters(arena, names, state, &ret_picture->trusts);
}
