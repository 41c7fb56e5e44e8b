/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"
#include "node/file.h"
#include "node/lease.h"
#include "node/newkey.h"
#include "node/run.h"
#include "node/worker.h"
#include "store/store.h"
#include "tls/probe.h"

#include <sys/stat.h>

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

static const char *const entry_kinds[] = {
    [ENTRY_KEY] = "key",
    [ENTRY_TRUSTED] = "trusted",
    [ENTRY_REQUEST] = "request",
    [ENTRY_CRL] = "crl",
};

static void emit_entry(struct emit *emit, const struct entry *entry)
{
    emit_object(emit, NULL);
    emit_text(emit, "kind", entry_kinds[entry->kind]);
    emit_str(emit, "alias", entry->alias);
    if (entry->kind == ENTRY_KEY) {
        emit_str(emit, "key_spki_sha256", entry->key_spki_sha256);
        emit_str(emit, "key_type", entry->key_type);
        emit_bool(emit, "encrypted", entry->encrypted);
    }
    str der = entry->kind == ENTRY_TRUSTED ? entry->cert->der : entry->der;
    if (entry->kind != ENTRY_KEY)
        emit_bytes(emit, "der", der);
    emit_object_end(emit);
}

static bool judge_readable(struct arena *arena, const json_t *body, struct store *store,
                           struct err *err)
{
    str user;
    bool can = true;
    if (!take_text(body, "run_as", &user, err))
        return false;
    if (user.len > 0 && !run_can_read(store->path, user, &can, err))
        return false;
    if (!can)
        (void)finding_add(arena, &store->findings, FINDING_keystore_unreadable, store->path,
                          str_printf(arena, "user %.*s may not read it", STR_ARG(user)));
    return true;
}

/* {path, run_as?, renew_before?} -> state (sha256 or "absent"), format, uid, gid, mode,
   entries[], findings[] */
static bool op_read_store(const struct worker *worker, struct arena *arena, const json_t *body,
                          struct emit *emit, struct err *err)
{
    (void)worker;
    struct store_options options = { .now = clock_now() };
    struct store store = { 0 };
    struct stat st = { 0 };
    str path, state;
    if (!need_text(body, "path", &path, err) ||
        !take_int(body, "renew_before", 0, &options.renew_before, err) ||
        !file_state(arena, path, &state, err))
        return false;
    store.path = path;
    bool absent = str_eq(state, S("absent"));
    if (absent)
        (void)finding_add(arena, &store.findings, FINDING_keystore_unreadable, path,
                          S("there is no such file"));
    else if (!store_read(arena, str_cstr(arena, path), &options, &store, err) ||
             !judge_readable(arena, body, &store, err))
        return false;
    else if (stat(str_cstr(arena, path), &st) < 0)
        return err_errno(err, "%.*s", STR_ARG(path));
    emit_str(emit, "state", state);
    emit_text(emit, "format", store.format);
    emit_int(emit, "uid", st.st_uid);
    emit_int(emit, "gid", st.st_gid);
    emit_int(emit, "mode", st.st_mode & 07777);
    emit_array(emit, "entries");
    for (size_t i = 0; i < store.entries.count; i++)
        emit_entry(emit, &store.entries.items[i]);
    emit_array_end(emit);
    findings_emit(emit, "findings", &store.findings);
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

/* {host, port, protocol, name?, user?, database?, verify?, trust?, certificate?, key?,
   timeout_ms?}; the last three are paths here -> probe, presented[] (DER) */
static bool op_probe(const struct worker *worker, struct arena *arena, const json_t *body,
                     struct emit *emit, struct err *err)
{
    (void)worker;
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

/* {apply, paths[]} -> saved */
static bool op_snapshot(const struct worker *worker, struct arena *arena, const json_t *body,
                        struct emit *emit, struct err *err)
{
    str apply;
    str_list paths;
    if (!need_text(body, "apply", &apply, err) || !need_texts(arena, body, "paths", &paths, err) ||
        !file_snapshot(worker->state, apply, &paths, err))
        return false;
    emit_int(emit, "saved", (int64_t)paths.count);
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

static bool take_change(const struct worker *worker, const json_t *body,
                        struct file_change *ret_change, struct err *err)
{
    *ret_change = (struct file_change){ .state = worker->state, .mode = 0644 };
    return need_text(body, "apply", &ret_change->apply, err) &&
           need_text(body, "path", &ret_change->path, err) &&
           need_text(body, "expects", &ret_change->expects, err) &&
           take_text(body, "like", &ret_change->like, err);
}

static bool change_file(struct arena *arena, const struct file_change *change, str bytes,
                        struct emit *emit, struct err *err)
{
    str state;
    if (!file_write(change, bytes, err) || !file_state(arena, change->path, &state, err))
        return false;
    emit_str(emit, "state", state);
    return true;
}

/* {apply, path, expects, like?, bytes} -> state */
static bool op_write_file(const struct worker *worker, struct arena *arena, const json_t *body,
                          struct emit *emit, struct err *err)
{
    struct file_change change;
    str bytes;
    return take_change(worker, body, &change, err) &&
           need_bytes(arena, body, "bytes", &bytes, err) &&
           change_file(arena, &change, bytes, emit, err);
}

/* {apply, path, expects, like?, key, bytes (PEM chain)} -> state */
static bool op_install_certificate(const struct worker *worker, struct arena *arena,
                                   const json_t *body, struct emit *emit, struct err *err)
{
    struct file_change change;
    str bytes, key;
    return take_change(worker, body, &change, err) && need_text(body, "key", &key, err) &&
           need_bytes(arena, body, "bytes", &bytes, err) && newkey_matches(bytes, key, err) &&
           change_file(arena, &change, bytes, emit, err);
}

/* {apply, path, type, bits?, like?, subject? (DER) or common_name, san[]} -> spki_sha256, spki,
   request (DER) */
static bool op_make_key(const struct worker *worker, struct arena *arena, const json_t *body,
                        struct emit *emit, struct err *err)
{
    struct newkey_request request = { 0 };
    struct newkey key;
    str apply;
    int64_t bits;
    if (!need_text(body, "apply", &apply, err) || !need_text(body, "path", &request.path, err) ||
        !need_text(body, "type", &request.type, err) || !take_int(body, "bits", 0, &bits, err) ||
        !take_text(body, "like", &request.like, err) ||
        !take_texts(arena, body, "san", &request.san, err))
        return false;
    request.bits = bits > 0 && bits < 65536 ? (int)bits : 0;
    bool has_subject = json_object_get(body, "subject") != NULL;
    if (has_subject ? !need_bytes(arena, body, "subject", &request.subject_der, err)
                    : !need_text(body, "common_name", &request.common_name, err))
        return false;
    if (!newkey_make(arena, worker->state, apply, &request, &key, err))
        return false;
    emit_str(emit, "spki_sha256", key.spki_sha256);
    emit_bytes(emit, "spki", key.spki_der);
    emit_bytes(emit, "request", key.request_der);
    return true;
}

/* {argv[], run_as?, timeout_ms?} -> exit, output */
static bool op_run(const struct worker *worker, struct arena *arena, const json_t *body,
                   struct emit *emit, struct err *err)
{
    (void)worker;
    struct run_result result;
    str_list argv;
    str user;
    int timeout_ms = 0;
    if (!need_texts(arena, body, "argv", &argv, err) || !take_text(body, "run_as", &user, err) ||
        !take_timeout(body, RUN_TIMEOUT_MS, &timeout_ms, err) ||
        !run_as(arena, &argv, user, timeout_ms, &result, err))
        return false;
    emit_int(emit, "exit", result.exit_code);
    emit_str(emit, "output", result.output);
    return true;
}

static bool take_place(const struct worker *worker, const json_t *body, struct lease_place *place,
                       struct err *err)
{
    *place = (struct lease_place){ .state = worker->state };
    return need_text(body, "cluster", &place->cluster, err);
}

/* {cluster} -> token (highest seen), holder (null when free), host, pid */
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
    emit_int(emit, "pid", lease.holder.pid);
    return true;
}

/* {cluster, token?, holder, host, pid, started, take_over?} -> token */
static bool op_lease_take(const struct worker *worker, struct arena *arena, const json_t *body,
                          struct emit *emit, struct err *err)
{
    (void)arena;
    struct lease_place place;
    struct lease_holder holder = { 0 };
    int64_t token, pid;
    str take_over;
    if (!take_place(worker, body, &place, err) || !take_int(body, "token", 0, &token, err) ||
        !need_text(body, "holder", &holder.name, err) ||
        !need_text(body, "host", &holder.host, err) || !take_int(body, "pid", 0, &pid, err) ||
        !need_text(body, "started", &holder.started, err) ||
        !take_text(body, "take_over", &take_over, err))
        return false;
    holder.pid = (pid_t)pid;
    if (!lease_take(&place, &holder, token, take_over, &token, err))
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

const struct op worker_ops[] = {
    {"hello",                false, op_hello },
    { "read_store",              false, op_read_store },
    { "probe",          false, op_probe },
    { "snapshot",         true, op_snapshot },
    { "restore",               true, op_restore },
    { "write_file",              true, op_write_file },
    { "install_certificate",            true, op_install_certificate },
    { "make_key",           true, op_make_key },
    { "run",             true, op_run },
    { "lease_read",            false, op_lease_read },
    { "lease_take",          false, op_lease_take },
    { "lease_release",         false, op_lease_release },
    { 0},
};
