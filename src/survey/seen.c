/* SPDX-License-Identifier: Apache-2.0 */
#include "survey/seen.h"

#include "node/protocol.h"
#include "reach/fleet.h"

#include <string.h>

/* Certificates that this side cannot decode were reported by the node, which could not either. */
static void read_certificates(struct arena *arena, const json_t *owner, const char *name,
                              cert_list *ret_certs)
{
    const json_t *array = json_object_get(owner, name);
    for (size_t i = 0; i < json_array_size(array); i++) {
        AUTO(err) struct err err = { 0 };
        AUTO(json) json_t *wrapped = json_pack("{s:O}", "der", json_array_get(array, i));
        struct cert cert;
        str der;
        if (need_bytes(arena, wrapped, "der", &der, &err) && cert_parse(arena, der, &cert, &err))
            list_push(arena, ret_certs) = cert;
    }
}

static void read_texts(struct arena *arena, const json_t *owner, const char *name,
                       str_list *ret_texts)
{
    const json_t *array = json_object_get(owner, name);
    for (size_t i = 0; i < json_array_size(array); i++)
        list_push(arena, ret_texts) =
            str_copy(arena, str_c(json_string_value(json_array_get(array, i))));
}

static void read_pins(struct arena *arena, const json_t *owner, pin_list *ret_pins)
{
    str_list texts = { 0 };
    struct pin pin;
    read_texts(arena, owner, "pins", &texts);
    for (size_t i = 0; i < texts.count; i++)
        if (pin_parse(arena, texts.items[i], &pin))
            list_push(arena, ret_pins) = pin;
}

static struct seen_store read_store(struct arena *arena, const json_t *row)
{
    struct seen_store store = {
        .name = answer_text(arena, row, "name"),
        .trust = str_eq(answer_text(arena, row, "kind"), S("trust")),
        .key_spki_sha256 = answer_text(arena, row, "key_spki_sha256"),
        .matches = json_is_true(json_object_get(row, "matches")),
        .gone = json_is_true(json_object_get(row, "gone")),
    };
    read_certificates(arena, row, "certificates", &store.certificates);
    read_pins(arena, row, &store.pins);
    const json_t *states = json_object_get(row, "states");
    for (size_t i = 0; i < json_array_size(states); i++) {
        const json_t *file = json_array_get(states, i);
        str state = answer_text(arena, file, "state");
        if (!str_eq(state, S("absent")))
            state = str_printf(arena, "sha256:%.*s", STR_ARG(state));
        list_push(arena, &store.files) =
            (struct seen_file){ answer_text(arena, file, "path"), state };
    }
    return store;
}

static struct peer read_peer(struct arena *arena, const json_t *row)
{
    return (struct peer){
        .user = answer_text(arena, row, "user"),
        .database = answer_text(arena, row, "database"),
        .address = answer_text(arena, row, "address"),
        .name = answer_text(arena, row, "name"),
        .subject = answer_text(arena, row, "subject"),
        .serial = answer_text(arena, row, "serial"),
        .state = answer_text(arena, row, "state"),
    };
}

static void read_loaded(struct arena *arena, const json_t *row, struct seen_service *service)
{
    const json_t *loaded = json_object_get(row, "loaded");
    for (size_t i = 0; i < json_array_size(loaded); i++) {
        const json_t *store = json_array_get(loaded, i);
        struct seen_loaded memory = { .store = answer_text(arena, store, "store") };
        read_certificates(arena, store, "certificates", &memory.certificates);
        list_push(arena, &service->loaded) = memory;
    }
}

static struct seen_service read_service(struct arena *arena, const json_t *row)
{
    struct seen_service service = {
        .name = answer_text(arena, row, "name"),
        .asked = json_object_get(row, "outcome") != NULL,
        .outcome = answer_text(arena, row, "outcome"),
        .text = answer_text(arena, row, "text"),
        .certificate_requested = json_is_true(json_object_get(row, "certificate_requested")),
        .peers_known = json_is_true(json_object_get(row, "peers_known")),
    };
    read_certificates(arena, row, "presented", &service.presented);
    read_texts(arena, row, "acceptable_cas", &service.acceptable_cas);
    const json_t *named = json_object_get(row, "named");
    for (size_t i = 0; i < json_array_size(named); i++) {
        const json_t *answer = json_array_get(named, i);
        struct seen_name name = { .name = answer_text(arena, answer, "name") };
        read_certificates(arena, answer, "presented", &name.presented);
        list_push(arena, &service.named) = name;
    }
    read_loaded(arena, row, &service);
    const json_t *peers = json_object_get(row, "peers");
    for (size_t i = 0; i < json_array_size(peers); i++)
        list_push(arena, &service.peers) = read_peer(arena, json_array_get(peers, i));
    return service;
}

static void read_network(struct arena *arena, const json_t *answer, struct seen_node *node)
{
    const char *name;
    json_t *addresses, *names = json_object_get(answer, "names");
    node->loopback = answer_text(arena, answer, "loopback");
    read_texts(arena, answer, "addresses", &node->addresses);
    json_object_foreach(names, name, addresses)
    {
        struct seen_host row = { .name = str_copy(arena, str_c(name)) };
        read_texts(arena, names, name, &row.addresses);
        list_push(arena, &node->hosts) = row;
    }
}

static void read_finding(struct arena *arena, const json_t *row, finding_list *findings)
{
    enum finding_code code;
    if (!finding_parse(answer_text(arena, row, "code"), &code))
        return;
    struct finding *finding = finding_add(arena, findings, code, answer_text(arena, row, "where"),
                                          answer_text(arena, row, "text"));
    finding->next = answer_text(arena, row, "next");
}

bool seen_read(struct arena *arena, const json_t *answer, struct seen_node *ret_node,
               struct cluster *ret_fragment, finding_list *findings, struct err *err)
{
    str fragment = answer_text(arena, answer, "fragment");
    *ret_node = (struct seen_node){ .reached = true };
    ret_node->clock = json_integer_value(json_object_get(answer, "clock"));
    if (!cluster_parse(arena, "/node.yaml", fragment, true, ret_fragment, err))
        return err_wrap(err, "the node's answer");
    if (ret_fragment->nodes.count != 1)
        return err_set(err, ERR_FORMAT, "the node's answer is not about one node");
    read_network(arena, answer, ret_node);
    const json_t *stores = json_object_get(answer, "stores");
    const json_t *services = json_object_get(answer, "services");
    const json_t *found = json_object_get(answer, "findings");
    for (size_t i = 0; i < json_array_size(stores); i++)
        list_push(arena, &ret_node->stores) = read_store(arena, json_array_get(stores, i));
    for (size_t i = 0; i < json_array_size(services); i++)
        list_push(arena, &ret_node->services) = read_service(arena, json_array_get(services, i));
    for (size_t i = 0; i < json_array_size(found); i++)
        read_finding(arena, json_array_get(found, i), findings);
    return true;
}

const struct seen_store *seen_store(const struct seen_node *node, str name)
{
    for (size_t i = 0; i < node->stores.count; i++)
        if (str_eq(node->stores.items[i].name, name))
            return &node->stores.items[i];
    return NULL;
}

const str_list *seen_host(const struct seen_node *node, str name)
{
    for (size_t i = 0; i < node->hosts.count; i++)
        if (str_eq(node->hosts.items[i].name, name))
            return &node->hosts.items[i].addresses;
    return NULL;
}

const struct seen_service *seen_service(const struct seen_node *node, str name)
{
    for (size_t i = 0; i < node->services.count; i++)
        if (str_eq(node->services.items[i].name, name))
            return &node->services.items[i];
    return NULL;
}

const cert_list *seen_loaded(const struct seen_node *node, str service, str store)
{
    const struct seen_service *seen = seen_service(node, service);
    for (size_t i = 0; seen != NULL && i < seen->loaded.count; i++)
        if (str_eq(seen->loaded.items[i].store, store))
            return &seen->loaded.items[i].certificates;
    return NULL;
}
