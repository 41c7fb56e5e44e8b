/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/verify.h"

#include "node/protocol.h"
#include "tls/endpoint.h"

#include <time.h>

/* A standby reconnects when its server tells it to, by default every five seconds. */
enum { STREAM_MS = 30 * 1000, POLL_MS = 300, PROBE_MS = 8000, GRACE_MS = 4000 };

/* A fresh look, and what the probes of its links said. */
struct sight {
    struct arena arena;
    struct cluster cluster;
    struct survey survey;
};

static void sight_close(struct sight *sight)
{
    arena_free(&sight->arena);
}
DEFINE_AUTO(sight, struct sight, sight_close(handle))

static const struct service_conf *conf_of(struct sight *sight, uint32_t service,
                                          struct node_conf **ret_node)
{
    const struct service *row = &sight->survey.model.services.items[service];
    *ret_node = cluster_node(&sight->cluster, row->node);
    return node_service(*ret_node, row->name);
}

static void add_text(json_t *body, const char *name, str value)
{
    if (value.len > 0)
        json_object_set_new(body, name, json_stringn(value.ptr, value.len));
}

/* The probe that a link's client makes: its own files, its own user, the name that it dials. */
static json_t *probe_body(struct sight *sight, const struct link *link,
                          const struct link_conf *conf)
{
    static const char *const verify[] = { "none", "ca", "full" };
    const struct model *model = &sight->survey.model;
    struct node_conf *from, *to;
    (void)conf_of(sight, link->from, &from);
    const struct service_conf *server = conf_of(sight, link->to, &to);
    struct endpoint endpoint;
    if (!endpoint_parse(server->listen, &endpoint))
        return NULL;
    json_t *body = json_object();
    add_text(body, "host", endpoint.host);
    json_object_set_new(body, "port", json_integer(endpoint.port));
    add_text(body, "protocol", server->protocol.len > 0 ? server->protocol : S("tls"));
    add_text(body, "name", link->name);
    add_text(body, "user", link->user);
    add_text(body, "database", conf->database);
    add_text(body, "verify", str_c(verify[link->verify]));
    json_object_set_new(body, "timeout_ms", json_integer(PROBE_MS));
    if (link->client_identity != NO_ID) {
        const struct store_conf *store =
            node_store(from, model->identities.items[link->client_identity].store);
        add_text(body, "certificate", store->certificate);
        add_text(body, "key", store->key);
    }
    if (link->client_truster != NO_ID && link->verify != VERIFY_NONE)
        add_text(
            body, "trust",
            model->stores.items[model->trusters.items[link->client_truster].stores.items[0]].path);
    return body;
}

static str stored_leaf(const struct model *model, uint32_t identity)
{
    size_t count = 0;
    uint32_t chain = identity == NO_ID ? NO_ID : model->identities.items[identity].stored;
    const uint32_t *members =
        chain == NO_ID ? NULL : model_members(model->chains.items[chain], &count);
    return count == 0 ? S("") : model->certs.items[members[0]].sha256;
}

/* Empty when the link is good, otherwise why it is not. */
static str judge_probe(struct sight *sight, const struct link *link, const json_t *answer)
{
    const struct model *model = &sight->survey.model;
    const json_t *probe = json_object_get(answer, "probe");
    const json_t *leaf = json_array_get(json_object_get(probe, "chain"), 0);
    str outcome = answer_text(&sight->arena, probe, "outcome");
    str shown = answer_text(&sight->arena, leaf, "sha256");
    str stored = stored_leaf(model, model->services.items[link->to].listen_identity);
    if (!str_eq(outcome, S("accepted")))
        return str_printf(&sight->arena, "%.*s: %.*s", STR_ARG(outcome),
                          STR_ARG(answer_text(&sight->arena, probe, "text")));
    if (!str_eq(shown, stored))
        return str_printf(&sight->arena, "was shown sha256:%.*s, the store holds sha256:%.*s",
                          STR_ARG(shown), STR_ARG(stored));
    return S("");
}

static str probe_link(struct sight *sight, uint32_t index)
{
    AUTO(err) struct err err = { 0 };
    AUTO(json) json_t *answer = NULL;
    const struct link *link = &sight->survey.model.links.items[index];
    str node = sight->survey.model.services.items[link->from].node;
    AUTO(json) json_t *body = probe_body(sight, link, sight->survey.to.items[index]);
    if (body == NULL)
        return S("the server has no address to connect to");
    if (!reach_ask(fleet_reach(sight->survey.fleet, node), "probe", body, PROBE_MS + GRACE_MS,
                   &answer, &err))
        return str_copy(&sight->arena, str_c(err.msg));
    return judge_probe(sight, link, answer);
}

/* ---- streams ---- */

static bool look(struct apply *apply, struct sight *sight, struct err *err)
{
    return survey_again(&sight->arena, apply->survey, &sight->cluster, &sight->survey, err);
}

static bool is_about(const struct approved *approved, const struct service *service)
{
    for (size_t i = 0; i < approved->steps.count; i++) {
        const struct step *step = &approved->steps.items[i];
        if (step->kind == STEP_verify && str_eq(step->node, service->node) &&
            str_eq(step->service, service->name))
            return true;
    }
    return false;
}

/* What keeps a service from being verified: a stream that is missing or runs on with an older
   certificate, a service that still presents the old one. Empty: nothing. */
static str trouble_of(struct sight *sight, const struct service *service)
{
    for (size_t i = 0; i < sight->survey.findings.count; i++) {
        const struct finding *finding = &sight->survey.findings.items[i];
        bool waits = finding->code == FINDING_not_replicating ||
                     finding->code == FINDING_restart_needed_after_renewal;
        if (waits && str_eq(finding->where, service->key))
            return finding->text;
    }
    return S("");
}

static bool all_settled(struct sight *sight, const struct approved *approved)
{
    for (size_t i = 0; i < sight->survey.model.services.count; i++) {
        const struct service *service = &sight->survey.model.services.items[i];
        if (is_about(approved, service) && trouble_of(sight, service).len > 0)
            return false;
    }
    return true;
}

static bool look_until_settled(struct apply *apply, const struct approved *approved,
                               struct sight *sight, struct err *err)
{
    int64_t deadline = clock_monotonic_ms() + STREAM_MS;
    for (;;) {
        if (!look(apply, sight, err))
            return false;
        if (all_settled(sight, approved) || clock_monotonic_ms() >= deadline)
            return true;
        sight_close(sight);
        *sight = (struct sight){ 0 };
        nanosleep(&(struct timespec){ .tv_nsec = POLL_MS * 1000L * 1000L }, NULL);
    }
}

/* ---- a service with all its links ---- */

static bool is_down(struct sight *sight, const struct service *service)
{
    for (size_t i = 0; i < sight->survey.findings.count; i++)
        if (sight->survey.findings.items[i].code == FINDING_service_down &&
            str_eq(sight->survey.findings.items[i].where, service->key))
            return true;
    return false;
}

struct finding_out {
    size_t links, down;
    str trouble; /* the first one */
};

static void try_links(struct sight *sight, const struct service *service, struct finding_out *out)
{
    const struct model *model = &sight->survey.model;
    for (uint32_t i = 0; i < model->links.count; i++) {
        const struct link *link = &model->links.items[i];
        const struct service *to = &model->services.items[link->to];
        if (to != service && &model->services.items[link->from] != service)
            continue;
        if (is_down(sight, to)) {
            out->down++;
            continue;
        }
        str trouble = probe_link(sight, i);
        out->links++;
        if (trouble.len > 0 && out->trouble.len == 0)
            out->trouble =
                str_printf(&sight->arena, "%.*s: %.*s", STR_ARG(link->key), STR_ARG(trouble));
    }
}

static bool verify_service(struct apply *apply, struct sight *sight, const struct step *step,
                           struct err *err)
{
    str key = str_printf(&sight->arena, "%.*s/%.*s", STR_ARG(step->node), STR_ARG(step->service));
    uint32_t id = map_get(&sight->survey.model.service_ids, key);
    if (id == NO_ID)
        return err_set(err, ERR_CONFLICT, "%.*s is not in the cluster any more", STR_ARG(key));
    const struct service *service = &sight->survey.model.services.items[id];
    struct finding_out out = { .trouble = trouble_of(sight, service) };
    if (is_down(sight, service))
        return apply_note(apply, step, JOURNAL_WAITING,
                          S("it does not run: verified when it starts"), err);
    try_links(sight, service, &out);
    if (out.trouble.len > 0) {
        (void)err_set(err, ERR_CONFLICT, "%.*s: %.*s", STR_ARG(step->text), STR_ARG(out.trouble));
        AUTO(err) struct err unwritten = { 0 };
        (void)!apply_note(apply, step, JOURNAL_FAILED, out.trouble, &unwritten);
        return false;
    }
    str evidence = str_printf(apply->arena, "%zu %s accepted on the wire%s", out.links,
                              out.links == 1 ? "connection" : "connections",
                              out.down > 0 ? ", others wait for a server that is down" : "");
    return apply_note(apply, step, JOURNAL_VERIFIED, evidence, err);
}

bool apply_verify(struct apply *apply, const struct approved *approved, struct err *err)
{
    AUTO(sight) struct sight sight = { 0 };
    bool good = true;
    if (!look_until_settled(apply, approved, &sight, err))
        return false;
    for (size_t i = 0; i < approved->steps.count; i++) {
        AUTO(err) struct err later = { 0 };
        const struct step *step = &approved->steps.items[i];
        if (step->kind == STEP_verify && !verify_service(apply, &sight, step, good ? err : &later))
            good = false;
    }
    return good;
}
