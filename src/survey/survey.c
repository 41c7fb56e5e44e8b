/* SPDX-License-Identifier: Apache-2.0 */
#include "survey/survey.h"

#include "store/store.h"
#include "survey/index.h"
#include "survey/parts.h"
#include "survey/place.h"

enum { LOOK_MS = 20 * 1000, GRACE_MS = 2000, SKEW_SECONDS = 60 };

static json_t *question(const struct survey *survey, const struct survey_options *options,
                        const struct node_conf *node, int timeout_ms)
{
    str text = fleet_node_text(survey->arena, node);
    return json_pack("{s:s%,s:I,s:I,s:b,s:i}", "node", text.ptr, text.len, "renew_before",
                     (json_int_t)survey->cluster->policy.renew_before, "now",
                     (json_int_t)options->now, "connect", !options->offline, "timeout_ms",
                     timeout_ms);
}

static void note_unreached(struct survey *survey, const struct node_conf *node,
                           const struct err *err)
{
    str text = str_printf(survey->arena, "%s%s%s", err->msg, err->where ? ", at " : "",
                          err->where ? err->where : "");
    struct finding *finding =
        finding_add(survey->arena, &survey->findings, FINDING_node_unreachable, node->name, text);
    finding->next = str_copy(survey->arena, str_c(err->next));
}

/* Which of the two is wrong cannot be told from here. */
static void note_clock(struct survey *survey, const struct node_conf *node, moment clock)
{
    moment ours = clock_now(), ahead = clock - ours;
    struct arena *arena = survey->arena;
    if (ahead <= SKEW_SECONDS && ahead >= -SKEW_SECONDS)
        return;
    str text =
        str_printf(arena,
                   "its clock is %lld seconds %s ours: %.*s there, %.*s here; set the wrong "
                   "one right, by NTP best",
                   (long long)(ahead > 0 ? ahead : -ahead), ahead > 0 ? "ahead of" : "behind",
                   STR_ARG(clock_format(arena, clock)), STR_ARG(clock_format(arena, ours)));
    finding_add(arena, &survey->findings, FINDING_clock_skew, node->name, text)->next =
        fleet_line(arena, survey->fleet, node->name, S("timedatectl"));
}

/* What the node says to type is typed here. */
static void move_next(struct survey *survey, const struct node_conf *node, size_t first)
{
    for (size_t i = first; i < survey->findings.count; i++)
        if (survey->findings.items[i].next.len > 0)
            survey->findings.items[i].next = fleet_line(survey->arena, survey->fleet, node->name,
                                                        survey->findings.items[i].next);
}

/* What all answers together come to. */
struct gathered {
    struct map sources;   /* two stores may be one file */
    struct cluster links; /* that were discovered */
};

static void note_source(struct survey *survey, struct gathered *gathered,
                        const struct seen_file *file)
{
    uint32_t fresh = (uint32_t)survey->sources.count;
    if (map_lend(&gathered->sources, file->path, fresh) == fresh)
        list_push(survey->arena, &survey->sources) = *file;
}

/* A node that cannot be looked into is a finding: the others are still worth knowing. */
static void take_answer(struct survey *survey, struct gathered *gathered, size_t index,
                        struct ask *ask)
{
    struct node_conf *node = &survey->cluster->nodes.items[index];
    struct cluster fragment = { .arena = survey->arena };
    struct seen_node *seen = &survey->nodes.items[index];
    size_t first = survey->findings.count;
    if (!ask->ok ||
        !seen_read(survey->arena, ask->answer, seen, &fragment, &survey->findings, &ask->err)) {
        *seen = (struct seen_node){ 0 };
        note_unreached(survey, node, &ask->err);
        return;
    }
    move_next(survey, node, first);
    note_clock(survey, node, seen->clock);
    int line = node->line;
    *node = fragment.nodes.items[0];
    node->line = line;
    for (size_t i = 0; i < fragment.links.count; i++)
        list_push(survey->arena, &gathered->links.links) = fragment.links.items[i];
    for (size_t i = 0; i < seen->stores.count; i++)
        for (size_t k = 0; k < seen->stores.items[i].files.count; k++)
            note_source(survey, gathered, &seen->stores.items[i].files.items[k]);
}

static void ask_all(struct survey *survey, const struct survey_options *options)
{
    size_t count = survey->cluster->nodes.count;
    int timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : LOOK_MS;
    struct ask *asks = arena_alloc(survey->arena, count + 1, sizeof(*asks));
    json_t **bodies = arena_alloc(survey->arena, count + 1, sizeof(json_t *));
    for (size_t i = 0; i < count; i++) {
        const struct node_conf *node = &survey->declared.nodes.items[i];
        bodies[i] = question(survey, options, node, timeout_ms);
        asks[i] = (struct ask){ .reach = fleet_reach(survey->fleet, node->name),
                                .op = "look",
                                .body = bodies[i],
                                .timeout_ms = timeout_ms + GRACE_MS };
    }
    AUTO(arena) struct arena scratch = { 0 };
    struct gathered gathered = { .sources.arena = &scratch, .links.arena = survey->arena };
    reach_ask_all(asks, count);
    for (size_t i = 0; i < count; i++) {
        list_push(survey->arena, &survey->nodes) = (struct seen_node){ 0 };
        take_answer(survey, &gathered, i, &asks[i]);
        ask_clear(&asks[i]);
        json_decref(bodies[i]);
    }
    cluster_merge(survey->cluster, &gathered.links);
}

str survey_node_text(const struct survey *survey, str node)
{
    uint32_t at = map_get(&survey->index->cluster.nodes, node);
    if (at == MAP_NONE || at >= survey->declared.nodes.count)
        return S("");
    str *text = &survey->index->node_texts[at];
    if (text->len == 0)
        *text = fleet_node_text(survey->arena, &survey->declared.nodes.items[at]);
    return *text;
}

bool survey_reached(const struct survey *survey, str node)
{
    return survey_seen_node(survey, node)->reached;
}

/* The "node/service" that a link's client dials as `address`, or `address` itself. */
static str end_at(struct survey *survey, str client, str address)
{
    const struct cluster_index *index = &survey_index(survey)->cluster;
    str service = address, server = str_cut(&service, '/');
    if (index_service(index, server, service) != NULL)
        return address;
    const struct node_conf *from = index_node(index, str_cut(&client, '/'));
    for (size_t n = 0; from != NULL && n < survey->cluster->nodes.count; n++) {
        const struct node_conf *node = &survey->cluster->nodes.items[n];
        for (size_t s = 0; s < node->services.count; s++)
            if (place_leads_to(survey, from, address, node, &node->services.items[s]))
                return str_printf(survey->arena, "%.*s/%.*s", STR_ARG(node->name),
                                  STR_ARG(node->services.items[s].name));
    }
    return address;
}

/* What makes two declared links one. */
static str link_name(struct arena *arena, const struct link_conf *link)
{
    return str_printf(arena, "%.*s\n%.*s\n%.*s\n%.*s", STR_ARG(link->from), STR_ARG(link->to),
                      STR_ARG(link->name), STR_ARG(link->user));
}

/* A driver names the other end of a link by its address; named, it can be one that is declared
   already, and what is declared stays. */
static void name_ends(struct survey *survey)
{
    AUTO(arena) struct arena scratch = { 0 }, texts = { 0 };
    struct map names = { .arena = &scratch };
    uint32_t kept = 0;
    struct link_conf *links = survey->cluster->links.items;
    map_reserve(&names, survey->cluster->links.count);
    for (size_t i = 0; i < survey->cluster->links.count; i++) {
        struct link_conf link = links[i];
        str address = link.to;
        link.to = end_at(survey, link.from, address);
        if (!str_eq(link.to, address))
            link.address = address;
        uint32_t twin = map_put(&names, link_name(&texts, &link), kept);
        arena_reset(&texts);
        if (twin == kept)
            links[kept++] = link;
        else if (links[twin].address.len == 0)
            links[twin].address = link.address;
    }
    survey->cluster->links.count = kept;
}

/* Whether the node that an end names ("node/service") did not answer. */
static bool is_unreached(const struct survey *survey, str end)
{
    str node = str_cut(&end, '/');
    return index_node(&survey->index->cluster, node) != NULL && !survey_reached(survey, node);
}

static void add_links(struct survey *survey)
{
    size_t count = survey->cluster->links.count;
    list_reserve(survey->arena, &survey->model.links, count);
    list_reserve(survey->arena, &survey->to, count);
    map_reserve(&survey->model.link_ids, count);
    for (size_t i = 0; i < count; i++) {
        const struct link_conf *link = &survey->cluster->links.items[i];
        if (survey_add_link(survey, link))
            continue;
        if (is_unreached(survey, link->from) || is_unreached(survey, link->to))
            list_push(survey->arena, &survey->unseen) = link;
        else
            finding_add(survey->arena, &survey->findings, FINDING_undeclared_peer, link->from,
                        str_printf(survey->arena, "connects to %.*s, which is no known service",
                                   STR_ARG(link->to)));
    }
}

void survey_build(struct survey *survey)
{
    struct cluster *cluster = survey->cluster;
    name_ends(survey);
    for (size_t i = 0; i < cluster->nodes.count; i++)
        for (size_t j = 0; j < cluster->nodes.items[i].services.count; j++)
            survey_add_service(survey, &cluster->nodes.items[i],
                               &cluster->nodes.items[i].services.items[j]);
    add_links(survey);
    survey_add_copies(survey);
}

/* Of the lists that a survey fills in. */
static struct cluster copy_of(struct arena *arena, const struct cluster *cluster)
{
    struct cluster copy = *cluster;
    copy.nodes.items = NULL, copy.nodes.count = copy.nodes.cap = 0;
    copy.links.items = NULL, copy.links.count = copy.links.cap = 0;
    for (size_t i = 0; i < cluster->nodes.count; i++)
        list_push(arena, &copy.nodes) = cluster->nodes.items[i];
    for (size_t i = 0; i < cluster->links.count; i++)
        list_push(arena, &copy.links) = cluster->links.items[i];
    return copy;
}

/* Of a store ("node/store") without a certificate: an identity that a service presents before one
   that nobody does. */
static const struct identity *gone_from(const struct survey *survey, str store)
{
    AUTO(arena) struct arena scratch = { 0 };
    const struct identity *found = NULL;
    for (size_t i = 0; i < survey->model.identities.count; i++) {
        const struct identity *identity = &survey->model.identities.items[i];
        if (identity->gone && (found == NULL || found->loaded == NO_ID) &&
            str_eq(store, str_printf(&scratch, "%.*s/%.*s", STR_ARG(identity->node),
                                     STR_ARG(identity->store))))
            found = identity;
    }
    return found;
}

bool survey_shows_gone(const struct survey *survey, str store)
{
    const struct identity *gone = gone_from(survey, store);
    return gone != NULL && gone->loaded != NO_ID;
}

static void say_what_is_lost(struct survey *survey)
{
    for (size_t i = 0; i < survey->findings.count; i++) {
        struct finding *finding = &survey->findings.items[i];
        if (finding->code != FINDING_certificate_missing)
            continue;
        const struct identity *gone = gone_from(survey, finding->where);
        if (gone == NULL || gone->loaded != NO_ID)
            continue;
        finding->text =
            str_printf(survey->arena, "%.*s, and no service presents what was there: put it back",
                       STR_ARG(finding->text));
    }
}

bool survey_run(struct arena *arena, struct cluster *cluster, struct fleet *fleet,
                const struct survey_options *options, struct survey *ret_survey, struct err *err)
{
    *ret_survey =
        (struct survey){ .arena = arena, .cluster = cluster, .fleet = fleet, .now = options->now };
    model_init(&ret_survey->model, arena);
    ret_survey->declared = copy_of(arena, cluster);
    ask_all(ret_survey, options);
    survey_build(ret_survey);
    if (ret_survey->model.services.count == 0)
        return err_set(err, ERR_USAGE, "%.*s: no service is declared and none was found",
                       STR_ARG(cluster->path));
    survey_look_at_wire(ret_survey);
    say_what_is_lost(ret_survey);
    survey_look_at_pins(ret_survey);
    judge_init(&ret_survey->judge, &ret_survey->model);
    if (!options->offline)
        survey_look_at_peers(ret_survey);
    return true;
}

bool survey_again(struct arena *arena, const struct survey *survey, struct cluster *ret_cluster,
                  struct survey *ret_survey, struct err *err)
{
    struct survey_options options = { .now = clock_now() };
    *ret_cluster = copy_of(arena, &survey->declared);
    return survey_run(arena, ret_cluster, survey->fleet, &options, ret_survey, err);
}

enum { LONGEST = 16 };

/* The CA certificate that signed `cert`, or NO_ID. */
static uint32_t signer_of(struct survey *survey, uint32_t cert)
{
    struct facts *facts = &survey->judge.facts;
    for (uint32_t i = 0; i < survey->model.certs.count; i++)
        if (i != cert && survey->model.certs.items[i].ca && facts_likely_issued(facts, cert, i) &&
            facts_signed(facts, cert, i))
            return i;
    return NO_ID;
}

/* The self-signed certificate that a chain of signatures leads to from `cert`, or NO_ID. */
static uint32_t root_above(struct survey *survey, uint32_t cert)
{
    for (int depth = 0; depth < LONGEST && cert != NO_ID; depth++) {
        if (facts_of(&survey->judge.facts, cert)->self_signed)
            return cert;
        cert = signer_of(survey, cert);
    }
    return NO_ID;
}

void survey_issuer(struct survey *survey, moment now, struct survey_issuer *ret_issuer)
{
    AUTO(err) struct err err = { 0 };
    str path = survey->cluster->issuer.certificate;
    struct store_options options = { .now = now };
    struct store store;
    *ret_issuer = (struct survey_issuer){ .issuer = NO_ID, .anchor = NO_ID };
    if (!store_read(survey->arena, str_cstr(survey->arena, path), &options, &store, &err)) {
        finding_add(survey->arena, &survey->findings, FINDING_keystore_unreadable, S("issuer"),
                    str_c(err.msg));
        return;
    }
    for (size_t i = 0; i < store.entries.count; i++) {
        if (store.entries.items[i].kind != ENTRY_TRUSTED)
            continue;
        uint32_t id = model_cert(&survey->model, store.entries.items[i].cert);
        if (ret_issuer->issuer == NO_ID)
            ret_issuer->issuer = id;
        if (!survey->model.certs.items[id].self_issued)
            list_push(survey->arena, &ret_issuer->sent_along) = id;
    }
    if (ret_issuer->issuer != NO_ID)
        ret_issuer->anchor = root_above(survey, ret_issuer->issuer);
    else
        finding_add(survey->arena, &survey->findings, FINDING_keystore_format, S("issuer"),
                    str_printf(survey->arena, "%.*s holds no certificate", STR_ARG(path)));
}

static str two_signers(const struct survey *survey, const struct identity *first, uint32_t by,
                       const struct identity *second, uint32_t other)
{
    const struct cert *certs = survey->model.certs.items;
    return str_printf(survey->arena, "%.*s/%.*s is signed by %.*s, %.*s/%.*s by %.*s",
                      STR_ARG(first->node), STR_ARG(first->store), STR_ARG(certs[by].subject),
                      STR_ARG(second->node), STR_ARG(second->store), STR_ARG(certs[other].subject));
}

static uint32_t signer_of_identity(struct survey *survey, const struct identity *identity)
{
    size_t count = 0;
    const uint32_t *members =
        identity->stored == NO_ID
            ? NULL
            : model_members(survey->model.chains.items[identity->stored], &count);
    return count == 0 ? NO_ID : signer_of(survey, members[0]);
}

static uint32_t one_signer(struct survey *survey, str *ret_why)
{
    const struct model *model = &survey->model;
    const struct identity *first = NULL;
    uint32_t signer = NO_ID;
    *ret_why = S("no certificate is there whose CA is known");
    for (size_t i = 0; i < model->identities.count; i++) {
        const struct identity *identity = &model->identities.items[i];
        uint32_t by = signer_of_identity(survey, identity);
        if (by != NO_ID && signer != NO_ID && by != signer) {
            *ret_why = two_signers(survey, first, signer, identity, by);
            return NO_ID;
        }
        first = first == NULL && by != NO_ID ? identity : first;
        signer = by != NO_ID ? by : signer;
    }
    return signer;
}

void survey_signer(struct survey *survey, struct survey_issuer *ret_issuer, str *ret_why)
{
    *ret_issuer = (struct survey_issuer){ .issuer = one_signer(survey, ret_why), .anchor = NO_ID };
    if (ret_issuer->issuer == NO_ID)
        return;
    ret_issuer->anchor = root_above(survey, ret_issuer->issuer);
    for (uint32_t at = ret_issuer->issuer;
         at != NO_ID && !survey->model.certs.items[at].self_issued; at = signer_of(survey, at))
        list_push(survey->arena, &ret_issuer->sent_along) = at;
    if (ret_issuer->anchor != NO_ID)
        return;
    *ret_why = str_printf(survey->arena, "no root is known that vouches for %.*s",
                          STR_ARG(survey->model.certs.items[ret_issuer->issuer].subject));
    ret_issuer->issuer = NO_ID;
}
