/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/model.h"

#include <assert.h>
#include <string.h>

static_assert(NO_ID == MAP_NONE, "what a map does not hold has no id");

void model_init(struct model *model, struct arena *arena)
{
    *model = (struct model){ .arena = arena };
    struct map *maps[] = { &model->cert_ids,    &model->chain_ids,   &model->anchor_ids,
                           &model->offer_ids,   &model->store_ids,   &model->identity_ids,
                           &model->truster_ids, &model->service_ids, &model->link_ids,
                           &model->first_ids };
    for (size_t i = 0; i < COUNT(maps); i++)
        maps[i]->arena = arena;
}

/* Put `row` into `list` under its key, in place of the row that is there. */
#define ADD_ROW(model, list, ids, row)                              \
    (__extension__({                                                \
        uint32_t fresh_ = (uint32_t)(model)->list.count;            \
        uint32_t id_ = map_lend(&(model)->ids, (row)->key, fresh_); \
        if (id_ == fresh_)                                          \
            list_push((model)->arena, &(model)->list) = *(row);     \
        else                                                        \
            (model)->list.items[id_] = *(row);                      \
        id_;                                                        \
    }))

uint32_t model_add_store(struct model *model, const struct trust_store *store)
{
    return ADD_ROW(model, stores, store_ids, store);
}

uint32_t model_add_identity(struct model *model, const struct identity *identity)
{
    AUTO(arena) struct arena scratch = { 0 };
    uint32_t id = ADD_ROW(model, identities, identity_ids, identity);
    str store =
        str_printf(&scratch, "%.*s/%.*s", STR_ARG(identity->node), STR_ARG(identity->store));
    uint32_t known = map_get(&model->first_ids, store);
    model->identities.items[id].first =
        known != NO_ID ? known : map_put(&model->first_ids, store, id);
    return id;
}

uint32_t model_add_truster(struct model *model, const struct truster *truster)
{
    return ADD_ROW(model, trusters, truster_ids, truster);
}

uint32_t model_add_service(struct model *model, const struct service *service)
{
    return ADD_ROW(model, services, service_ids, service);
}

uint32_t model_add_link(struct model *model, const struct link *link)
{
    return ADD_ROW(model, links, link_ids, link);
}

uint32_t model_service(const struct model *model, str node, str service)
{
    char key[256];
    AUTO(arena) struct arena scratch = { 0 };
    size_t len = node.len + 1 + service.len;
    char *at = len <= sizeof(key) ? key : arena_alloc(&scratch, len, 1);
    if (node.len > 0)
        memcpy(at, node.ptr, node.len);
    at[node.len] = '/';
    if (service.len > 0)
        memcpy(at + node.len + 1, service.ptr, service.len);
    return map_get(&model->service_ids, (str){ at, len });
}

uint32_t model_process(const struct model *model, uint32_t service)
{
    str process = service == NO_ID ? S("") : model->services.items[service].process;
    uint32_t first = process.len == 0 ? NO_ID : map_get(&model->service_ids, process);
    return first == NO_ID ? service : first;
}

uint32_t model_cert(struct model *model, const struct cert *cert)
{
    uint32_t fresh = (uint32_t)model->certs.count;
    uint32_t id = map_lend(&model->cert_ids, cert->sha256, fresh);
    if (id == fresh)
        list_push(model->arena, &model->certs) = *cert;
    return id;
}

static str packed(const uint32_t *ids, size_t count)
{
    return (str){ count == 0 ? "" : (const char *)ids, count * sizeof(*ids) };
}

const uint32_t *model_members(str packed, size_t *ret_count)
{
    *ret_count = packed.len / sizeof(uint32_t);
    return (const uint32_t *)(const void *)packed.ptr;
}

static str keep(struct model *model, str ids)
{
    char *copy = arena_alloc(model->arena, ids.len + 1, 1);
    memcpy(copy, ids.ptr, ids.len);
    return (str){ copy, ids.len };
}

static uint32_t intern(struct model *model, struct map *map, str_list *list, str ids)
{
    uint32_t id = map_get(map, ids);
    if (id != MAP_NONE)
        return id;
    str kept = keep(model, ids);
    id = map_lend(map, kept, (uint32_t)list->count);
    list_push(model->arena, list) = kept;
    return id;
}

uint32_t model_chain(struct model *model, const uint32_t *certs, size_t count)
{
    return intern(model, &model->chain_ids, &model->chains, packed(certs, count));
}

uint32_t model_offer(struct model *model, const uint32_t *chains, size_t count)
{
    AUTO(arena) struct arena scratch = { 0 };
    LIST(uint32_t) kept = { 0 };
    for (size_t i = 0; i < count; i++)
        if (chains[i] != NO_ID)
            list_push(&scratch, &kept) = chains[i];
    return intern(model, &model->offer_ids, &model->offers, packed(kept.items, kept.count));
}

uint32_t model_pin(struct model *model, struct pin pin)
{
    str name = pin_name(model->arena, pin);
    return model_cert(model, &(struct cert){ .sha256 = name, .subject = name });
}

static str digest_of(const struct model *model, enum pin_kind kind, uint32_t cert)
{
    const struct cert *row = &model->certs.items[cert];
    return kind == PIN_CERT ? row->sha256 : row->spki_sha256;
}

uint32_t model_pin_of(struct model *model, enum pin_kind kind, uint32_t cert)
{
    return model_pin(model, (struct pin){ kind, digest_of(model, kind, cert) });
}

bool model_is_pin(const struct model *model, uint32_t cert)
{
    struct pin pin;
    return pin_of_name(model->certs.items[cert].sha256, &pin);
}

bool model_pin_matches(const struct model *model, uint32_t pin, uint32_t cert)
{
    struct pin row;
    return pin_of_name(model->certs.items[pin].sha256, &row) &&
           str_eq(row.digest, digest_of(model, row.kind, cert));
}

/* Intern ids that may be changed here; of equal ones the first stays. */
static uint32_t anchors_of(struct model *model, uint32_t *ids, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        size_t twin = 0;
        while (twin < kept && ids[twin] != ids[i])
            twin++;
        if (twin == kept)
            ids[kept++] = ids[i];
    }
    return intern(model, &model->anchor_ids, &model->anchor_sets, packed(ids, kept));
}

uint32_t model_anchors(struct model *model, const uint32_t *certs, size_t count)
{
    AUTO(arena) struct arena scratch = { 0 };
    uint32_t *ids = arena_alloc(&scratch, count + 1, sizeof(*ids));
    if (count > 0)
        memcpy(ids, certs, count * sizeof(*ids));
    return anchors_of(model, ids, count);
}

uint32_t model_anchors_with(struct model *model, uint32_t set, uint32_t cert)
{
    AUTO(arena) struct arena scratch = { 0 };
    size_t count;
    const uint32_t *members = model_members(model->anchor_sets.items[set], &count);
    uint32_t *ids = arena_alloc(&scratch, count + 1, sizeof(*ids));
    memcpy(ids, members, count * sizeof(*ids));
    ids[count] = cert;
    return anchors_of(model, ids, count + 1);
}

uint32_t model_anchors_without(struct model *model, uint32_t set, uint32_t cert)
{
    AUTO(arena) struct arena scratch = { 0 };
    size_t count, kept = 0;
    const uint32_t *members = model_members(model->anchor_sets.items[set], &count);
    uint32_t *ids = arena_alloc(&scratch, count + 1, sizeof(*ids));
    for (size_t i = 0; i < count; i++)
        if (members[i] != cert)
            ids[kept++] = members[i];
    return anchors_of(model, ids, kept);
}

uint32_t model_anchors_union(struct model *model, const uint32_t *sets, size_t count)
{
    AUTO(arena) struct arena scratch = { 0 };
    LIST(uint32_t) ids = { 0 };
    for (size_t i = 0; i < count; i++) {
        size_t members;
        const uint32_t *from = model_members(model->anchor_sets.items[sets[i]], &members);
        for (size_t k = 0; k < members; k++)
            list_push(&scratch, &ids) = from[k];
    }
    return anchors_of(model, ids.items, ids.count);
}

uint32_t truster_stored(struct model *model, const struct truster *truster)
{
    AUTO(arena) struct arena scratch = { 0 };
    LIST(uint32_t) sets = { 0 };
    for (size_t i = 0; i < truster->stores.count; i++) {
        uint32_t anchors = model->stores.items[truster->stores.items[i]].anchors;
        if (anchors != NO_ID)
            list_push(&scratch, &sets) = anchors;
    }
    return model_anchors_union(model, sets.items, sets.count);
}

bool model_anchors_have(const struct model *model, uint32_t set, uint32_t cert)
{
    size_t count = 0;
    const uint32_t *members =
        set == NO_ID ? NULL : model_members(model->anchor_sets.items[set], &count);
    for (size_t i = 0; i < count; i++)
        if (members[i] == cert)
            return true;
    return false;
}

str model_cert_name(struct arena *arena, const struct model *model, uint32_t cert)
{
    str sha256 = model->certs.items[cert].sha256;
    return str_starts(sha256, S("new:")) || model_is_pin(model, cert)
               ? sha256
               : str_printf(arena, "sha256:%.*s", STR_ARG(sha256));
}

uint32_t model_cert_named(const struct model *model, str name)
{
    str prefix = S("sha256:"), key = name;
    if (str_starts(name, prefix))
        key = (str){ name.ptr + prefix.len, name.len - prefix.len };
    return map_get(&model->cert_ids, key);
}

bool model_reads(const struct model *model, uint32_t truster, uint32_t store)
{
    if (truster == NO_ID)
        return false;
    const struct truster *row = &model->trusters.items[truster];
    for (size_t i = 0; i < row->stores.count; i++)
        if (row->stores.items[i] == store)
            return true;
    return false;
}
