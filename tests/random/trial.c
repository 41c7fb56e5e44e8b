/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/random/trial.h"

#include "tests/random/orders.h"

static bool has_outage(const struct doc *doc)
{
    for (size_t i = 0; i < doc->waves.count; i++)
        if (doc->waves.items[i].refused.count > 0)
            return true;
    return !doc->proven;
}

static bool check_orders(struct trial *trial, struct replay *replay)
{
    str text;
    if (!has_outage(replay->doc))
        return true;
    enum orders answer = orders_search(replay, &text);
    if (answer == ORDERS_SAFE)
        return replay_fail(replay, "a link is given up though an order keeps it", text);
    trial->tally.outages++;
    trial->tally.undecided += answer == ORDERS_TOO_MANY;
    return answer != ORDERS_TOO_MANY || replay->cluster->services > FEW_SERVICES ||
           replay_fail(replay, "too many orders to try them all", S(""));
}

bool trial_run(struct trial *trial, struct arena *arena, const struct gen_cluster *cluster,
               struct fault *ret_fault)
{
    struct doc doc;
    str text;
    bridge_plan(trial->bridge, arena, cluster, &text);
    (void)doc_read(arena, trial->pool, cluster, text, &doc);
    struct replay replay = {
        .arena = arena, .truth = trial->truth, .cluster = cluster, .doc = &doc, .fault = ret_fault
    };
    bool good = replay_run(&replay) && check_orders(trial, &replay);
    trial->tally.clusters++;
    trial->tally.services += (uint64_t)cluster->services;
    trial->tally.links += (uint64_t)cluster->links;
    trial->tally.steps += doc.steps.count;
    trial->tally.states += replay.states;
    trial->tally.faults += !good;
    doc_free(&doc);
    return good;
}

str trial_words(struct trial *trial, struct arena *arena, const struct gen_cluster *cluster,
                const struct fault *fault)
{
    struct buf out = { 0 };
    struct doc doc;
    str text;
    buf_printf(arena, &out, "seed %llu: %s\n  %.*s\n", (unsigned long long)cluster->seed,
               fault->rule == NULL ? "in order" : fault->rule, STR_ARG(fault->text));
    bridge_plan(trial->bridge, arena, cluster, &text);
    if (fault->link != NONE)
        buf_printf(arena, &out, "  reseal says of this link: %.*s\n",
                   STR_ARG(bridge_verdict(trial->bridge, arena, trial->truth, fault->link,
                                          fault->client, fault->server)));
    buf_add(arena, &out, cluster_words(arena, trial->pool, cluster));
    (void)doc_read(arena, trial->pool, cluster, text, &doc);
    buf_add(arena, &out, doc_words(arena, &doc));
    buf_printf(arena, &out, "  %s\n", doc.proven ? "proven" : "not proven");
    doc_free(&doc);
    return buf_str(&out);
}
