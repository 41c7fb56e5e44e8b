/* SPDX-License-Identifier: Apache-2.0 */
#include "survey/parts.h"

/*
 * A server can say who is connected to it and with which certificate. A standby is told from
 * another of the same user by its certificate's serial number, and where that is an older one or
 * several have the same by what it calls itself.
 */

static bool streams(const struct link_conf *link)
{
    return str_eq(link->database, S("replication"));
}

static str without_zeros(str hex)
{
    while (hex.len > 1 && hex.ptr[0] == '0')
        hex = (str){ hex.ptr + 1, hex.len - 1 };
    return hex;
}

/* The serial number that a link's client has stored, or the empty string. */
static str stored_serial(const struct survey *survey, const struct link *link)
{
    if (link->client_identity == NO_ID)
        return S("");
    uint32_t chain = survey->model.identities.items[link->client_identity].stored;
    size_t count = 0;
    const uint32_t *members =
        chain == NO_ID ? NULL : model_members(survey->model.chains.items[chain], &count);
    return count == 0 ? S("") : without_zeros(survey->model.certs.items[members[0]].serial);
}

/* One server's side: its peers, and which of them are accounted for. */
struct ledger {
    struct survey *survey;
    const struct service *server;
    const peer_list *peers;
    bool *taken; /* by peer */
};

static bool may_be(const struct peer *peer, const struct link *link, const struct link_conf *conf)
{
    bool replication = str_eq(peer->database, S("replication"));
    bool user = link->user.len == 0 || str_eq(peer->user, link->user);
    return user && replication == streams(conf);
}

/* What tells that a peer is a link's client, the surest first. */
enum likeness { SAME_CERTIFICATE_AND_NAME, SAME_CERTIFICATE, SAME_NAME, SAME_USER, LIKENESS_COUNT };

static bool is_like(enum likeness likeness, bool certificate, bool name)
{
    bool asks_certificate = likeness == SAME_CERTIFICATE_AND_NAME || likeness == SAME_CERTIFICATE;
    bool asks_name = likeness == SAME_CERTIFICATE_AND_NAME || likeness == SAME_NAME;
    return (certificate || !asks_certificate) && (name || !asks_name);
}

/* Take the first peer that is so much like this link's client. */
static const struct peer *take_stream(struct ledger *ledger, const struct link *link,
                                      const struct link_conf *conf, enum likeness likeness)
{
    str serial = stored_serial(ledger->survey, link);
    str node = ledger->survey->model.services.items[link->from].node;
    for (size_t i = 0; i < ledger->peers->count; i++) {
        const struct peer *peer = &ledger->peers->items[i];
        if (ledger->taken[i] || !may_be(peer, link, conf) ||
            !is_like(likeness, str_eq(without_zeros(peer->serial), serial),
                     str_eq(peer->name, node)))
            continue;
        ledger->taken[i] = true;
        return peer;
    }
    return NULL;
}

static void note_old_session(struct survey *survey, const struct link *link,
                             const struct peer *peer)
{
    struct identity *identity = &survey->model.identities.items[link->client_identity];
    identity->stale = true;
    finding_add(survey->arena, &survey->findings, FINDING_restart_needed_after_renewal,
                survey->model.services.items[link->from].key,
                str_printf(survey->arena,
                           "is connected to %.*s with certificate %.*s; %.*s/%.*s holds another",
                           STR_ARG(survey->model.services.items[link->to].key),
                           STR_ARG(peer->serial), STR_ARG(identity->node),
                           STR_ARG(identity->store)));
}

static void note_no_stream(struct survey *survey, const struct link *link)
{
    finding_add(survey->arena, &survey->findings, FINDING_not_replicating,
                survey->model.services.items[link->from].key,
                str_printf(survey->arena, "does not stream from %.*s",
                           STR_ARG(survey->model.services.items[link->to].key)));
}

/* In rounds, so that a stream that is surely one standby's is never taken for another's. */
static void match_streams(struct ledger *ledger)
{
    struct model *model = &ledger->survey->model;
    AUTO(arena) struct arena scratch = { 0 };
    bool *matched = arena_alloc(&scratch, model->links.count + 1, sizeof(bool));
    for (int round = 0; round < LIKENESS_COUNT; round++)
        for (uint32_t i = 0; i < model->links.count; i++) {
            const struct link *link = &model->links.items[i];
            const struct link_conf *conf = ledger->survey->to.items[i];
            if (!survey_is_first(ledger->survey, i))
                continue;
            if (&model->services.items[link->to] != ledger->server || !streams(conf) || matched[i])
                continue;
            const struct peer *peer = take_stream(ledger, link, conf, (enum likeness)round);
            matched[i] = peer != NULL;
            if (peer == NULL && round == SAME_USER)
                note_no_stream(ledger->survey, link);
            else if (peer != NULL && round > SAME_CERTIFICATE && link->client_identity != NO_ID)
                note_old_session(ledger->survey, link, peer);
        }
}

/* A declared client may connect for something else too, and a standby whose stream was cut does
   before the server has missed the old one: who shows what the client has stored is that client. */
static bool shows_stored(const struct ledger *ledger, const struct peer *peer,
                         const struct link *link)
{
    str serial = stored_serial(ledger->survey, link);
    return serial.len > 0 && str_eq(without_zeros(peer->serial), serial) &&
           (link->user.len == 0 || str_eq(peer->user, link->user));
}

static bool is_declared(const struct ledger *ledger, const struct peer *peer)
{
    const struct model *model = &ledger->survey->model;
    for (size_t i = 0; i < model->links.count; i++) {
        const struct link *link = &model->links.items[i];
        const struct link_conf *conf = ledger->survey->to.items[i];
        if (&model->services.items[link->to] == ledger->server &&
            (shows_stored(ledger, peer, link) || (!streams(conf) && may_be(peer, link, conf))))
            return true;
    }
    return false;
}

static void note_undeclared(struct ledger *ledger, const struct peer *peer)
{
    struct arena *arena = ledger->survey->arena;
    str text = str_printf(
        arena, "user %.*s is connected from %.*s%s%.*s, and no link says so", STR_ARG(peer->user),
        STR_ARG(peer->address.len > 0 ? peer->address : S("its socket")),
        peer->subject.len > 0 ? " with a certificate for " : " without a certificate",
        STR_ARG(peer->subject));
    list_push(arena, &ledger->survey->undeclared) =
        (struct undeclared){ (uint32_t)(ledger->server - ledger->survey->model.services.items),
                             peer, text };
    for (size_t i = 0; i < ledger->survey->findings.count; i++)
        if (str_eq(ledger->survey->findings.items[i].text, text))
            return;
    finding_add(arena, &ledger->survey->findings, FINDING_undeclared_peer, ledger->server->key,
                text);
}

static void look_at(struct survey *survey, const struct service *server)
{
    AUTO(arena) struct arena scratch = { 0 };
    const struct seen_service *seen =
        seen_service(survey_seen_node(survey, server->node), server->name);
    if (seen == NULL || !seen->peers_known)
        return;
    struct ledger ledger = { .survey = survey, .server = server, .peers = &seen->peers };
    ledger.taken = arena_alloc(&scratch, seen->peers.count + 1, sizeof(bool));
    match_streams(&ledger);
    for (size_t i = 0; i < seen->peers.count; i++)
        if (!ledger.taken[i] && !is_declared(&ledger, &seen->peers.items[i]))
            note_undeclared(&ledger, &seen->peers.items[i]);
}

void survey_look_at_peers(struct survey *survey)
{
    for (size_t i = 0; i < survey->model.services.count; i++)
        look_at(survey, &survey->model.services.items[i]);
}
