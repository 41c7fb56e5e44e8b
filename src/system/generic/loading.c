/* SPDX-License-Identifier: Apache-2.0 */
#include "system/generic/loading.h"

#include "node/holders.h"
#include "node/loaded.h"
#include "node/run.h"
#include "node/seen.h"
#include "store/store.h"
#include "system/generic/haproxy.h"

#include <sys/stat.h>
#include <time.h>

enum { LOAD_MS = 30 * 1000, POLL_MS = 50, MTIME_SLACK = 2 };

/* ---- what is loaded ---- */

static void note_change(str path, moment *latest)
{
    AUTO(arena) struct arena arena = { 0 };
    struct stat st;
    if (path.len > 0 && stat(str_cstr(&arena, path), &st) == 0 && st.st_mtim.tv_sec > *latest)
        *latest = st.st_mtim.tv_sec;
}

/* Everything that answers was started after the files and what names them had changed: a machine
   or a service was started anew, whatever is on record. */
static bool started_since(const struct driver_call *call, const struct service_conf *service,
                          const struct store_conf *store)
{
    holder_list holders;
    moment changed = 0;
    if (service->listen.len == 0)
        return false;
    note_change(service->reference, &changed);
    note_change(store->certificate, &changed);
    note_change(store->key, &changed);
    note_change(store->certificates, &changed);
    holders_find(call->arena, service->listen, &holders);
    return holders_since(&holders) > changed + MTIME_SLACK;
}

static bool judge_record(const struct driver_call *call, const struct service_conf *service,
                         enum observed *ret_observed, str *ret_evidence, struct err *err)
{
    bool differs;
    str store;
    if (!loaded_differs(call, service, &differs, &store, err))
        return false;
    const struct store_conf *conf = node_store((struct node_conf *)(uintptr_t)call->node, store);
    if (!differs || started_since(call, service, conf))
        return true;
    *ret_observed = OBSERVED_BEFORE;
    *ret_evidence =
        str_printf(call->arena, "it has not loaded %.*s since that changed", STR_ARG(store));
    return true;
}

static bool judge_haproxy(const struct driver_call *call, const struct service_conf *service,
                          enum observed *ret_observed, str *ret_evidence, struct err *err)
{
    bool loaded;
    str store;
    if (!haproxy_has_loaded(call, service, &loaded, &store, err))
        return false;
    *ret_observed = loaded ? OBSERVED_AFTER : OBSERVED_BEFORE;
    *ret_evidence = loaded ? S("HAProxy shows what is stored")
                           : str_printf(call->arena, "HAProxy shows something else than is in %.*s",
                                        STR_ARG(store));
    return true;
}

static bool is_down(const struct driver_call *call, const struct service_conf *service,
                    bool *ret_down, str *ret_text, struct err *err)
{
    struct seen_wire wire;
    *ret_down = false;
    if (service->listen.len == 0)
        return true;
    if (!seen_wire(call, service, &wire, err))
        return false;
    *ret_down = !wire.listens;
    *ret_text =
        str_printf(call->arena, "%.*s: it loads what is stored when it starts", STR_ARG(wire.text));
    return true;
}

bool loading_loaded(const struct driver_call *call, const struct service_conf *service,
                    enum observed *ret_observed, str *ret_evidence, struct err *err)
{
    bool down;
    *ret_observed = OBSERVED_AFTER;
    if (!is_down(call, service, &down, ret_evidence, err))
        return false;
    if (down)
        return true;
    if (!seen_is_stored(call, service, ret_observed, ret_evidence, err))
        return false;
    if (*ret_observed != OBSERVED_AFTER)
        return true;
    return service->admin.len > 0 ? judge_haproxy(call, service, ret_observed, ret_evidence, err)
                                  : judge_record(call, service, ret_observed, ret_evidence, err);
}

static bool read_stored(const struct driver_call *call, const struct store_conf *store,
                        cert_list *ret_certs, struct err *err)
{
    str path = store->certificate.len > 0 ? store->certificate : store->certificates;
    struct store_options options = { .now = clock_now() };
    struct store file;
    *ret_certs = (cert_list){ 0 };
    if (path.len == 0)
        return true;
    if (!store_read(call->arena, str_cstr(call->arena, path), &options, &file, err))
        return false;
    for (size_t i = 0; i < file.entries.count; i++)
        if (file.entries.items[i].kind == ENTRY_TRUSTED)
            list_push(call->arena, ret_certs) = *file.entries.items[i].cert;
    return true;
}

static bool leads_with(struct arena *arena, const cert_list *chain, const str_list *digests)
{
    return chain->count > 0 && str_list_has(digests, haproxy_digest(arena, &chain->items[0]));
}

/* HAProxy shows digests; the certificates are those stored, or those on record. */
static bool haproxy_memory(const struct driver_call *call, const struct service_conf *service,
                           const struct store_conf *store, cert_list *ret_certs, bool *ret_known,
                           struct err *err)
{
    str_list digests = { 0 };
    cert_list stored, record;
    bool recorded;
    if (!haproxy_digests(call, service, store, &digests, ret_known, err) || !*ret_known ||
        !read_stored(call, store, &stored, err) ||
        !loaded_read(call, service, store, &record, &recorded, err))
        return err->kind == ERR_NONE;
    if (store->certificate.len > 0) {
        bool as_stored = leads_with(call->arena, &stored, &digests);
        if (as_stored || leads_with(call->arena, &record, &digests))
            *ret_certs = as_stored ? stored : record;
        return true;
    }
    const cert_list *lists[] = { &stored, &record };
    for (size_t k = 0; k < COUNT(lists); k++)
        for (size_t i = 0; i < lists[k]->count; i++)
            if (str_list_has(&digests, haproxy_digest(call->arena, &lists[k]->items[i])))
                list_push(call->arena, ret_certs) = lists[k]->items[i];
    return true;
}

bool loading_memory(const struct driver_call *call, const struct service_conf *service,
                    const struct store_conf *store, cert_list *ret_certs, bool *ret_known,
                    struct err *err)
{
    *ret_known = false;
    *ret_certs = (cert_list){ 0 };
    if (service->admin.len > 0)
        return haproxy_memory(call, service, store, ret_certs, ret_known, err);
    if (!loaded_read(call, service, store, ret_certs, ret_known, err))
        return false;
    *ret_known = *ret_known && !started_since(call, service, store);
    return true;
}

/* ---- health ---- */

bool loading_health(const struct driver_call *call, const struct service_conf *service,
                    bool *ret_healthy, str *ret_text, struct err *err)
{
    struct run_result result;
    *ret_healthy = true;
    *ret_text = S("");
    if (service->health.count == 0)
        return true;
    int wait_ms = call->timeout_ms < LOAD_MS ? call->timeout_ms : LOAD_MS;
    if (!run_as(call->arena, &service->health, service->run_as, wait_ms, &result, err))
        return false;
    *ret_healthy = result.exit_code == 0;
    str said = str_trim(result.output), first = str_cut(&said, '\n');
    *ret_text = str_printf(call->arena, "its health command %.*s ended with %d%s%.*s",
                           STR_ARG(service->health.items[0]), result.exit_code,
                           first.len > 0 ? ": " : "", STR_ARG(first));
    return true;
}

/* ---- refresh ---- */

/* A service of the process as it was before that was told to load. */
struct before {
    const struct service_conf *service;
    struct seen_wire wire;
    holder_list holders;
    bool names_follow; /* the issuers that it asks for were those of the anchors it had loaded */
};
typedef LIST(struct before) before_list;

static void add_names(const struct driver_call *call, const cert_list *certs, str_list *names)
{
    for (size_t i = 0; i < certs->count; i++)
        str_list_add(call->arena, names, certs->items[i].subject);
}

/* The subjects of what its trust stores hold; with `loaded`, of what is on record instead. */
static bool anchor_names(const struct driver_call *call, const struct service_conf *service,
                         bool loaded, str_list *ret_names, struct err *err)
{
    *ret_names = (str_list){ 0 };
    for (size_t i = 0; i < service->trust.count; i++) {
        const struct store_conf *store =
            node_store((struct node_conf *)(uintptr_t)call->node, service->trust.items[i]);
        cert_list certs = { 0 };
        bool known = false;
        if (store == NULL)
            continue;
        if ((loaded && !loaded_read(call, service, store, &certs, &known, err)) ||
            (!known && !read_stored(call, store, &certs, err)))
            return false;
        add_names(call, &certs, ret_names);
    }
    return true;
}

static bool same_names(const str_list *a, const str_list *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = str_list_has(b, a->items[i]);
    return same;
}

static bool look_before(const struct driver_call *call, const struct service_conf *service,
                        struct before *ret_before, struct err *err)
{
    str_list names;
    *ret_before = (struct before){ .service = service };
    if (service->listen.len == 0)
        return true;
    holders_find(call->arena, service->listen, &ret_before->holders);
    if (!seen_wire(call, service, &ret_before->wire, err) ||
        !anchor_names(call, service, true, &names, err))
        return false;
    /* HAProxy asks for the issuers of before until it is reloaded. */
    bool cannot = service->admin.len > 0 && service->refresh.count == 0;
    ret_before->names_follow =
        !cannot && names.count > 0 && same_names(&names, &ret_before->wire.acceptable);
    return true;
}

/* Every place where the process listens. */
static bool look_at_all(const struct driver_call *call, const struct service_conf *service,
                        before_list *ret_befores, struct err *err)
{
    const struct node_conf *node = call->node;
    const struct service_conf *process = node_process(node, service);
    *ret_befores = (before_list){ 0 };
    for (size_t i = 0; i < node->services.count; i++)
        if (node_process(node, &node->services.items[i]) == process &&
            !look_before(call, &node->services.items[i], &list_push(call->arena, ret_befores), err))
            return false;
    return true;
}

static bool command(const struct driver_call *call, const struct service_conf *service,
                    str *ret_evidence, struct err *err)
{
    struct run_result result;
    if (service->refresh.count == 0)
        return err_set(err, ERR_REFUSED, "service %.*s/%.*s has no refresh command",
                       STR_ARG(call->node->name), STR_ARG(service->name));
    if (!run_as(call->arena, &service->refresh, service->run_as, call->timeout_ms, &result, err))
        return false;
    *ret_evidence = str_printf(call->arena, "%.*s ended with %d",
                               STR_ARG(service->refresh.items[0]), result.exit_code);
    return result.exit_code == 0 ||
           err_set(err, ERR_SYSTEM, "%.*s: %.*s", STR_ARG(*ret_evidence), STR_ARG(result.output));
}

/* Not told where only a reload helps, or where it already has all that it could be told. */
static bool tell_haproxy(const struct driver_call *call, const struct service_conf *service,
                         bool reloads, bool *ret_told, str *ret_evidence, struct err *err)
{
    enum haproxy_need need;
    size_t count = 0;
    str name;
    *ret_told = false;
    if (!haproxy_needs_reload(call, service, &need, &name, err))
        return false;
    if (need != OF_NOTHING && reloads)
        return true;
    if (need == OF_CERTIFICATE) {
        (void)err_set(err, ERR_REFUSED,
                      "HAProxy would take %.*s and show the old one until it is reloaded, and no "
                      "command is known that reloads it",
                      STR_ARG(name));
        return err_next(err, "declare 'refresh' of %.*s/%.*s in the cluster file",
                        STR_ARG(call->node->name), STR_ARG(service->name));
    }
    if (!haproxy_load(call, service, &count, err))
        return false;
    *ret_told = count > 0;
    *ret_evidence =
        str_printf(call->arena, "HAProxy has taken %zu %s", count, count == 1 ? "file" : "files");
    return true;
}

/* What one of its services declares is how the process is told. */
static bool tell(const struct driver_call *call, const struct service_conf *service,
                 const before_list *befores, str *ret_evidence, struct err *err)
{
    const struct service_conf *admin = service, *refresh = service;
    bool told = false;
    for (size_t i = 0; i < befores->count; i++) {
        const struct service_conf *one = befores->items[i].service;
        admin = admin->admin.len == 0 && one->admin.len > 0 ? one : admin;
        refresh = refresh->refresh.count == 0 && one->refresh.count > 0 ? one : refresh;
    }
    if (admin->admin.len > 0 &&
        !tell_haproxy(call, admin, refresh->refresh.count > 0, &told, ret_evidence, err))
        return false;
    return told || command(call, refresh, ret_evidence, err);
}

/* What the wire must show: the stored certificate, and the names of the stored anchors where those
   were shown before. False with a text while it does not. */
static bool wire_is_right(const struct driver_call *call, const struct before *before,
                          bool *ret_right, str *ret_text, struct err *err)
{
    const struct service_conf *service = before->service;
    struct seen_wire wire;
    enum observed observed;
    str_list names;
    *ret_right = false;
    if (!seen_wire(call, service, &wire, err) ||
        !seen_is_stored(call, service, &observed, ret_text, err) ||
        !anchor_names(call, service, false, &names, err))
        return false;
    if (before->wire.listens && !wire.listens)
        *ret_text = S("it does not listen any more");
    else if (before->names_follow && !same_names(&names, &wire.acceptable))
        *ret_text = S("it asks clients for other issuers than it is to trust");
    else
        *ret_right = observed == OBSERVED_AFTER;
    return true;
}

static bool is_over(const struct driver_call *call, const struct before *before, bool *ret_over,
                    str *ret_text, struct err *err)
{
    const struct service_conf *service = before->service;
    enum observed observed = OBSERVED_AFTER;
    holder_list now;
    *ret_over = true;
    if (service->listen.len > 0) {
        if (!wire_is_right(call, before, ret_over, ret_text, err))
            return false;
        holders_find(call->arena, service->listen, &now);
        *ret_over = *ret_over && holders_settled(call->arena, &before->holders, &now, ret_text);
    }
    if (*ret_over && service->admin.len > 0) {
        /* While it is reloaded its socket may be gone for a moment. */
        AUTO(err) struct err later = { 0 };
        *ret_over =
            judge_haproxy(call, service, &observed, ret_text, &later) && observed == OBSERVED_AFTER;
        if (later.kind != ERR_NONE)
            *ret_text = str_copy(call->arena, str_c(later.msg));
    }
    return !*ret_over || loading_health(call, service, ret_over, ret_text, err);
}

static bool wait_for(const struct driver_call *call, const struct before *before, int64_t end,
                     str said, struct err *err)
{
    str text = S("");
    for (bool over = false; !over;) {
        if (!is_over(call, before, &over, &text, err))
            return false;
        if (!over && clock_monotonic_ms() >= end)
            return err_set(err, ERR_TIMEOUT, "%.*s/%.*s: %.*s, and then: %.*s",
                           STR_ARG(call->node->name), STR_ARG(before->service->name), STR_ARG(said),
                           STR_ARG(text));
        if (!over)
            nanosleep(&(struct timespec){ .tv_nsec = POLL_MS * 1000L * 1000L }, NULL);
    }
    return true;
}

bool loading_refresh(const struct driver_call *call, const struct service_conf *service,
                     str *ret_evidence, struct err *err)
{
    before_list befores;
    if (!look_at_all(call, service, &befores, err) ||
        !tell(call, service, &befores, ret_evidence, err))
        return false;
    int64_t end = clock_monotonic_ms() + LOAD_MS;
    for (size_t i = 0; i < befores.count; i++)
        if (!wait_for(call, &befores.items[i], end, *ret_evidence, err))
            return false;
    return true;
}
