/* SPDX-License-Identifier: Apache-2.0 */
#include "node/seen.h"

#include "node/material.h"
#include "tls/endpoint.h"
#include "tls/probe.h"

static bool probe(const struct driver_call *call, const struct service_conf *service,
                  struct probe_result *ret_result, struct err *err)
{
    struct endpoint endpoint;
    if (!endpoint_parse(service->listen, &endpoint))
        return err_set(err, ERR_FORMAT, "%.*s is no address", STR_ARG(service->listen));
    struct probe_request request = {
        .host = endpoint.host,
        .port = endpoint.port,
        .protocol = service->protocol.len > 0 ? service->protocol : S("tls"),
    };
    return probe_run(call->arena, &request, ret_result, err);
}

bool seen_wire(const struct driver_call *call, const struct service_conf *service,
               struct seen_wire *ret_wire, struct err *err)
{
    struct probe_result result = { 0 };
    *ret_wire = (struct seen_wire){ 0 };
    if (!probe(call, service, &result, err))
        return false;
    *ret_wire = (struct seen_wire){ .listens = result.outcome != PROBE_UNREACHABLE,
                                    .shown = result.chain.count > 0,
                                    .acceptable = result.acceptable_cas,
                                    .text = result.text };
    if (ret_wire->shown)
        ret_wire->leaf = result.chain.items[0];
    return true;
}

bool seen_is_stored(const struct driver_call *call, const struct service_conf *service,
                    enum observed *ret_observed, str *ret_evidence, struct err *err)
{
    struct node_conf *node = (struct node_conf *)(uintptr_t)call->node;
    struct seen_wire wire;
    const struct store_conf *store = service->identities.count == 0
                                         ? NULL
                                         : node_store(node, service->identities.items[0].store);
    str stored;
    *ret_observed = OBSERVED_AFTER;
    *ret_evidence = S("it listens nowhere and reads its files at each connection");
    if (service->listen.len == 0 || store == NULL)
        return true;
    if (!material_leaf(call->arena, store->certificate, &stored, err) ||
        !seen_wire(call, service, &wire, err))
        return false;
    if (!wire.shown) {
        *ret_observed = wire.listens ? OBSERVED_UNKNOWN : OBSERVED_AFTER;
        *ret_evidence =
            wire.listens ? wire.text
                         : str_printf(call->arena, "%.*s: it loads what is stored when it starts",
                                      STR_ARG(wire.text));
        return true;
    }
    str shown = str_printf(call->arena, "sha256:%.*s", STR_ARG(wire.leaf.sha256));
    *ret_observed = str_eq(shown, stored) ? OBSERVED_AFTER : OBSERVED_BEFORE;
    *ret_evidence =
        str_printf(call->arena, "it presents %.*s", STR_ARG(cert_label(call->arena, &wire.leaf)));
    return true;
}
