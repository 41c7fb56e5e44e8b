/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/random/replay.h"

/*
 * What the document says of the start and of each wave's changes, held against the replay. What a
 * service reads at each connection it has not loaded, so only the rest is compared.
 */

static bool same_set(const struct gen_certs *a, const struct gen_certs *b)
{
    for (uint32_t i = 0; i < a->count; i++) {
        bool found = false;
        for (uint32_t k = 0; k < b->count; k++)
            found = found || a->ids[i] == b->ids[k];
        if (!found)
            return false;
    }
    return a->count == b->count;
}

static bool differs(struct replay *replay, const char *rule, size_t wave, str key)
{
    return replay_fail(replay, rule,
                       str_printf(replay->arena, "%.*s, %s wave %zu", STR_ARG(key),
                                  wave == 0 ? "before" : "after", wave == 0 ? 1 : wave));
}

static bool loads_itself(enum load load)
{
    return load == LOADS_AT_RELOAD || load == LOADS_AT_START;
}

/* Take in `object`, whose members are whole lists. */
static bool take_chains(struct replay *replay, const json_t *object, bool stored,
                        struct world *world)
{
    AUTO(arena) struct arena scratch = { 0 };
    for (int i = 0; i < replay->cluster->identities; i++) {
        const json_t *row = json_object_get(object, identity_key(&scratch, replay->cluster, i).ptr);
        struct gen_certs certs;
        if (row == NULL)
            continue;
        if (!doc_certs(replay->doc, row, &certs))
            return replay_fail(replay, "the document names a certificate that is not there",
                               identity_key(replay->arena, replay->cluster, i));
        (stored ? world->stored : world->loaded)[i] = truth_list(replay->truth, &certs);
    }
    return true;
}

/* The anchors of one store or truster: a whole list at the start, later what comes and goes. */
static bool take_anchors(struct replay *replay, const json_t *object, str key, uint32_t *list)
{
    const json_t *row = json_object_get(object, key.ptr);
    struct gen_certs whole, add, remove;
    if (row == NULL)
        return true;
    bool known = json_is_array(row)
                     ? doc_certs(replay->doc, row, &whole)
                     : doc_certs(replay->doc, json_object_get(row, "add"), &add) &&
                           doc_certs(replay->doc, json_object_get(row, "remove"), &remove);
    if (!known)
        return replay_fail(replay, "the document names a certificate that is not there",
                           str_copy(replay->arena, key));
    if (json_is_array(row)) {
        *list = truth_list(replay->truth, &whole);
        return true;
    }
    for (uint32_t i = 0; i < add.count; i++)
        *list = truth_with(replay->truth, *list, add.ids[i]);
    for (uint32_t i = 0; i < remove.count; i++)
        *list = truth_without(replay->truth, *list, remove.ids[i]);
    return true;
}

static bool take_changes(struct replay *replay, const json_t *changes, struct world *world)
{
    AUTO(arena) struct arena scratch = { 0 };
    const struct gen_cluster *cluster = replay->cluster;
    const json_t *trusts = json_object_get(changes, "trusts");
    if (!take_chains(replay, json_object_get(changes, "stored"), true, world) ||
        !take_chains(replay, json_object_get(changes, "loaded"), false, world))
        return false;
    for (int i = 0; i < cluster->stores; i++)
        if (!take_anchors(replay, trusts, store_key(&scratch, cluster, i), &world->anchors[i]))
            return false;
    for (int i = 0; i < cluster->trusters; i++)
        if (!take_anchors(replay, trusts, truster_key(&scratch, cluster, i), &world->trusted[i]))
            return false;
    return true;
}

static bool compare(struct replay *replay, const struct world *said, const struct world *real,
                    size_t wave)
{
    const struct gen_cluster *cluster = replay->cluster;
    struct truth *truth = replay->truth;
    for (int i = 0; i < cluster->identities; i++) {
        str key = identity_key(replay->arena, cluster, i);
        if (said->stored[i] != real->stored[i])
            return differs(replay, "the document has another stored chain", wave, key);
        if (loads_itself(cluster->identity[i].load) && said->loaded[i] != real->loaded[i])
            return differs(replay, "the document has another loaded chain", wave, key);
    }
    for (int i = 0; i < cluster->stores; i++)
        if (!same_set(truth_certs(truth, said->anchors[i]), truth_certs(truth, real->anchors[i])))
            return differs(replay, "the document has other stored anchors", wave,
                           store_key(replay->arena, cluster, i));
    for (int i = 0; i < cluster->trusters; i++)
        if (loads_itself(cluster->truster[i].load) &&
            !same_set(truth_certs(truth, said->trusted[i]), truth_certs(truth, real->trusted[i])))
            return differs(replay, "the document has other loaded anchors", wave,
                           truster_key(replay->arena, cluster, i));
    return true;
}

bool check_changes(struct replay *replay)
{
    const struct doc *doc = replay->doc;
    struct world said;
    world_start(replay->truth, replay->cluster, &said);
    const json_t *start = json_object_get(json_object_get(doc->json, "proof"), "start");
    if (!take_changes(replay, start, &said) || !compare(replay, &said, &replay->worlds[0], 0))
        return false;
    for (size_t wave = 0; wave < doc->waves.count; wave++)
        if (!take_changes(replay, doc->waves.items[wave].changes, &said) ||
            !compare(replay, &said, &replay->worlds[wave + 1], wave + 1))
            return false;
    return true;
}
