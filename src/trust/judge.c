/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/judge.h"

#include "trust/present.h"
#include "trust/rules.h"

/* One direction of a link: what is presented, and who judges it. */
struct side {
    enum stack_id stack;  /* of the end that judges */
    enum tls_role role;   /* of the end that presents */
    uint32_t chain;       /* NO_ID: nothing */
    uint32_t withheld;    /* leaf of what it could not choose to present, or NO_ID */
    uint32_t own_anchors; /* of the end that presents, NO_ID: none */
    uint32_t anchors;     /* of the end that judges */
    bool pins_alone;      /* by the pins among them and nothing else */
};

void judge_init(struct judge *judge, struct model *model)
{
    *judge = (struct judge){ .model = model };
    judge->paths.arena = judge->choices.arena = model->arena;
    facts_init(&judge->facts, model);
}

void judge_assume_signed(struct judge *judge, uint32_t cert, uint32_t issuer)
{
    facts_assume_signed(&judge->facts, cert, issuer);
}

static const struct verdict good = {
    .ok = true, .rule = RULE_COUNT, .certificate = NO_ID, .until = INT64_MAX
};

static struct verdict verdict_of(enum rule_id broken, const struct path *path, size_t depth,
                                 enum tls_role role)
{
    struct verdict verdict = good;
    verdict.until = path->until;
    if (broken == RULE_COUNT)
        return verdict;
    verdict.ok = false;
    verdict.client_side = role == ROLE_CLIENT;
    verdict.rule = (uint16_t)broken;
    verdict.cause = rules[broken].causes[role];
    verdict.certificate = path->count == 0 ? NO_ID : path->certs[depth];
    return verdict;
}

/* The paths that are tried for one end's certificate. */
struct attempt {
    struct judge *judge;
    const struct side *side;
    str anchors;
    moment at, since, until;
    bool tried;
    struct verdict verdict; /* of the path that holds, else of the first */
};

static bool try_path(void *context, const struct path *path)
{
    struct attempt *attempt = context;
    struct trial trial = { .facts = &attempt->judge->facts,
                           .stack = attempt->side->stack,
                           .role = attempt->side->role,
                           .path = path,
                           .anchors = attempt->anchors,
                           .at = attempt->at,
                           .withheld = NO_ID };
    size_t depth;
    enum rule_id broken = rules_try(&trial, PART_PATH, &depth);
    if (broken == RULE_COUNT || !attempt->tried)
        attempt->verdict = verdict_of(broken, path, depth, attempt->side->role);
    attempt->tried = true;
    attempt->since = path->since > attempt->since ? path->since : attempt->since;
    attempt->until = path->until < attempt->until ? path->until : attempt->until;
    return broken == RULE_COUNT || rules_is_final(&trial, broken, depth);
}

static void try_paths(struct judge *judge, const struct side *side, moment at,
                      struct judged *ret_judged)
{
    struct model *model = judge->model;
    struct attempt attempt = { .judge = judge,
                               .side = side,
                               .anchors = model->anchor_sets.items[side->anchors],
                               .at = at,
                               .since = INT64_MIN,
                               .until = INT64_MAX };
    uint32_t chain = present_chain(&judge->facts, side->chain, side->own_anchors, at,
                                   &attempt.since, &attempt.until);
    path_each(&(struct path_query){ .facts = &judge->facts,
                                    .library = stack_row(side->stack)->library,
                                    .chain = model->chains.items[chain],
                                    .anchors = attempt.anchors,
                                    .at = at,
                                    .take = try_path,
                                    .context = &attempt });
    ret_judged->verdict = attempt.verdict;
    ret_judged->verdict.until = attempt.until;
    ret_judged->since = attempt.since;
    ret_judged->known = (uint32_t)model->certs.count;
}

static struct verdict judge_path(struct judge *judge, const struct side *side, moment at)
{
    /* Only a lone leaf is completed from the end's own anchors. */
    bool alone = judge->model->chains.items[side->chain].len == sizeof(uint32_t);
    const struct path_key key = { .chain = side->chain,
                                  .own_anchors = alone ? side->own_anchors : NO_ID,
                                  .anchors = side->anchors,
                                  .judged_as = side->stack * ROLE_COUNT + side->role };
    bool unknown;
    struct judged *judged = cache_row(&judge->paths, key, &unknown);
    bool fits = !unknown && at >= judged->since && at < judged->verdict.until;
    if (!fits || (!judged->verdict.ok && judged->known != judge->model->certs.count))
        try_paths(judge, side, at, judged);
    return judged->verdict;
}

/* The demands of this link on a leaf whose path is good: its names, its identity, what is
   remembered of it. */
static struct verdict judge_demands(struct judge *judge, const struct link *link,
                                    const struct side *side, struct verdict verdict, moment at)
{
    size_t count, depth;
    struct path leaf = { .count = 1, .until = verdict.until };
    leaf.certs[0] = model_members(judge->model->chains.items[side->chain], &count)[0];
    struct trial trial = { .facts = &judge->facts,
                           .stack = side->stack,
                           .role = side->role,
                           .path = &leaf,
                           .anchors = judge->model->anchor_sets.items[side->anchors],
                           .at = at,
                           .link = link,
                           .withheld = NO_ID };
    enum rule_id broken = rules_try(&trial, PART_LINK, &depth);
    return broken == RULE_COUNT ? verdict : verdict_of(broken, &leaf, 0, side->role);
}

static struct verdict judge_absent(struct judge *judge, const struct side *side)
{
    size_t depth;
    struct path none = { .until = INT64_MAX };
    struct trial trial = { .facts = &judge->facts,
                           .stack = side->stack,
                           .role = side->role,
                           .path = &none,
                           .withheld = side->withheld };
    enum rule_id broken = rules_try(&trial, PART_PRESENCE, &depth);
    struct verdict verdict = verdict_of(broken, &none, 0, side->role);
    verdict.certificate = side->withheld;
    return verdict;
}

static struct verdict judge_side(struct judge *judge, const struct link *link,
                                 const struct side *side, moment at)
{
    struct verdict verdict = good;
    if (side->chain == NO_ID || judge->model->chains.items[side->chain].len == 0)
        return judge_absent(judge, side);
    if (!side->pins_alone)
        verdict = judge_path(judge, side, at);
    return verdict.ok ? judge_demands(judge, link, side, verdict, at) : verdict;
}

/* Whether an issuer in the chain is among the names that a server with these anchors accepts. A
   server that names nobody accepts anybody (RFC 8446, 4.2.4). */
static bool is_named(struct facts *facts, uint32_t chain, uint32_t anchors)
{
    size_t count, issuers, named = 0;
    const uint32_t *members = model_members(facts->model->chains.items[chain], &issuers);
    const uint32_t *accepted = model_members(facts->model->anchor_sets.items[anchors], &count);
    for (size_t i = 0; i < count; i++) {
        if (model_is_pin(facts->model, accepted[i]))
            continue;
        named++;
        for (size_t k = 0; k < issuers; k++)
            if (facts_of(facts, members[k])->issuer == facts_of(facts, accepted[i])->subject)
                return true;
    }
    return named == 0;
}

static uint32_t choose(struct judge *judge, uint32_t offer, uint32_t anchors)
{
    const uint32_t key[] = { offer, anchors };
    str packed = { (const char *)key, sizeof(key) };
    uint32_t known = map_get(&judge->choices, packed);
    if (known != MAP_NONE)
        return known - 1;
    size_t count, i = 0;
    const uint32_t *chains = model_members(judge->model->offers.items[offer], &count);
    while (i < count && !is_named(&judge->facts, chains[i], anchors))
        i++;
    map_put(&judge->choices, packed, i < count ? chains[i] + 1 : 0);
    return i < count ? chains[i] : NO_ID;
}

/* What the client presents in these ends: of an offer, the chain that it chooses. */
static struct side client_side(struct judge *judge, const struct link *link, struct ends ends)
{
    struct model *model = judge->model;
    size_t count;
    struct side side = { .stack = model->services.items[link->to].stack,
                         .role = ROLE_CLIENT,
                         .chain = ends.client_chain,
                         .withheld = NO_ID,
                         .own_anchors = ends.client_anchors,
                         .anchors = ends.server_anchors,
                         .pins_alone = model->services.items[link->to].pins_alone };
    if (!stack_row(model->services.items[link->from].stack)->completes)
        side.own_anchors = NO_ID;
    if (!link->by_issuer || ends.client_chain == NO_ID || ends.server_anchors == NO_ID)
        return side;
    side.chain = choose(judge, ends.client_chain, ends.server_anchors);
    const uint32_t *offered = model_members(model->offers.items[ends.client_chain], &count);
    if (side.chain == NO_ID && count > 0)
        side.withheld = model_members(model->chains.items[offered[0]], &count)[0];
    return side;
}

static bool server_judges(const struct service *server, const struct link *link,
                          const struct side *client)
{
    bool wants = server->client_auth == CLIENT_AUTH_REQUIRED || link->user_is_cn;
    if (link->kind == LINK_SIGNER || client->anchors == NO_ID)
        return false;
    return wants || (server->client_auth == CLIENT_AUTH_OPTIONAL && client->chain != NO_ID);
}

/* The server, or the signer, by the end that verifies it. */
static struct verdict judge_server(struct judge *judge, const struct link *link, struct ends ends,
                                   moment at)
{
    bool signer = link->kind == LINK_SIGNER;
    const struct service *services = judge->model->services.items;
    bool completes = !signer && stack_row(services[link->to].stack)->completes;
    struct side side = { .stack = services[signer ? link->to : link->from].stack,
                         .role = signer ? ROLE_SIGNER : ROLE_SERVER,
                         .chain = ends.server_chain,
                         .withheld = NO_ID,
                         .own_anchors = completes ? ends.server_anchors : NO_ID,
                         .anchors = ends.client_anchors,
                         .pins_alone = link->verify == VERIFY_NONE };
    /* Whoever verifies it: no handshake is completed without a certificate of the server's. */
    if (link->server_identity != NO_ID && ends.server_chain == NO_ID)
        return judge_absent(judge, &side);
    if (ends.client_anchors == NO_ID)
        return good;
    return judge_side(judge, link, &side, at);
}

struct verdict judge_link(struct judge *judge, const struct link *link, struct ends ends, moment at)
{
    struct verdict verdict = judge_server(judge, link, ends, at);
    if (!verdict.ok)
        return verdict;
    const struct side side = client_side(judge, link, ends);
    if (!server_judges(&judge->model->services.items[link->to], link, &side))
        return verdict;
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

static uint32_t offer_of(struct model *model, const struct link *link, bool stored)
{
    AUTO(arena) struct arena scratch = { 0 };
    LIST(uint32_t) chains = { 0 };
    list_push(&scratch, &chains) = chain_of(model, link->client_identity, stored);
    for (size_t i = 0; i < link->more_identities.count; i++)
        list_push(&scratch, &chains) = chain_of(model, link->more_identities.items[i], stored);
    return model_offer(model, chains.items, chains.count);
}

static uint32_t anchors_of(struct model *model, uint32_t truster, bool stored)
{
    if (truster == NO_ID)
        return NO_ID;
    const struct truster *row = &model->trusters.items[truster];
    return stored ? truster_stored(model, row) : row->loaded;
}

static struct ends ends_of(struct model *model, const struct link *link, bool stored)
{
    uint32_t judge_of_clients = model->services.items[link->to].client_truster;
    struct ends ends = { .client_chain = link->by_issuer
                                             ? offer_of(model, link, stored)
                                             : chain_of(model, link->client_identity, stored),
                         .server_chain = chain_of(model, link->server_identity, stored),
                         .client_anchors = anchors_of(model, link->client_truster, stored),
                         .server_anchors = NO_ID };
    if (link->kind == LINK_CONNECT)
        ends.server_anchors = anchors_of(model, judge_of_clients, stored);
    return ends;
}

struct ends ends_loaded(struct model *model, const struct link *link)
{
    return ends_of(model, link, false);
}

struct ends ends_stored(struct model *model, const struct link *link)
{
    return ends_of(model, link, true);
}
