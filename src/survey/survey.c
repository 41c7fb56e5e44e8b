/* SPDX-License-Identifier: Apache-2.0 */
#include "survey/survey.h"

#include "base/io.h"
#include "survey/parts.h"

#include <string.h>

static bool discover_node(struct survey *survey, const struct survey_options *options,
                          const struct node_conf *node, struct err *err)
{
    const struct driver *driver = driver_find(options->drivers, node->system);
    struct driver_call call = { .arena = survey->arena,
                                .node = node,
                                .timeout_ms = options->timeout_ms };
    struct cluster fragment = { .arena = survey->arena };
    if (driver == NULL || driver->discover == NULL)
        return err_set(err, ERR_USAGE, "node %.*s: no driver for system %.*s", STR_ARG(node->name),
                       STR_ARG(node->system));
    if (!driver->discover(&call, &fragment, &survey->findings, err))
        return false;
    cluster_merge(survey->cluster, &fragment);
    return true;
}

/* A node that cannot be looked into is a finding: the others are still worth knowing. */
static void discover_all(struct survey *survey, const struct survey_options *options)
{
    for (size_t i = 0; i < survey->cluster->nodes.count; i++) {
        AUTO(err) struct err err = { 0 };
        struct node_conf node = survey->cluster->nodes.items[i];
        if (node.system.len == 0 || discover_node(survey, options, &node, &err))
            continue;
        str text = str_printf(survey->arena, "%s%s%s", err.msg, err.where ? ", at " : "",
                              err.where ? err.where : "");
        finding_add(survey->arena, &survey->findings, FINDING_node_unreachable, node.name, text);
    }
}

/* The "node/service" that listens at `address`, or `address` itself. */
static str end_at(struct survey *survey, str address)
{
    for (size_t n = 0; n < survey->cluster->nodes.count; n++) {
        const struct node_conf *node = &survey->cluster->nodes.items[n];
        for (size_t s = 0; s < node->services.count; s++)
            if (str_eq(node->services.items[s].listen, address))
                return str_printf(survey->arena, "%.*s/%.*s", STR_ARG(node->name),
                                  STR_ARG(node->services.items[s].name));
    }
    return address;
}

static bool same_link(const struct link_conf *a, const struct link_conf *b)
{
    return str_eq(a->from, b->from) && str_eq(a->to, b->to) && str_eq(a->name, b->name) &&
           str_eq(a->user, b->user);
}

/* A driver names the other end of a link by its address; named, it can be one that is declared
   already, and what is declared stays. */
static void name_ends(struct survey *survey)
{
    size_t kept = 0;
    struct link_conf *links = survey->cluster->links.items;
    for (size_t i = 0; i < survey->cluster->links.count; i++) {
        struct link_conf link = links[i];
        link.to = end_at(survey, link.to);
        size_t twin = 0;
        while (twin < kept && !same_link(&links[twin], &link))
            twin++;
        if (twin == kept)
            links[kept++] = link;
    }
    survey->cluster->links.count = kept;
}

static void add_links(struct survey *survey)
{
    for (size_t i = 0; i < survey->cluster->links.count; i++) {
        const struct link_conf *link = &survey->cluster->links.items[i];
        if (!survey_add_link(survey, link))
            finding_add(survey->arena, &survey->findings, FINDING_undeclared_peer, link->from,
                        str_printf(survey->arena, "connects to %.*s, which is no known service",
                                   STR_ARG(link->to)));
    }
}

bool survey_run(struct arena *arena, struct cluster *cluster, const struct survey_options *options,
                struct survey *ret_survey, struct err *err)
{
    *ret_survey = (struct survey){ .arena = arena, .cluster = cluster, .now = options->now };
    model_init(&ret_survey->model, arena);
    discover_all(ret_survey, options);
    name_ends(ret_survey);
    for (size_t i = 0; i < cluster->nodes.count; i++)
        for (size_t j = 0; j < cluster->nodes.items[i].services.count; j++)
            survey_add_service(ret_survey, &cluster->nodes.items[i],
                               &cluster->nodes.items[i].services.items[j]);
    add_links(ret_survey);
    if (ret_survey->model.services.count == 0)
        return err_set(err, ERR_USAGE, "%.*s: no service is declared and none was found",
                       STR_ARG(cluster->path));
    if (!options->offline)
        survey_look_at_wire(ret_survey, options);
    judge_init(&ret_survey->judge, &ret_survey->model);
    return true;
}

uint32_t survey_issuer(struct survey *survey, moment now)
{
    AUTO(err) struct err err = { 0 };
    str path = survey->cluster->issuer.certificate;
    struct store_options options = { .now = now };
    struct store store;
    if (!store_read(survey->arena, str_cstr(survey->arena, path), &options, &store, &err)) {
        finding_add(survey->arena, &survey->findings, FINDING_keystore_unreadable, S("issuer"),
                    str_c(err.msg));
        return NO_ID;
    }
    for (size_t i = 0; i < store.entries.count; i++)
        if (store.entries.items[i].kind == ENTRY_TRUSTED)
            return model_cert(&survey->model, store.entries.items[i].cert);
    finding_add(survey->arena, &survey->findings, FINDING_keystore_format, S("issuer"),
                str_printf(survey->arena, "%.*s holds no certificate", STR_ARG(path)));
    return NO_ID;
}
