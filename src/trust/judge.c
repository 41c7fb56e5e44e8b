/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/judge.h"

#include "trust/present.h"
#include "trust/rules.h"

/* One direction of a link: what is presented, and who judges it. */
struct side {
    enum tls_role role;   /* of the end that presents */
    uint32_t chain;       /* NO_ID: nothing */
    uint32_t own_anchors; /* of the end that presents, NO_ID: none */
    uint32_t anchors;     /* of the end that judges */
};

void judge_init(struct judge *judge, struct model *model)
{
    *judge = (struct judge){ .model = model };
    judge->paths.arena = model->arena;
    facts_init(&judge->facts, model);
}

void judge_assume_signed(struct judge *judge, uint32_t cert, uint32_t issuer)
{
    facts_assume_signed(&judge->facts, cert, issuer);
}

static struct verdict verdict_of(const struct rule *broken, const struct path *path, size_t depth,
                                 enum tls_role role)
{
    struct verdict verdict = { .ok = broken == NULL, .certificate = NO_ID, .until = path->until };
    if (broken == NULL)
        return verdict;
    verdict.client_side = role == ROLE_CLIENT;
    verdict.cause = role == ROLE_CLIENT ? broken->client_cause : broken->server_cause;
    verdict.certificate = path->count == 0 ? NO_ID : path->certs[depth];
    return verdict;
}

static struct judged try_path(struct judge *judge, const struct side *side, moment at)
{
    struct model *model = judge->model;
    struct path path = { .since = INT64_MIN, .until = INT64_MAX };
    moment since = INT64_MIN, until = INT64_MAX;
    uint32_t chain =
        present_chain(&judge->facts, side->chain, side->own_anchors, at, &since, &until);
    str anchors = model->anchor_sets.items[side->anchors];
    if (chain != NO_ID && model->chains.items[chain].len > 0)
        path_build(&judge->facts, model->chains.items[chain], anchors, at, &path);
    path.since = since > path.since ? since : path.since;
    path.until = until < path.until ? until : path.until;
    struct trial trial = {
        .facts = &judge->facts, .role = side->role, .path = &path, .anchors = anchors, .at = at
    };
    size_t depth;
    const struct rule *broken = rules_try(&trial, PASS_PRESENTED, PASS_CONSTRAINTS, &depth);
    return (struct judged){ .verdict = verdict_of(broken, &path, depth, side->role),
                            .since = path.since,
                            .known = model->certs.count };
}

static struct verdict judge_path(struct judge *judge, const struct side *side, moment at)
{
    uint32_t parts[] = { side->chain, side->own_anchors, side->anchors, side->role };
    uint32_t fresh = (uint32_t)judge->judged.count;
    uint32_t index = map_put(&judge->paths, (str){ (const char *)parts, sizeof(parts) }, fresh);
    if (index == fresh) {
        struct judged judged = try_path(judge, side, at);
        list_push(judge->model->arena, &judge->judged) = judged;
        return judged.verdict;
    }
    struct judged *known = &judge->judged.items[index];
    bool fits = at >= known->since && at < known->verdict.until;
    if (!fits || (!known->verdict.ok && known->known != judge->model->certs.count))
        *known = try_path(judge, side, at);
    return known->verdict;
}

/* The demands of this link on a leaf whose path is good: its names, its identity. */
static struct verdict judge_demands(struct judge *judge, const struct link *link,
                                    const struct side *side, struct verdict verdict, moment at)
{
    size_t count, depth;
    struct path leaf = { .count = 1, .until = verdict.until };
    leaf.certs[0] = model_members(judge->model->chains.items[side->chain], &count)[0];
    struct trial trial = {
        .facts = &judge->facts, .role = side->role, .path = &leaf, .at = at, .link = link
    };
    const struct rule *broken = rules_try(&trial, PASS_LINK, PASS_LINK, &depth);
    return broken == NULL ? verdict : verdict_of(broken, &leaf, 0, side->role);
}

static struct verdict judge_side(struct judge *judge, const struct link *link,
                                 const struct side *side, moment at)
{
    struct verdict verdict = judge_path(judge, side, at);
    return verdict.ok ? judge_demands(judge, link, side, verdict, at) : verdict;
}

static bool server_judges(const struct service *server, const struct link *link, struct ends ends)
{
    bool wants = server->client_auth == CLIENT_AUTH_REQUIRED || link->user_is_cn;
    if (ends.server_anchors == NO_ID)
        return false;
    return wants || (server->client_auth == CLIENT_AUTH_OPTIONAL && ends.client_chain != NO_ID);
}

/* Whoever verifies it: no handshake is completed without a certificate of the server's. */
static bool has_nothing_to_present(const struct service *server, struct ends ends)
{
    return server->listen_identity != NO_ID && ends.server_chain == NO_ID;
}

struct verdict judge_link(struct judge *judge, const struct link *link, struct ends ends, moment at)
{
    const struct service *server = &judge->model->services.items[link->to];
    struct verdict verdict = { .ok = true, .certificate = NO_ID, .until = INT64_MAX };
    if (has_nothing_to_present(server, ends))
        return (struct verdict){ .cause = CAUSE_keystore_missing,
                                 .certificate = NO_ID,
                                 .until = INT64_MAX };
    if (link->verify != VERIFY_NONE && ends.client_anchors != NO_ID) {
        struct side side = { .role = ROLE_SERVER,
                             .chain = ends.server_chain,
                             .own_anchors = ends.server_anchors,
                             .anchors = ends.client_anchors };
        verdict = judge_side(judge, link, &side, at);
    }
    if (!verdict.ok || !server_judges(server, link, ends))
        return verdict;
    struct side side = { .role = ROLE_CLIENT,
                         .chain = ends.client_chain,
                         .own_anchors = ends.client_anchors,
                         .anchors = ends.server_anchors };
    struct verdict client = judge_side(judge, link, &side, at);
    if (verdict.until < client.until)
        client.until = verdict.until;
    return client;
}

static uint32_t chain_of(const struct model *model, uint32_t identity, bool stored)
{
    if (identity == NO_ID)
        return NO_ID;
    const struct identity *row = &model->identities.items[identity];
    return stored ? row->stored : row->loaded;
}

static struct ends ends_of(const struct model *model, const struct link *link, bool stored)
{
    const struct service *server = &model->services.items[link->to];
    return (struct ends){ .client_chain = chain_of(model, link->client_identity, stored),
                          .server_chain = chain_of(model, server->listen_identity, stored),
                          .client_anchors = NO_ID,
                          .server_anchors = NO_ID };
}

struct ends ends_loaded(const struct model *model, const struct link *link)
{
    struct ends ends = ends_of(model, link, false);
    uint32_t client = link->client_truster;
    uint32_t server = model->services.items[link->to].client_truster;
    if (client != NO_ID)
        ends.client_anchors = model->trusters.items[client].loaded;
    if (server != NO_ID)
        ends.server_anchors = model->trusters.items[server].loaded;
    return ends;
}

struct ends ends_stored(struct model *model, const struct link *link)
{
    struct ends ends = ends_of(model, link, true);
    uint32_t client = link->client_truster;
    uint32_t server = model->services.items[link->to].client_truster;
    if (client != NO_ID)
        ends.client_anchors = truster_stored(model, &model->trusters.items[client]);
    if (server != NO_ID)
        ends.server_anchors = truster_stored(model, &model->trusters.items[server]);
    return ends;
}
