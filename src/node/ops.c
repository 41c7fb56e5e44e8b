/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"
#include "node/change.h"
#include "node/file.h"
#include "node/lease.h"
#include "node/look.h"
#include "node/material.h"
#include "node/worker.h"
#include "store/pins.h"
#include "tls/probe.h"

enum { RUN_TIMEOUT_MS = 60 * 1000, TIMEOUT_MAX_MS = 3600 * 1000 };

static bool take_timeout(const json_t *body, int64_t otherwise, int *ret_ms, struct err *err)
{
    int64_t ms;
    if (!take_int(body, "timeout_ms", otherwise, &ms, err))
        return false;
    if (ms < 1 || ms > TIMEOUT_MAX_MS)
        return err_set(err, ERR_FORMAT, "\"timeout_ms\" must be 1 to %d", TIMEOUT_MAX_MS);
    *ret_ms = (int)ms;
    return true;
}

/* {} -> version, host, pid, clock */
static bool op_hello(const struct worker *worker, struct arena *arena, const json_t *body,
                     struct emit *emit, struct err *err)
{
    (void)worker, (void)body, (void)err;
    emit_int(emit, "version", PROTOCOL_VERSION);
    emit_text(emit, "program", RESEAL_VERSION);
    emit_str(emit, "host", lease_host(arena));
    emit_int(emit, "pid", getpid());
    emit_int(emit, "clock", clock_now());
    return true;
}

/* The request's node, as a fragment of a cluster file. Its driver is found by its system. */
struct site {
    struct cluster fragment;
    struct driver_call call;
    const struct driver *driver;
    finding_list findings;
};

static bool take_node(const struct worker *worker, struct arena *arena, const json_t *body,
                      struct site *site, struct err *err)
{
    str text;
    *site = (struct site){
        .call = {.arena = arena, .state = worker->state}
    };
    if (!need_text(body, "node", &text, err) ||
        !take_timeout(body, RUN_TIMEOUT_MS, &site->call.timeout_ms, err) ||
        !cluster_parse(arena, "/node.yaml", text, true, &site->fragment, err))
        return false;
    if (site->fragment.nodes.count != 1)
        return err_set(err, ERR_FORMAT, "\"node\" must be one node");
    const struct node_conf *node = &site->fragment.nodes.items[0];
    site->call.node = node;
    site->driver = driver_find(worker->drivers, node->system);
    return site->driver != NULL || err_set(err, ERR_USAGE, "node %.*s: no driver for system %.*s",
                                           STR_ARG(node->name), STR_ARG(node->system));
}

/* {node, renew_before?, now?, connect?, timeout_ms?} -> clock, and what look.h lists */
static bool op_look(const struct worker *worker, struct arena *arena, const json_t *body,
                    struct emit *emit, struct err *err)
{
    struct site site;
    int64_t now;
    if (!take_node(worker, arena, body, &site, err) || !take_int(body, "now", 0, &now, err))
        return false;
    struct look look = { .driver = site.driver,
                         .call = &site.call,
                         .fragment = &site.fragment,
                         .now = now > 0 ? now : clock_now(),
                         .connect = !json_is_false(json_object_get(body, "connect")) };
    if (!take_int(body, "renew_before", 0, &look.renew_before, err))
        return false;
    if (!look_emit(&look, emit, err))
        return false;
    /* Last: looking may take a while, and it is compared when it arrives. */
    emit_int(emit, "clock", clock_now());
    return true;
}

static bool read_file_of(struct arena *arena, const json_t *body, const char *name, str *ret_bytes,
                         struct err *err)
{
    str path;
    *ret_bytes = S("");
    if (!take_text(body, name, &path, err) || path.len == 0)
        return err->kind == ERR_NONE;
    return io_read(arena, str_cstr(arena, path), IO_FILE_MAX, ret_bytes, err);
}

static bool probe_verify_of(const json_t *body, enum probe_verify *ret_verify, struct err *err)
{
    static const char *const names[] = { "none", "ca", "full" };
    str text;
    if (!take_text(body, "verify", &text, err))
        return false;
    *ret_verify = PROBE_VERIFY_FULL;
    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eq(text, str_c(names[i])))
            *ret_verify = (enum probe_verify)i;
    return text.len == 0 || str_eq(text, str_c(names[*ret_verify])) ||
           err_set(err, ERR_FORMAT, "\"verify\" must be none, ca or full");
}

/* The key's password is read here, where its store is declared: it does not travel. */
static bool probe_password(const struct worker *worker, struct arena *arena, const json_t *body,
                           str *ret_password, struct err *err)
{
    struct site site;
    str name;
    *ret_password = (str){ 0 };
    if (!take_text(body, "store", &name, err) || name.len == 0)
        return err->kind == ERR_NONE;
    if (!take_node(worker, arena, body, &site, err))
        return false;
    const struct store_conf *store = node_store(&site.fragment.nodes.items[0], name);
    return store == NULL || material_password(arena, store, ret_password, err);
}

/* {host, port, protocol, name?, user?, database?, verify?, trust?, certificate?, key?, store?,
   node?, timeout_ms?}; trust, certificate and key are paths here, store is the one on node that has
   the key's password -> probe, presented[] (DER) */
static bool op_probe(const struct worker *worker, struct arena *arena, const json_t *body,
                     struct emit *emit, struct err *err)
{
    struct probe_request request = { 0 };
    struct probe_result result = { 0 };
    int64_t port;
    if (!need_text(body, "host", &request.host, err) || !take_int(body, "port", 0, &port, err) ||
        !need_text(body, "protocol", &request.protocol, err) ||
        !take_text(body, "name", &request.name, err) ||
        !take_text(body, "user", &request.user, err) ||
        !take_text(body, "database", &request.database, err) ||
        !probe_verify_of(body, &request.verify, err) ||
        !read_file_of(arena, body, "trust", &request.trust_pem, err) ||
        !read_file_of(arena, body, "certificate", &request.certificate_pem, err) ||
        !take_text(body, "key", &request.key_path, err) ||
        !probe_password(worker, arena, body, &request.key_password, err) ||
        !take_timeout(body, 5000, &request.timeout_ms, err))
        return false;
    if (port < 1 || port > UINT16_MAX)
        return err_set(err, ERR_FORMAT, "\"port\" must be 1 to 65535");
    request.port = (uint16_t)port;
    if (!probe_run(arena, &request, &result, err))
        return false;
    probe_emit(emit, "probe", &result);
    emit_array(emit, "presented");
    for (size_t i = 0; i < result.chain.count; i++)
        emit_bytes(emit, NULL, result.chain.items[i].der);
    emit_array_end(emit);
    return true;
}

/* {apply} -> restored */
static bool op_restore(const struct worker *worker, struct arena *arena, const json_t *body,
                       struct emit *emit, struct err *err)
{
    (void)arena;
    str apply;
    size_t count;
    if (!need_text(body, "apply", &apply, err) || !file_restore(worker->state, apply, &count, err))
        return false;
    emit_int(emit, "restored", (int64_t)count);
    return true;
}

/* One step, where it is to be done: {node, step{}, apply, timeout_ms?} */
struct work {
    struct site site;
    struct change_site at;
    struct change change;
};

static bool take_work(const struct worker *worker, struct arena *arena, const json_t *body,
                      struct work *work, struct err *err)
{
    if (!take_node(worker, arena, body, &work->site, err) ||
        !change_parse(arena, json_object_get(body, "step"), &work->change, err) ||
        !need_text(body, "apply", &work->at.apply, err) ||
        !driver_resolve(work->site.driver, &work->site.call, &work->site.fragment,
                        &work->site.findings, err))
        return false;
    work->at.driver = work->site.driver;
    work->at.call = &work->site.call;
    return true;
}

/* What an issue step has come to: whoever is to remember it must be told. */
static bool emit_issued(struct arena *arena, const struct work *work, struct emit *emit,
                        struct err *err)
{
    struct pending_place place;
    struct pending pending;
    if (!change_pending(&work->at, &work->change, &place, err) ||
        !pending_read(arena, &place, &pending, err))
        return false;
    if (pending.has_certificate)
        emit_bytes(emit, "leaf", pending.leaf.der);
    return true;
}

/* -> observed, evidence; of an issue step that is done also leaf (DER) */
static bool op_observe(const struct worker *worker, struct arena *arena, const json_t *body,
                       struct emit *emit, struct err *err)
{
    struct work work;
    enum observed observed;
    str evidence;
    if (!take_work(worker, arena, body, &work, err) ||
        !change_observe(&work.at, &work.change, &observed, &evidence, err))
        return false;
    if (work.change.kind == STEP_issue && observed == OBSERVED_AFTER &&
        !emit_issued(arena, &work, emit, err))
        return false;
    emit_text(emit, "observed", observed_name(observed));
    emit_str(emit, "evidence", evidence);
    return true;
}

/* -> evidence */
static bool op_carry_out(const struct worker *worker, struct arena *arena, const json_t *body,
                         struct emit *emit, struct err *err)
{
    struct work work;
    str evidence;
    if (!take_work(worker, arena, body, &work, err) ||
        !change_carry_out(&work.at, &work.change, &evidence, err))
        return false;
    emit_str(emit, "evidence", evidence);
    return true;
}

/* -> nothing: an error says what would stop the step */
static bool op_preflight(const struct worker *worker, struct arena *arena, const json_t *body,
                         struct emit *emit, struct err *err)
{
    struct work work;
    (void)emit;
    return take_work(worker, arena, body, &work, err) &&
           change_preflight(&work.at, &work.change, err);
}

/* An issue step's first half -> spki_sha256, request (DER), replaced (DER of the old leaf) */
static bool op_request(const struct worker *worker, struct arena *arena, const json_t *body,
                       struct emit *emit, struct err *err)
{
    struct work work;
    struct pending_place place;
    struct pending_request request;
    struct cert leaf;
    bool there;
    if (!take_work(worker, arena, body, &work, err) ||
        !change_leaf(&work.at, &work.change, &leaf, &there, err))
        return false;
    str now = there ? str_printf(arena, "sha256:%.*s", STR_ARG(leaf.sha256)) : S("absent");
    bool told = !there && work.change.replaced.len > 0;
    if (told && !cert_parse(arena, work.change.replaced, &leaf, err))
        return false;
    if (!(there || told) || !str_eq(now, work.change.expects))
        return err_set(err, ERR_CONFLICT, "%.*s/%.*s is %.*s, expected %.*s",
                       STR_ARG(work.site.call.node->name), STR_ARG(work.change.store), STR_ARG(now),
                       STR_ARG(work.change.expects));
    if (!change_pending(&work.at, &work.change, &place, err) ||
        !pending_ask(arena, &place, &leaf, &request, err))
        return false;
    emit_str(emit, "spki_sha256", request.spki_sha256);
    emit_bytes(emit, "request", request.request_der);
    emit_bytes(emit, "replaced", leaf.der);
    return true;
}

/* Its second half: {…, chain (PEM)} */
static bool op_deliver(const struct worker *worker, struct arena *arena, const json_t *body,
                       struct emit *emit, struct err *err)
{
    struct work work;
    struct pending_place place;
    str chain;
    (void)emit;
    return take_work(worker, arena, body, &work, err) && need_text(body, "chain", &chain, err) &&
           change_pending(&work.at, &work.change, &place, err) &&
           pending_deliver(&place, chain, err);
}

/* {step{id}} of an issue step -> forgotten: whether there was something */
static bool op_forget(const struct worker *worker, struct arena *arena, const json_t *body,
                      struct emit *emit, struct err *err)
{
    (void)arena;
    struct pending_place place = { .state = worker->state, .new_key = true };
    bool had;
    if (!need_text(json_object_get(body, "step"), "id", &place.step, err) ||
        !pending_forget(&place, &had, err))
        return false;
    emit_bool(emit, "forgotten", had);
    return true;
}

static bool emit_certificates(const struct worker *worker, struct arena *arena, str apply, str path,
                              const char *name, struct emit *emit, struct err *err)
{
    struct store_options options = { .now = clock_now() };
    struct store store;
    str bytes;
    if (!file_saved_bytes(arena, worker->state, apply, path, &bytes, err))
        return false;
    store_parse(arena, path, bytes, &options, &store);
    emit_array(emit, name);
    for (size_t i = 0; i < store.entries.count; i++)
        if (store.entries.items[i].kind == ENTRY_TRUSTED)
            emit_bytes(emit, NULL, store.entries.items[i].cert->der);
    emit_array_end(emit);
    return true;
}

static bool emit_saved_pins(const struct worker *worker, struct arena *arena, str apply, str path,
                            struct emit *emit, struct err *err)
{
    str bytes;
    pin_list pins;
    if (!file_saved_bytes(arena, worker->state, apply, path, &bytes, err))
        return false;
    pins_of(arena, bytes, &pins);
    emit_array(emit, "pins");
    for (size_t i = 0; i < pins.count; i++)
        emit_str(emit, NULL, pin_name(arena, pins.items[i]));
    emit_array_end(emit);
    return true;
}

/* Its chain is empty where no certificate was. */
static bool emit_saved_identity(const struct worker *worker, struct arena *arena, str apply,
                                const struct saved_identity *saved, struct emit *emit,
                                struct err *err)
{
    bool absent;
    if (!file_was_absent(arena, worker->state, apply, saved->certificate, &absent, err))
        return false;
    emit_object(emit, NULL);
    emit_str(emit, "service", saved->service);
    emit_str(emit, "store", saved->store);
    emit_str(emit, "certificate", saved->certificate);
    emit_str(emit, "key", saved->key);
    if (!absent && !emit_certificates(worker, arena, apply, saved->certificate, "chain", emit, err))
        return false;
    emit_object_end(emit);
    return true;
}

/* {apply, paths[]} -> identities[{service, store, certificate, key, chain[] (DER)}],
   anchors[{path, certificates[] (DER), pins[]}] of the trust stores at `paths` */
static bool op_saved(const struct worker *worker, struct arena *arena, const json_t *body,
                     struct emit *emit, struct err *err)
{
    saved_identity_list saved;
    str_list paths;
    str apply;
    if (!need_text(body, "apply", &apply, err) || !take_texts(arena, body, "paths", &paths, err) ||
        !file_saved_identities(arena, worker->state, apply, &saved, err))
        return false;
    emit_array(emit, "identities");
    for (size_t i = 0; i < saved.count; i++)
        if (!emit_saved_identity(worker, arena, apply, &saved.items[i], emit, err))
            return false;
    emit_array_end(emit);
    emit_array(emit, "anchors");
    for (size_t i = 0; i < paths.count; i++) {
        emit_object(emit, NULL);
        emit_str(emit, "path", paths.items[i]);
        if (!emit_certificates(worker, arena, apply, paths.items[i], "certificates", emit, err) ||
            !emit_saved_pins(worker, arena, apply, paths.items[i], emit, err))
            return false;
        emit_object_end(emit);
    }
    emit_array_end(emit);
    return true;
}

static bool take_place(const struct worker *worker, const json_t *body, struct lease_place *place,
                       struct err *err)
{
    *place = (struct lease_place){ .state = worker->state };
    return need_text(body, "cluster", &place->cluster, err);
}

/* {cluster} -> token (highest seen), holder (null when free), host, machine, pid, started */
static bool op_lease_read(const struct worker *worker, struct arena *arena, const json_t *body,
                          struct emit *emit, struct err *err)
{
    struct lease_place place;
    struct lease lease;
    if (!take_place(worker, body, &place, err) || !lease_read(arena, &place, &lease, err))
        return false;
    emit_int(emit, "token", lease.token);
    emit_text(emit, "holder", lease.held ? str_cstr(arena, lease.holder.name) : NULL);
    emit_str(emit, "host", lease.holder.host);
    emit_str(emit, "machine", lease.holder.machine);
    emit_int(emit, "pid", lease.holder.pid);
    emit_str(emit, "started", lease.holder.started);
    return true;
}

/* {cluster, token?, holder, host, machine, pid, started, take_over?, dead?} -> token */
static bool op_lease_take(const struct worker *worker, struct arena *arena, const json_t *body,
                          struct emit *emit, struct err *err)
{
    (void)arena;
    struct lease_place place;
    struct lease_claim claim = { 0 };
    struct lease_holder *holder = &claim.holder;
    int64_t token, pid;
    if (!take_place(worker, body, &place, err) || !take_int(body, "token", 0, &claim.token, err) ||
        !need_text(body, "holder", &holder->name, err) ||
        !need_text(body, "host", &holder->host, err) ||
        !need_text(body, "machine", &holder->machine, err) ||
        !take_int(body, "pid", 0, &pid, err) ||
        !need_text(body, "started", &holder->started, err) ||
        !take_text(body, "take_over", &claim.take_over, err) ||
        !take_int(body, "dead", 0, &claim.dead, err))
        return false;
    holder->pid = (pid_t)pid;
    if (!lease_take(&place, &claim, &token, err))
        return false;
    emit_int(emit, "token", token);
    return true;
}

/* {cluster, token} */
static bool op_lease_release(const struct worker *worker, struct arena *arena, const json_t *body,
                             struct emit *emit, struct err *err)
{
    (void)arena, (void)emit;
    struct lease_place place;
    int64_t token;
    return take_place(worker, body, &place, err) && take_int(body, "token", 0, &token, err) &&
           lease_release(&place, token, err);
}

// clang-format off
const struct op worker_ops[] = {
    { "hello",         false, op_hello },
    { "look",          false, op_look },
    { "probe",         false, op_probe },
    { "observe",       true,   op_observe },
    { "preflight",     false, op_preflight },
    { "saved",         false, op_saved },
    { "carry_out",     true,  op_carry_out },
    { "request",       true,  op_request },
    { "deliver",       true,  op_deliver },
    { "forget",        true,  op_forget },
    { "restore",       true,  op_restore },
    { "lease_read",    false, op_lease_read },
    { "lease_take",    false, op_lease_take },
    { "lease_release", false, op_lease_release },
    { 0 },
};
// clang-format on
