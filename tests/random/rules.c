/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/random/replay.h"

/* What must hold of a plan's steps, whatever the links are. */

/* How far the steps before a wave have brought each part. */
struct progress {
    bool store_saved[MAX_STORES], identity_saved[MAX_IDENTITIES];
    bool held[CA_COUNT]; /* a hold saw that nobody needs the anchor */
    uint32_t issued[MAX_IDENTITIES], installed[MAX_IDENTITIES];
    bool new_key[MAX_IDENTITIES]; /* of the issued certificate */
};

static bool changes_store(const struct doc_step *step)
{
    return step->act == ACT_trust || step->act == ACT_distrust;
}

static bool changes_identity(const struct doc_step *step)
{
    return step->act == ACT_install || step->act == ACT_switch;
}

static bool fail(struct replay *replay, const char *rule, size_t wave, const struct doc_step *step)
{
    return replay_fail(replay, rule,
                       str_printf(replay->arena, "wave %zu: %.*s", wave + 1, STR_ARG(step->text)));
}

static bool check_step(struct replay *replay, const struct progress *before, size_t wave,
                       const struct doc_step *step)
{
    const struct gen_cluster *cluster = replay->cluster;
    if (step->act == ACT_distrust && !before->held[step->cert])
        return fail(replay, "an anchor goes before a hold", wave, step);
    if (changes_store(step))
        return before->store_saved[step->store] ||
               fail(replay, "a store is changed that was not saved", wave, step);
    if (!changes_identity(step))
        return true;
    if (!before->identity_saved[step->identity])
        return fail(replay, "an identity is changed that was not saved", wave, step);
    if (before->issued[step->identity] != step->cert)
        return fail(replay, "a certificate is put where none was issued for", wave, step);
    if (step->act == ACT_switch && before->installed[step->identity] != step->cert)
        return fail(replay, "files are switched to that were not written", wave, step);
    if (step->act == ACT_switch && !cluster->identity[step->identity].reference)
        return fail(replay, "a reference is switched that is not there", wave, step);
    if (step->in_place && before->new_key[step->identity] &&
        !cluster->identity[step->identity].one_file)
        return fail(replay, "a new key is put over an old pair", wave, step);
    return true;
}

static bool has(const int_list *links, int link)
{
    for (size_t i = 0; i < links->count; i++)
        if (links->items[i] == link)
            return true;
    return false;
}

/* A process that has to be started anew is not there for a moment: all its links are listed. */
static bool check_outage(struct replay *replay, size_t wave, const struct doc_step *step)
{
    const struct gen_cluster *cluster = replay->cluster;
    int process = step->act == ACT_refresh ? cluster->service[step->service].process : NONE;
    bool restarts = process != NONE && starts_anew(cluster, process);
    for (int i = 0; i < cluster->links; i++) {
        bool down = restarts && (cluster->service[cluster->link[i].from].process == process ||
                                 cluster->service[cluster->link[i].to].process == process);
        if (down && !has(&step->outage, i))
            return fail(replay, "a restart that does not list a link as an outage", wave, step);
        if (!down && has(&step->outage, i) && !has(&step->refused, i))
            return fail(replay, "an outage without a restart", wave, step);
    }
    return true;
}

static void take(const struct doc_step *step, struct progress *progress)
{
    if (step->act == ACT_snapshot && step->store != NONE)
        progress->store_saved[step->store] = true;
    if (step->act == ACT_hold)
        progress->held[step->cert] = true;
    if (step->identity == NONE)
        return;
    if (step->act == ACT_snapshot)
        progress->identity_saved[step->identity] = true;
    if (step->act == ACT_install)
        progress->installed[step->identity] = step->cert;
    if (step->act == ACT_issue) {
        progress->issued[step->identity] = step->cert;
        progress->new_key[step->identity] = step->new_key;
    }
}

/* The process that the step makes present or use something else, or NONE. */
static int disturbs(const struct replay *replay, const struct doc_step *step)
{
    const struct gen_cluster *cluster = replay->cluster;
    if (step->act == ACT_refresh)
        return cluster->service[step->service].process;
    bool changes = step->act == ACT_switch || (step->act == ACT_install && step->in_place);
    return changes ? cluster->service[cluster->identity[step->identity].service].process : NONE;
}

static bool check_count(struct replay *replay, size_t wave)
{
    const struct doc_wave *row = &replay->doc->waves.items[wave];
    bool disturbed[MAX_SERVICES] = { false };
    uint32_t count[GROUPS] = { 0 }, limit = replay->cluster->goal.max_unavailable;
    for (size_t i = 0; i < row->steps.count; i++) {
        const struct doc_step *step = &replay->doc->steps.items[row->steps.items[i]];
        int service = disturbs(replay, step);
        if (service == NONE || disturbed[service])
            continue;
        disturbed[service] = true;
        if (limit > 0 && ++count[replay->cluster->service[service].group] > limit)
            return fail(replay, "more services at a time than max_unavailable", wave, step);
    }
    return true;
}

/* In a group replicas come first, in each kind of change: what a service presents, and what it
   loads. */
static bool check_roles(struct replay *replay, int group)
{
    const struct doc *doc = replay->doc;
    bool primary_done[ACT_COUNT] = { false };
    str phase = { 0 };
    for (size_t wave = 0; wave < doc->waves.count; wave++) {
        const struct doc_wave *row = &doc->waves.items[wave];
        bool primary_now[ACT_COUNT] = { false };
        for (size_t i = 0; i < row->steps.count; i++) {
            const struct doc_step *step = &doc->steps.items[row->steps.items[i]];
            int service = disturbs(replay, step);
            if (service == NONE || replay->cluster->service[service].group != group)
                continue;
            if (step->act == ACT_refresh && !str_eq(step->leaves, phase)) {
                phase = step->leaves;
                primary_done[ACT_refresh] = false;
            }
            enum gen_role role = replay->cluster->service[service].role;
            if (role == ROLE_REPLICA && primary_done[step->act])
                return fail(replay, "a replica after its primary", wave, step);
            primary_now[step->act] = primary_now[step->act] || role == ROLE_PRIMARY;
        }
        for (int act = 0; act < ACT_COUNT; act++)
            primary_done[act] = primary_done[act] || primary_now[act];
    }
    return true;
}

bool check_steps(struct replay *replay)
{
    const struct doc *doc = replay->doc;
    struct progress progress = { 0 };
    for (int i = 0; i < MAX_IDENTITIES; i++)
        progress.issued[i] = progress.installed[i] = NO_CERT;
    for (size_t wave = 0; wave < doc->waves.count; wave++) {
        const struct doc_wave *row = &doc->waves.items[wave];
        for (size_t i = 0; i < row->steps.count; i++) {
            const struct doc_step *step = &doc->steps.items[row->steps.items[i]];
            if (!check_step(replay, &progress, wave, step) || !check_outage(replay, wave, step))
                return false;
        }
        for (size_t i = 0; i < row->steps.count; i++)
            take(&doc->steps.items[row->steps.items[i]], &progress);
        if (!check_count(replay, wave))
            return false;
    }
    for (int group = 0; group < GROUPS; group++)
        if (!check_roles(replay, group))
            return false;
    return true;
}
