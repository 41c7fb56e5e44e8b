/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/path.h"

struct builder {
    struct facts *facts;
    const uint32_t *presented, *anchors;
    size_t presented_count, anchor_count;
    moment at;
    struct path *path;
};

bool path_is_expired(const struct cert *cert, moment at)
{
    return at >= cert->not_after;
}

bool path_is_early(const struct cert *cert, moment at)
{
    return at < cert->not_before;
}

void path_narrow(const struct cert *cert, moment at, moment *since, moment *until)
{
    const moment boundaries[] = { cert->not_before, cert->not_after };
    for (size_t i = 0; i < COUNT(boundaries); i++) {
        if (boundaries[i] <= at && boundaries[i] > *since)
            *since = boundaries[i];
        if (boundaries[i] > at && boundaries[i] < *until)
            *until = boundaries[i];
    }
}

static bool on_path(const struct path *path, uint32_t cert)
{
    for (size_t i = 0; i < path->count; i++)
        if (path->certs[i] == cert)
            return true;
    return false;
}

/* Of two issuers that both fit, the one that OpenSSL keeps: the first valid one ends the search,
   among those that are not the latest end wins. */
static uint32_t better(const struct builder *builder, uint32_t best, uint32_t candidate)
{
    const struct cert *certs = builder->facts->model->certs.items;
    const struct cert *cert = &certs[candidate];
    path_narrow(cert, builder->at, &builder->path->since, &builder->path->until);
    bool valid = !path_is_early(cert, builder->at) && !path_is_expired(cert, builder->at);
    if (best == NO_ID)
        return candidate;
    bool best_valid =
        !path_is_early(&certs[best], builder->at) && !path_is_expired(&certs[best], builder->at);
    if (best_valid)
        return best;
    return valid || cert->not_after > certs[best].not_after ? candidate : best;
}

static uint32_t find_anchor(const struct builder *builder, uint32_t cert)
{
    uint32_t best = NO_ID;
    for (size_t i = 0; i < builder->anchor_count; i++)
        if (facts_likely_issued(builder->facts, cert, builder->anchors[i]))
            best = better(builder, best, builder->anchors[i]);
    return best;
}

static uint32_t find_presented(const struct builder *builder, uint32_t cert)
{
    uint32_t best = NO_ID;
    for (size_t i = 1; i < builder->presented_count; i++)
        if (!on_path(builder->path, builder->presented[i]) &&
            facts_likely_issued(builder->facts, cert, builder->presented[i]))
            best = better(builder, best, builder->presented[i]);
    return best;
}

/* Put the issuer of the last certificate from the anchors on the path. A self-signed certificate
   is its own anchor only when it is one byte for byte: another of the same name is a mimic. */
static bool add_anchor(struct builder *builder)
{
    struct path *path = builder->path;
    uint32_t last = path->certs[path->count - 1];
    uint32_t anchor = find_anchor(builder, last);
    if (anchor == NO_ID)
        return false;
    if (facts_of(builder->facts, last)->self_signed) {
        if (anchor != last)
            return false;
        path->untrusted = path->count - 1;
        path->complete = true;
        return true;
    }
    path->certs[path->count++] = anchor;
    path->complete = facts_of(builder->facts, anchor)->self_signed;
    return true;
}

static bool add_presented(struct builder *builder)
{
    struct path *path = builder->path;
    uint32_t last = path->certs[path->count - 1];
    if (facts_of(builder->facts, last)->self_signed)
        return false;
    uint32_t issuer = find_presented(builder, last);
    if (issuer == NO_ID)
        return false;
    path->certs[path->count++] = issuer;
    path->untrusted = path->count;
    return true;
}

void path_build(struct facts *facts, str chain, str anchors, moment at, struct path *ret_path)
{
    struct builder builder = { .facts = facts, .at = at, .path = ret_path };
    builder.presented = model_members(chain, &builder.presented_count);
    builder.anchors = model_members(anchors, &builder.anchor_count);
    *ret_path = (struct path){ .count = 1, .untrusted = 1, .since = INT64_MIN, .until = INT64_MAX };
    ret_path->certs[0] = builder.presented[0];
    bool from_presented = true;
    while (!ret_path->complete && ret_path->count < PATH_CERTS) {
        if (add_anchor(&builder))
            from_presented = false;
        else if (!from_presented || !add_presented(&builder))
            break;
    }
    if (ret_path->count > PATH_LONGEST + 1)
        ret_path->complete = false;
    for (size_t i = 0; i < ret_path->count; i++)
        path_narrow(&facts->model->certs.items[ret_path->certs[i]], at, &ret_path->since,
                    &ret_path->until);
}
