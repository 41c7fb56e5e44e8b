/* SPDX-License-Identifier: Apache-2.0 */
#include "system/postgresql/running.h"

#include "node/protocol.h"
#include "node/run.h"
#include "node/seen.h"
#include "system/postgresql/conninfo.h"
#include "system/postgresql/discover.h"
#include "system/postgresql/files.h"
#include "system/postgresql/query.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { ASK_MS = 8000, LOAD_MS = 15000, PATIENCE_MS = 1500, POLL_MS = 50 };

static const char *const state_question =
    "select json_build_object('loaded', extract(epoch from pg_conf_load_time()),"
    " 'receiver', (select json_build_object('pid', r.pid, 'conninfo', r.conninfo,"
    "   'started', extract(epoch from a.backend_start))"
    "  from pg_stat_wal_receiver r join pg_stat_activity a using (pid)))";

struct server_state {
    double loaded; /* seconds since the epoch */
    bool receives;
    int64_t receiver_pid;
    double receiver_started;
    str receiver_conninfo;
};

static struct pg_server server_of(const struct driver_call *call)
{
    str run_as = call->node->run_as;
    if (run_as.len == 0)
        run_as = run_owner(call->arena, call->node->data);
    return pg_server_find(call->arena, call->node->data, run_as);
}

static bool ask_state(const struct driver_call *call, const struct pg_server *server,
                      struct server_state *ret_state, struct err *err)
{
    AUTO(json) json_t *json = NULL;
    str text;
    if (!pg_ask(call->arena, server, state_question, ASK_MS, &text, err) ||
        !protocol_parse(text, &json, err))
        return false;
    const json_t *receiver = json_object_get(json, "receiver");
    *ret_state = (struct server_state){
        .loaded = json_number_value(json_object_get(json, "loaded")),
        .receives = json_is_object(receiver),
        .receiver_pid = json_integer_value(json_object_get(receiver, "pid")),
        .receiver_started = json_number_value(json_object_get(receiver, "started")),
        .receiver_conninfo =
            str_copy(call->arena, str_c(json_string_value(json_object_get(receiver, "conninfo")))),
    };
    return true;
}

/* When a file last changed, in seconds since the epoch; 0 when it is not there. */
static double changed_at(struct arena *arena, str path)
{
    struct stat st;
    if (path.len == 0 || stat(str_cstr(arena, path), &st) < 0)
        return 0;
    return (double)st.st_ctim.tv_sec + (double)st.st_ctim.tv_nsec / 1e9;
}

/* The file that changed after the last reload, or the empty string. */
static str changed_since(const struct driver_call *call, double loaded, struct err *err)
{
    struct pg_place place;
    static const char *const names[] = { "server", "clients" };
    if (!pg_place_read(call->arena, &pgconf_files, call->node, &place, err))
        return S("");
    for (size_t i = 0; i < place.conf.files.count; i++)
        if (changed_at(call->arena, place.conf.files.items[i]) > loaded)
            return place.conf.files.items[i];
    for (size_t i = 0; i < COUNT(names); i++) {
        struct node_conf *node = (struct node_conf *)(uintptr_t)call->node;
        const struct store_conf *store = node_store(node, str_c(names[i]));
        if (store == NULL)
            continue;
        const str files[] = { store->certificate, store->key, store->certificates, store->crl };
        for (size_t k = 0; k < COUNT(files); k++)
            if (changed_at(call->arena, files[k]) > loaded)
                return files[k];
    }
    return S("");
}

/* Whether the walreceiver connected with other files than it would use now. */
static bool receiver_is_stale(const struct driver_call *call, const struct server_state *state)
{
    AUTO(err) struct err err = { 0 };
    struct node_conf *node = (struct node_conf *)(uintptr_t)call->node;
    const struct store_conf *store = node_store(node, S("upstream"));
    struct conninfo used;
    if (!state->receives || store == NULL)
        return false;
    /* The server prints what it connected with; an implicit identity is not in it. */
    if (conninfo_parse(call->arena, state->receiver_conninfo, &used, &err)) {
        str certificate = conninfo_get(&used, "sslcert");
        if (certificate.len > 0 && !str_eq(certificate, store->certificate))
            return true;
    }
    return changed_at(call->arena, store->certificate) > state->receiver_started ||
           changed_at(call->arena, store->key) > state->receiver_started;
}

static bool judge_loaded(const struct driver_call *call, const struct service_conf *service,
                         const struct server_state *state, enum observed *ret_observed,
                         str *ret_evidence, struct err *err)
{
    str file = changed_since(call, state->loaded, err);
    if (err->kind != ERR_NONE)
        return false;
    *ret_observed = OBSERVED_BEFORE;
    if (file.len > 0) {
        *ret_evidence =
            str_printf(call->arena, "%.*s changed after the last reload", STR_ARG(file));
        return true;
    }
    if (receiver_is_stale(call, state)) {
        *ret_evidence = S("its walreceiver is still connected with the earlier certificate");
        return true;
    }
    return seen_is_stored(call, service, ret_observed, ret_evidence, err);
}

bool pg_loaded(const struct driver_call *call, const struct service_conf *service,
               enum observed *ret_observed, str *ret_evidence, struct err *err)
{
    struct pg_server server = server_of(call);
    struct server_state state;
    AUTO(err) struct err unasked = { 0 };
    if (server.pid == 0) {
        *ret_observed = OBSERVED_AFTER;
        *ret_evidence = S("the server does not run; it loads what is stored when it starts");
        return true;
    }
    /* Where it cannot be asked the wire still tells. */
    if (!ask_state(call, &server, &state, &unasked))
        return seen_is_stored(call, service, ret_observed, ret_evidence, err);
    return judge_loaded(call, service, &state, ret_observed, ret_evidence, err);
}

struct signalling {
    pid_t pid;
    int number;
};

static int send_signal(int out, void *context)
{
    const struct signalling *what = context;
    (void)out;
    return kill(what->pid, what->number) == 0 ? 0 : 1;
}

/* Signals go from the server's own user, who can reach no other's processes. */
static bool signal_as(const struct driver_call *call, const struct pg_server *server, pid_t pid,
                      int number, struct err *err)
{
    struct signalling what = { pid, number };
    struct run_result result;
    if (!run_call(call->arena, server->run_as, ASK_MS, send_signal, &what, &result, err))
        return false;
    return result.exit_code == 0 ||
           err_set(err, ERR_SYSTEM, "process %d could not be signalled", (int)pid);
}

static void pause_ms(int ms)
{
    nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L }, NULL);
}

/* A walreceiver reconnects by itself when its connection string changed; one whose files changed
   under the same names has to be ended, and is started again by the server. */
static bool nudge_receiver(const struct driver_call *call, const struct pg_server *server,
                           bool *nudged, struct err *err)
{
    struct server_state state;
    AUTO(err) struct err unasked = { 0 };
    if (*nudged || !ask_state(call, server, &state, &unasked) || !receiver_is_stale(call, &state))
        return true;
    *nudged = true;
    return signal_as(call, server, (pid_t)state.receiver_pid, SIGTERM, err);
}

bool pg_refresh(const struct driver_call *call, const struct service_conf *service,
                str *ret_evidence, struct err *err)
{
    struct pg_server server = server_of(call);
    enum observed observed = OBSERVED_BEFORE;
    bool nudged = false;
    *ret_evidence = S("the server does not run; it loads what is stored when it starts");
    if (server.pid == 0)
        return true;
    if (!signal_as(call, &server, server.pid, SIGHUP, err))
        return false;
    int64_t begin = clock_monotonic_ms();
    for (int64_t at = begin; at < begin + LOAD_MS; at = clock_monotonic_ms()) {
        if (!pg_loaded(call, service, &observed, ret_evidence, err))
            return false;
        if (observed == OBSERVED_AFTER)
            return true;
        if (at > begin + PATIENCE_MS && !nudge_receiver(call, &server, &nudged, err))
            return false;
        pause_ms(POLL_MS);
    }
    (void)err_set(err, ERR_TIMEOUT, "%.*s/%.*s was reloaded and %.*s", STR_ARG(call->node->name),
                  STR_ARG(service->name), STR_ARG(*ret_evidence));
    return err_next(err, "look for \"SSL configuration was not reloaded\" in the server's log");
}

bool pg_role(const struct driver_call *call, const struct service_conf *service, str *ret_role,
             struct err *err)
{
    struct pg_server server = server_of(call);
    AUTO(err) struct err unasked = { 0 };
    str cell;
    (void)service, (void)err;
    *ret_role = S("");
    if (pg_ask(call->arena, &server, "select pg_is_in_recovery()", ASK_MS, &cell, &unasked))
        *ret_role = str_eq(cell, S("t")) ? S("replica") : S("primary");
    return true;
}

static const char *const peers_question =
    "select coalesce(json_agg(json_build_object('user', a.usename,"
    " 'database', case when a.backend_type = 'walsender' then 'replication' else a.datname end,"
    " 'address', host(a.client_addr), 'name', a.application_name, 'subject', s.client_dn,"
    " 'serial', s.client_serial::text, 'state', r.state)), '[]')"
    " from pg_stat_ssl s join pg_stat_activity a using (pid)"
    " left join pg_stat_replication r using (pid) where s.ssl";

static str text_of(struct arena *arena, const json_t *row, const char *name)
{
    return str_copy(arena, str_c(json_string_value(json_object_get(row, name))));
}

/* "/O=Orders/CN=app" gives "app". */
static str common_name_of(str subject)
{
    str found = S("");
    while (subject.len > 0) {
        str part = str_cut(&subject, '/');
        if (str_starts(part, S("CN=")))
            found = (str){ part.ptr + 3, part.len - 3 };
    }
    return found;
}

static str hex_of_decimal(struct arena *arena, str decimal)
{
    BIGNUM *number = NULL;
    if (decimal.len == 0 || BN_dec2bn(&number, decimal.ptr) == 0)
        return S("");
    char *hex = BN_bn2hex(number);
    str text = str_copy(arena, str_c(hex));
    OPENSSL_free(hex);
    BN_free(number);
    char *at = (char *)(uintptr_t)text.ptr;
    for (size_t i = 0; i < text.len; i++)
        if (at[i] >= 'A' && at[i] <= 'F')
            at[i] = (char)(at[i] - 'A' + 'a');
    return text;
}

bool pg_peers(const struct driver_call *call, const struct service_conf *service,
              peer_list *ret_peers, struct err *err)
{
    struct pg_server server = server_of(call);
    str text;
    (void)service;
    if (!pg_ask(call->arena, &server, peers_question, ASK_MS, &text, err))
        return false;
    AUTO(json) json_t *rows = json_loadb(text.ptr, text.len, 0, NULL);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        list_push(call->arena, ret_peers) = (struct peer){
            .user = text_of(call->arena, row, "user"),
            .database = text_of(call->arena, row, "database"),
            .address = text_of(call->arena, row, "address"),
            .name = text_of(call->arena, row, "name"),
            .subject = common_name_of(text_of(call->arena, row, "subject")),
            .serial = hex_of_decimal(call->arena, text_of(call->arena, row, "serial")),
            .state = text_of(call->arena, row, "state"),
        };
    }
    return true;
}
