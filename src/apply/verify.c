/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/verify.h"

#include "survey/links.h"
#include "survey/parts.h"

#include <time.h>

/* A standby reconnects when its server tells it to, by default every five seconds. */
enum { STREAM_MS = 30 * 1000, POLL_MS = 300 };

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
                     finding->code == FINDING_restart_needed_after_renewal ||
                     finding->code == FINDING_unhealthy;
        if (waits && str_eq(finding->where, service->key))
            return finding->text;
    }
    return S("");
}

static bool is_down(struct sight *sight, const struct service *service)
{
    for (size_t i = 0; i < sight->survey.findings.count; i++)
        if (sight->survey.findings.items[i].code == FINDING_service_down &&
            str_eq(sight->survey.findings.items[i].where, service->key))
            return true;
    return false;
}

/* A service that is down would be waited for in vain. */
static bool all_settled(struct sight *sight, const struct approved *approved)
{
    for (size_t i = 0; i < sight->survey.model.services.count; i++) {
        const struct service *service = &sight->survey.model.services.items[i];
        if (is_about(approved, service) && !is_down(sight, service) &&
            trouble_of(sight, service).len > 0)
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

/* One service's links, tried. */
struct trial {
    size_t links, down;
    str trouble; /* the first one */
};

static bool touches(const struct model *model, const struct link *link,
                    const struct service *service)
{
    return &model->services.items[link->to] == service ||
           &model->services.items[link->from] == service;
}

static void try_links(struct sight *sight, const struct service *service, struct trial *trial)
{
    const struct model *model = &sight->survey.model;
    bool *wanted = arena_alloc(&sight->arena, model->links.count + 1, sizeof(bool));
    struct tried *tried = arena_alloc(&sight->arena, model->links.count + 1, sizeof(*tried));
    for (uint32_t i = 0; i < model->links.count; i++) {
        const struct link *link = &model->links.items[i];
        bool down = is_down(sight, &model->services.items[link->to]);
        bool meant = link->kind == LINK_CONNECT && survey_is_first(&sight->survey, i) &&
                     touches(model, link, service);
        wanted[i] = meant && !down;
        trial->links += wanted[i];
        trial->down += meant && down;
    }
    survey_try_links(&sight->arena, &sight->survey, wanted, tried);
    for (size_t i = 0; i < model->links.count; i++)
        if (wanted[i] && !(tried[i].accepted && tried[i].as_stored) && trial->trouble.len == 0)
            trial->trouble = str_printf(&sight->arena, "%.*s: %.*s",
                                        STR_ARG(model->links.items[i].key), STR_ARG(tried[i].text));
}

/* A connection of this service, by the plan's own survey, of which an end could not be looked at
   was not seen, whatever the others say. */
static str unseen_link(const struct apply *apply, struct sight *sight, str key)
{
    const struct model *planned = &apply->survey->model;
    for (size_t i = 0; i < planned->links.count; i++) {
        const struct link *link = &planned->links.items[i];
        const struct service *from = &planned->services.items[link->from];
        const struct service *to = &planned->services.items[link->to];
        bool touched = str_eq(from->key, key) || str_eq(to->key, key);
        if (touched && !(survey_reached(&sight->survey, from->node) &&
                         survey_reached(&sight->survey, to->node)))
            return str_printf(&sight->arena, "%.*s: a node of it did not answer",
                              STR_ARG(link->key));
    }
    return S("");
}

static bool fail_step(struct apply *apply, const struct step *step, str trouble, struct err *err)
{
    AUTO(err) struct err unwritten = { 0 };
    (void)err_set(err, ERR_CONFLICT, "%.*s: %.*s", STR_ARG(step->text), STR_ARG(trouble));
    (void)!apply_note(apply, step, JOURNAL_FAILED, trouble, &unwritten);
    return false;
}

/* By what it is known that all is well, where nothing is wrong. */
static str proof_of(struct apply *apply, const struct sight *sight, uint32_t service,
                    const struct trial *trial)
{
    if (trial->links > 0)
        return str_printf(apply->arena, "%zu %s accepted on the wire%s", trial->links,
                          trial->links == 1 ? "connection" : "connections",
                          trial->down > 0 ? ", others wait for a server that is down" : "");
    if (sight->survey.seen.items[service])
        return S("no link to try; it showed its own node what is stored");
    apply->unseen++;
    return S("no link to try, and it shows nothing by itself: known by what is stored");
}

static bool verify_service(struct apply *apply, struct sight *sight, const struct step *step,
                           struct err *err)
{
    str key = str_printf(&sight->arena, "%.*s/%.*s", STR_ARG(step->node), STR_ARG(step->service));
    uint32_t id = map_get(&sight->survey.model.service_ids, key);
    if (id == NO_ID)
        return fail_step(apply, step,
                         survey_reached(&sight->survey, step->node)
                             ? S("it is not in the cluster any more")
                             : S("its node did not answer"),
                         err);
    const struct service *service = &sight->survey.model.services.items[id];
    struct trial trial = { .trouble = trouble_of(sight, service) };
    if (trial.trouble.len == 0)
        trial.trouble = unseen_link(apply, sight, key);
    if (is_down(sight, service))
        return apply_note(apply, step, JOURNAL_WAITING,
                          S("it does not answer: verified when it does"), err);
    try_links(sight, service, &trial);
    if (trial.trouble.len > 0)
        return fail_step(apply, step, trial.trouble, err);
    apply->verified++;
    return apply_note(apply, step, JOURNAL_VERIFIED, proof_of(apply, sight, id, &trial), err);
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
