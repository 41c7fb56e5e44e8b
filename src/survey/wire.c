/* SPDX-License-Identifier: Apache-2.0 */
#include "survey/parts.h"

#include "tls/endpoint.h"
#include "tls/probe.h"

/* What is presented can be longer than what the identity holds: OpenSSL completes a lone leaf from
   the trust store. So the stored chain stands for it when the leaf is the same. */
static uint32_t loaded_chain(struct survey *survey, const struct identity *identity,
                             const struct probe_result *result)
{
    uint32_t leaf = model_cert(&survey->model, &result->chain.items[0]);
    size_t count = 0;
    const uint32_t *stored =
        identity->stored == NO_ID
            ? NULL
            : model_members(survey->model.chains.items[identity->stored], &count);
    if (count > 0 && stored[0] == leaf)
        return identity->stored;
    return model_chain(&survey->model, &leaf, 1);
}

static void note_stale(struct survey *survey, const struct service *service,
                       const struct identity *identity)
{
    size_t count;
    const uint32_t *loaded = model_members(survey->model.chains.items[identity->loaded], &count);
    str text = str_printf(survey->arena, "still presents %.*s; %.*s/%.*s holds another",
                          STR_ARG(cert_label(survey->arena, &survey->model.certs.items[loaded[0]])),
                          STR_ARG(identity->node), STR_ARG(identity->store));
    finding_add(survey->arena, &survey->findings, FINDING_restart_needed_after_renewal,
                service->key, text);
}

/* Nothing is verified and nothing presented: the question is only what is shown. */
static bool look(struct survey *survey, const struct survey_options *options,
                 struct service *service, const struct service_conf *conf)
{
    AUTO(err) struct err err = { 0 };
    struct probe_request request = { .protocol = conf->protocol.len > 0 ? conf->protocol : S("tls"),
                                     .timeout_ms = options->timeout_ms };
    struct probe_result result = { 0 };
    struct endpoint endpoint = { 0 };
    bool listens = endpoint_parse(conf->listen, &endpoint);
    request.host = endpoint.host;
    request.port = endpoint.port;
    if (!listens || !probe_run(survey->arena, &request, &result, &err) || result.chain.count == 0) {
        finding_add(survey->arena, &survey->findings, FINDING_service_down, service->key,
                    err.msg != NULL ? str_c(err.msg) : result.text);
        return false;
    }
    struct identity *identity = &survey->model.identities.items[service->listen_identity];
    identity->loaded = loaded_chain(survey, identity, &result);
    if (identity->loaded != identity->stored)
        note_stale(survey, service, identity);
    return true;
}

void survey_look_at_wire(struct survey *survey, const struct survey_options *options)
{
    for (size_t i = 0; i < survey->model.services.count; i++) {
        struct service *service = &survey->model.services.items[i];
        struct node_conf *node = cluster_node(survey->cluster, service->node);
        const struct service_conf *conf = node_service(node, service->name);
        bool seen = service->listen_identity != NO_ID && look(survey, options, service, conf);
        list_push(survey->arena, &survey->seen) = seen;
    }
}
