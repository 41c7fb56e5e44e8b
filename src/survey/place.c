/* SPDX-License-Identifier: Apache-2.0 */
#include "survey/place.h"

#include "cluster/ssh.h"
#include "survey/parts.h"
#include "tls/endpoint.h"

static bool is_loopback(str host)
{
    return str_eq(host, S("localhost")) || str_starts(host, S("127.")) || str_eq(host, S("::1"));
}

static bool is_any(str host)
{
    return str_eq(host, S("0.0.0.0")) || str_eq(host, S("::"));
}

/* Where it was not seen, a node is where it is declared to be. */
static bool is_same_machine(const struct survey *survey, const struct node_conf *a,
                            const struct node_conf *b)
{
    str one = survey_seen_node(survey, a->name)->loopback;
    str other = survey_seen_node(survey, b->name)->loopback;
    return one.len > 0 && other.len > 0 ? str_eq(one, other) : str_eq(a->reach, b->reach);
}

/* Whether `host`, a name or an address as `from` says it, is the machine of `to`. */
static bool is_machine(const struct survey *survey, const struct node_conf *from, str host,
                       const struct node_conf *to)
{
    struct ssh_address way;
    const struct seen_node *seen = survey_seen_node(survey, to->name);
    const str_list *known = seen_host(survey_seen_node(survey, from->name), host);
    if (str_list_has(&seen->addresses, host) || str_eq(host, to->name) ||
        (ssh_address_parse(to->reach, &way) && str_eq(host, way.host)))
        return true;
    for (size_t i = 0; known != NULL && i < known->count; i++)
        if (str_list_has(&seen->addresses, known->items[i]) ||
            (is_loopback(known->items[i]) && is_same_machine(survey, from, to)))
            return true;
    return false;
}

bool place_leads_to(const struct survey *survey, const struct node_conf *from, str address,
                    const struct node_conf *to, const struct service_conf *service)
{
    struct endpoint dialed, listens;
    if (!endpoint_parse(address, &dialed) || !endpoint_parse(service->listen, &listens) ||
        dialed.port != listens.port)
        return false;
    if (is_loopback(dialed.host) || is_any(dialed.host))
        return is_same_machine(survey, from, to) &&
               (is_loopback(listens.host) || is_any(listens.host));
    if (is_any(listens.host))
        return is_machine(survey, from, dialed.host, to);
    const str_list *known = seen_host(survey_seen_node(survey, from->name), dialed.host);
    return str_eq(dialed.host, listens.host) ||
           (known != NULL && str_list_has(known, listens.host) &&
            (!is_loopback(listens.host) || is_same_machine(survey, from, to)));
}

/* The address that the node's own machine calls its first, or the one that it is reached by. */
static str address_of(const struct survey *survey, const struct node_conf *node)
{
    struct ssh_address way = { 0 };
    const str_list *addresses = &survey_seen_node(survey, node->name)->addresses;
    (void)!ssh_address_parse(node->reach, &way);
    return addresses->count == 0 || str_list_has(addresses, way.host) ? way.host
                                                                      : addresses->items[0];
}

str place_to_dial(const struct survey *survey, const struct node_conf *from,
                  const struct node_conf *to, const struct service_conf *service)
{
    struct endpoint listens;
    if (!endpoint_parse(service->listen, &listens))
        return S("");
    str host = address_of(survey, to);
    if (!is_any(listens.host) || host.len == 0 || is_same_machine(survey, from, to))
        return service->listen;
    bool six = str_find(host, S(":")) < host.len;
    return str_printf(survey->arena, six ? "[%.*s]:%u" : "%.*s:%u", STR_ARG(host),
                      (unsigned)listens.port);
}
