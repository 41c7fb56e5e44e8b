/* SPDX-License-Identifier: Apache-2.0 */
#include "node/look.h"

#include "base/io.h"
#include "issue/secret.h"
#include "node/derived.h"
#include "node/file.h"
#include "node/network.h"
#include "node/run.h"
#include "store/identity.h"
#include "store/pins.h"
#include "tls/endpoint.h"
#include "tls/probe.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One service that takes a connection and says nothing must not hide the whole node. */
enum { WAIT_MAX_MS = 5000, WAIT_MIN_MS = 100, WAITS_OF_A_SERVICE = 2 /* and one for each name */ };

struct looking {
    const struct look *look;
    struct arena *arena;
    struct node_conf *node; /* resolved */
    struct emit *emit;
    finding_list findings;
    int64_t deadline; /* clock_monotonic_ms() */
    size_t waits;     /* that may still come */
};

/* A tenth of the call is for what is not waited for. */
static int64_t look_ms(int call_ms, size_t waits)
{
    return call_ms > 0 ? call_ms / 10 * 9 : (int64_t)waits * WAIT_MAX_MS;
}

/* How long the next answer is waited for: its share of what is left. */
static int next_wait_ms(struct looking *at)
{
    int64_t left = at->deadline - clock_monotonic_ms();
    int64_t share = at->waits == 0 ? left : left / (int64_t)at->waits;
    at->waits -= at->waits > 0;
    return (int)(share < WAIT_MIN_MS ? WAIT_MIN_MS : share > WAIT_MAX_MS ? WAIT_MAX_MS : share);
}

static str place_of(const struct looking *at, const struct store_conf *store)
{
    return str_printf(at->arena, "%.*s/%.*s", STR_ARG(at->node->name), STR_ARG(store->name));
}

/* The user of the service that uses the store; empty: nobody says. */
static str user_of(const struct looking *at, str store)
{
    for (size_t i = 0; i < at->node->services.count; i++) {
        const struct service_conf *service = &at->node->services.items[i];
        for (size_t k = 0; k < service->identities.count; k++)
            if (str_eq(service->identities.items[k].store, store))
                return service->run_as;
        if (str_list_has(&service->trust, store) || str_list_has(&service->pins, store))
            return service->run_as;
    }
    return at->node->run_as;
}

/* Only root can ask as somebody else; what cannot be asked is not found fault with. */
static void judge_readable(struct looking *at, const struct store_conf *store, str path)
{
    AUTO(err) struct err err = { 0 };
    str user = user_of(at, store->name);
    bool can = true;
    if (path.len == 0 || user.len == 0 || !run_can_read(path, user, &can, &err) || can)
        return;
    finding_add(at->arena, &at->findings, FINDING_keystore_unreadable, place_of(at, store),
                str_printf(at->arena, "%.*s cannot be read by user %.*s, who needs it",
                           STR_ARG(path), STR_ARG(user)))
        ->next = str_printf(at->arena, "ls -l '%.*s'", STR_ARG(path));
}

static void take_findings(struct looking *at, const struct store_conf *store,
                          const finding_list *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        struct finding finding = findings->items[i];
        finding.where = place_of(at, store);
        list_push(at->arena, &at->findings) = finding;
    }
}

static void unreadable(struct looking *at, const struct store_conf *store, const struct err *err)
{
    enum finding_code code =
        err->kind == ERR_PASSWORD ? FINDING_keystore_password_wrong : FINDING_keystore_unreadable;
    finding_add(at->arena, &at->findings, code, place_of(at, store),
                str_copy(at->arena, str_c(err->msg)));
}

static void emit_state(struct looking *at, str path)
{
    AUTO(err) struct err err = { 0 };
    str state;
    if (path.len == 0 || !file_state(at->arena, path, &state, &err))
        return;
    emit_object(at->emit, NULL);
    emit_str(at->emit, "path", path);
    emit_str(at->emit, "state", state);
    emit_object_end(at->emit);
}

static struct store_options options_of(const struct looking *at)
{
    return (struct store_options){ .now = at->look->now, .renew_before = at->look->renew_before };
}

static bool read_password(struct looking *at, const struct store_conf *store, str *ret_password,
                          struct err *err)
{
    const struct secret_source *source = &store->password;
    *ret_password = (str){ 0 };
    return (source->file.len == 0 && source->env.len == 0 && source->command.count == 0) ||
           secret_read(at->arena, source, NULL, ret_password, err);
}

/* A file that is not there, or has nothing in it. */
static bool is_gone(struct looking *at, str path)
{
    struct stat status;
    if (stat(str_cstr(at->arena, path), &status) < 0)
        return errno == ENOENT;
    return status.st_size == 0;
}

/* Whether there is no certificate; a derived store is made again from its source. */
static bool emit_gone(struct looking *at, const struct store_conf *store)
{
    bool gone = store->derived_from.len == 0 && is_gone(at, store->certificate);
    bool key_gone = gone && is_gone(at, store->key);
    emit_bool(at->emit, "gone", gone && !key_gone);
    if (!gone)
        return false;
    bool there = access(str_cstr(at->arena, store->certificate), F_OK) == 0;
    struct finding *finding =
        finding_add(at->arena, &at->findings, FINDING_certificate_missing, place_of(at, store),
                    str_printf(at->arena, "%.*s is %s%s", STR_ARG(store->certificate),
                               there ? "empty" : "not there",
                               key_gone ? ", and its key is gone too: put both back" : ""));
    if (key_gone)
        finding->next = str_printf(at->arena, "ls -l '%.*s'", STR_ARG(store->certificate));
    return true;
}

static void emit_identity(struct looking *at, const struct store_conf *store)
{
    AUTO(err) struct err err = { 0 };
    struct store_options options = options_of(at);
    struct store_identity identity = { 0 };
    bool gone = emit_gone(at, store);
    if (!gone && (!read_password(at, store, &options.password, &err) ||
                  !store_identity_read(at->arena, str_cstr(at->arena, store->certificate),
                                       str_cstr(at->arena, store->key), &options, &identity, &err)))
        unreadable(at, store, &err);
    take_findings(at, store, &identity.findings);
    if (!gone)
        judge_readable(at, store, store->certificate);
    judge_readable(at, store, store->key);
    emit_text(at->emit, "kind", "identity");
    emit_array(at->emit, "certificates");
    for (size_t i = 0; i < identity.chain.count; i++)
        emit_bytes(at->emit, NULL, identity.chain.items[i].der);
    emit_array_end(at->emit);
    emit_str(at->emit, "key_spki_sha256", identity.key_spki_sha256);
    emit_bool(at->emit, "matches", identity.matches);
}

static void emit_trust(struct looking *at, const struct store_conf *conf)
{
    AUTO(err) struct err err = { 0 };
    struct store_options options = options_of(at);
    struct store store = { 0 };
    if (!store_read(at->arena, str_cstr(at->arena, conf->certificates), &options, &store, &err))
        unreadable(at, conf, &err);
    take_findings(at, conf, &store.findings);
    judge_readable(at, conf, conf->certificates);
    emit_text(at->emit, "kind", "trust");
    emit_array(at->emit, "certificates");
    for (size_t i = 0; i < store.entries.count; i++)
        if (store.entries.items[i].kind == ENTRY_TRUSTED)
            emit_bytes(at->emit, NULL, store.entries.items[i].cert->der);
    emit_array_end(at->emit);
}

/* Read as pins whatever it looks like: an empty file is one without pins. */
static void emit_pins(struct looking *at, const struct store_conf *conf)
{
    AUTO(err) struct err err = { 0 };
    const struct store_options options = options_of(at);
    struct store store = { .path = conf->path, .format = "pins" };
    str text = S("");
    if (!io_read(at->arena, str_cstr(at->arena, conf->path), IO_FILE_MAX, &text, &err))
        unreadable(at, conf, &err);
    pins_read(at->arena, text, &options, &store);
    take_findings(at, conf, &store.findings);
    judge_readable(at, conf, conf->path);
    emit_text(at->emit, "kind", "trust");
    emit_array(at->emit, "pins");
    for (size_t i = 0; i < store.entries.count; i++)
        emit_str(at->emit, NULL, pin_text(at->arena, store.entries.items[i].pin));
    emit_array_end(at->emit);
}

static void judge_derived(struct looking *at, const struct store_conf *store)
{
    AUTO(err) struct err err = { 0 };
    str text;
    if (store->derived_from.len == 0)
        return;
    bool told = derived_differs(at->look->call, store, &text, &err);
    if (!told || text.len > 0)
        finding_add(at->arena, &at->findings, FINDING_derived_store_stale, place_of(at, store),
                    told ? text : str_copy(at->arena, str_c(err.msg)));
}

static void emit_store(struct looking *at, const struct store_conf *store)
{
    emit_object(at->emit, NULL);
    emit_str(at->emit, "name", store->name);
    if (store->certificate.len > 0)
        emit_identity(at, store);
    else if (str_eq(store->format, S("pins")))
        emit_pins(at, store);
    else
        emit_trust(at, store);
    judge_derived(at, store);
    emit_array(at->emit, "states");
    emit_state(at, store->certificate);
    emit_state(at, store->key);
    emit_state(at, store->certificates);
    emit_state(at, store->path);
    emit_array_end(at->emit);
    emit_object_end(at->emit);
}

/* Nothing is verified and nothing presented: the question is only what is shown to who asks for
   `name`, which may be empty. */
static struct probe_result probe(struct looking *at, const struct service_conf *service, str name)
{
    AUTO(err) struct err err = { 0 };
    struct endpoint endpoint = { 0 };
    struct probe_request request = { .timeout_ms = next_wait_ms(at), .name = name };
    struct probe_result result = { 0 };
    request.protocol = service->protocol.len > 0 ? service->protocol : S("tls");
    bool listens = endpoint_parse(service->listen, &endpoint);
    request.host = endpoint.host;
    request.port = endpoint.port;
    if (!listens || !probe_run(at->arena, &request, &result, &err))
        result =
            (struct probe_result){ .outcome = PROBE_FAILED,
                                   .text = err.msg == NULL ? S("its address is not HOST:PORT")
                                                           : str_copy(at->arena, str_c(err.msg)) };
    return result;
}

static void emit_chain(struct looking *at, const struct probe_result *result)
{
    emit_array(at->emit, "presented");
    for (size_t i = 0; i < result->chain.count; i++)
        emit_bytes(at->emit, NULL, result->chain.items[i].der);
    emit_array_end(at->emit);
}

static enum probe_outcome emit_presented(struct looking *at, const struct service_conf *service)
{
    struct probe_result result = probe(at, service, S(""));
    emit_text(at->emit, "outcome", probe_outcome_name(result.outcome));
    emit_str(at->emit, "text", result.text);
    emit_chain(at, &result);
    emit_bool(at->emit, "certificate_requested", result.client_certificate_requested);
    emit_list(at->emit, "acceptable_cas", &result.acceptable_cas);
    emit_array(at->emit, "named");
    for (size_t i = 0; i < service->identities.count && result.chain.count > 0; i++) {
        str name = service->identities.items[i].sni;
        if (name.len == 0)
            continue;
        struct probe_result named = probe(at, service, name);
        emit_object(at->emit, NULL);
        emit_str(at->emit, "name", name);
        emit_chain(at, &named);
        emit_object_end(at->emit);
    }
    emit_array_end(at->emit);
    return result.outcome;
}

static void note_unhealthy(struct looking *at, const struct service_conf *service, str text)
{
    finding_add(at->arena, &at->findings, FINDING_unhealthy,
                str_printf(at->arena, "%.*s/%.*s", STR_ARG(at->node->name), STR_ARG(service->name)),
                text);
}

static bool emit_memory_of(struct looking *at, const struct service_conf *service,
                           const struct store_conf *store, struct err *err)
{
    cert_list certs = { 0 };
    bool known = false;
    if (!at->look->driver->memory(at->look->call, service, store, &certs, &known, err))
        return false;
    if (!known)
        return true;
    emit_object(at->emit, NULL);
    emit_str(at->emit, "store", store->name);
    emit_array(at->emit, "certificates");
    for (size_t i = 0; i < certs.count; i++)
        emit_bytes(at->emit, NULL, certs.items[i].der);
    emit_array_end(at->emit);
    emit_object_end(at->emit);
    return true;
}

/* What cannot be told is not there, and taken to be as stored. */
static void emit_memory(struct looking *at, const struct service_conf *service)
{
    emit_array(at->emit, "loaded");
    for (size_t i = 0; at->look->driver->memory != NULL && i < at->node->stores.count; i++) {
        AUTO(err) struct err err = { 0 };
        if (emit_memory_of(at, service, &at->node->stores.items[i], &err))
            continue;
        note_unhealthy(at, service, str_copy(at->arena, str_c(err.msg)));
        break;
    }
    emit_array_end(at->emit);
}

static void judge_health(struct looking *at, const struct service_conf *service)
{
    AUTO(err) struct err err = { 0 };
    struct driver_call call = *at->look->call;
    bool healthy = true;
    str text;
    call.timeout_ms = next_wait_ms(at);
    if (at->look->driver->health == NULL)
        return;
    if (!at->look->driver->health(&call, service, &healthy, &text, &err))
        note_unhealthy(at, service, str_copy(at->arena, str_c(err.msg)));
    else if (!healthy)
        note_unhealthy(at, service, text);
}

static void emit_peers(struct looking *at, const struct service_conf *service)
{
    AUTO(err) struct err err = { 0 };
    peer_list peers = { 0 };
    const struct driver *driver = at->look->driver;
    if (driver->peers == NULL)
        return;
    bool known = driver->peers(at->look->call, service, &peers, &err);
    emit_bool(at->emit, "peers_known", known);
    if (!known)
        emit_text(at->emit, "peers_text", err.msg);
    emit_array(at->emit, "peers");
    for (size_t i = 0; i < peers.count; i++) {
        const struct peer *peer = &peers.items[i];
        emit_object(at->emit, NULL);
        emit_str(at->emit, "user", peer->user);
        emit_str(at->emit, "database", peer->database);
        emit_str(at->emit, "address", peer->address);
        emit_str(at->emit, "name", peer->name);
        emit_str(at->emit, "subject", peer->subject);
        emit_str(at->emit, "serial", peer->serial);
        emit_str(at->emit, "state", peer->state);
        emit_object_end(at->emit);
    }
    emit_array_end(at->emit);
}

static void emit_service(struct looking *at, const struct service_conf *service)
{
    emit_object(at->emit, NULL);
    emit_str(at->emit, "name", service->name);
    bool down = false;
    if (at->look->connect && service->listen.len > 0) {
        down = emit_presented(at, service) == PROBE_UNREACHABLE;
        emit_peers(at, service);
    }
    if (at->look->connect && !down) {
        emit_memory(at, service);
        judge_health(at, service);
    }
    emit_object_end(at->emit);
}

/* The part that a service plays changes while it runs: the files only say how it was started. */
static void read_roles(struct looking *at)
{
    const struct driver_call *call = at->look->call;
    for (size_t i = 0; i < at->node->services.count && at->look->driver->role != NULL; i++) {
        AUTO(err) struct err err = { 0 };
        str role = S("");
        if (at->look->driver->role(call, &at->node->services.items[i], &role, &err) && role.len > 0)
            at->node->services.items[i].role = role;
    }
}

bool look_emit(const struct look *look, struct emit *emit, struct err *err)
{
    struct looking at = { .look = look, .arena = look->call->arena, .emit = emit };
    if (!driver_resolve(look->driver, look->call, look->fragment, &at.findings, err))
        return false;
    at.node = &look->fragment->nodes.items[0];
    for (size_t i = 0; i < at.node->services.count; i++)
        at.waits += WAITS_OF_A_SERVICE + at.node->services.items[i].identities.count;
    at.deadline = clock_monotonic_ms() + look_ms(look->call->timeout_ms, at.waits);
    if (look->connect)
        read_roles(&at);
    emit_str(emit, "fragment", cluster_format(at.arena, look->fragment));
    emit_array(emit, "stores");
    for (size_t i = 0; i < at.node->stores.count; i++)
        emit_store(&at, &at.node->stores.items[i]);
    emit_array_end(emit);
    emit_array(emit, "services");
    for (size_t i = 0; i < at.node->services.count; i++)
        emit_service(&at, &at.node->services.items[i]);
    emit_array_end(emit);
    network_emit(emit, at.arena, look->fragment);
    findings_emit(emit, "findings", &at.findings);
    return true;
}
