/* SPDX-License-Identifier: Apache-2.0 */
#include "system/generic/haproxy.h"

#include "base/clock.h"
#include "base/io.h"
#include "store/pem.h"
#include "store/store.h"
#include "x509/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { ANSWER_MAX = 1024 * 1024, ANSWER_MS = 10 * 1000, SHA1_HEX = 40 };

/* ---- one command, one answer ---- */

static bool dial(str path, int *ret_fd, struct err *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (path.len >= sizeof(address.sun_path))
        return err_set(err, ERR_USAGE, "%.*s: too long for a socket", STR_ARG(path));
    memcpy(address.sun_path, path.ptr, path.len);
    *ret_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*ret_fd < 0)
        return err_errno(err, "%.*s", STR_ARG(path));
    /* Where too many wait already, connect() and send() do. */
    struct timeval most = { .tv_sec = ANSWER_MS / 1000 };
    (void)setsockopt(*ret_fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
    while (connect(*ret_fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        if (errno != EINTR)
            return err_errno(err, "%.*s", STR_ARG(path));
    return true;
}

/* One that was closed before it had everything may have said why: that is heard next. */
static bool say(int fd, str path, str command, struct err *err)
{
    while (command.len > 0) {
        ssize_t sent = send(fd, command.ptr, command.len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EPIPE)
            return true;
        if (sent < 0 && errno != EINTR)
            return err_errno(err, "%.*s", STR_ARG(path));
        if (sent > 0)
            command = (str){ command.ptr + sent, command.len - (size_t)sent };
    }
    return true;
}

/* Outside its interactive mode HAProxy closes the connection behind its answer. */
static bool hear(struct arena *arena, int fd, str path, str *ret_answer, struct err *err)
{
    int64_t deadline = clock_monotonic_ms() + ANSWER_MS;
    struct buf answer = { 0 };
    buf_add(arena, &answer, S(""));
    for (;;) {
        char block[4096];
        struct pollfd wait = { .fd = fd, .events = POLLIN };
        int64_t left = deadline - clock_monotonic_ms();
        int ready = left <= 0 ? 0 : poll(&wait, 1, (int)left);
        if (ready == 0)
            return err_set(err, ERR_UNCERTAIN, "%.*s does not answer", STR_ARG(path));
        ssize_t got = ready < 0 ? -1 : read(fd, block, sizeof(block));
        if (got < 0 && errno == EINTR)
            continue;
        /* It closed before it had read everything. */
        if (got == 0 || (got < 0 && errno == ECONNRESET))
            break;
        if (got < 0)
            return err_errno(err, "%.*s", STR_ARG(path));
        buf_add(arena, &answer, (str){ block, (size_t)got });
        if (answer.bytes.count > ANSWER_MAX)
            return err_set(err, ERR_FORMAT, "%.*s: the answer is too long", STR_ARG(path));
    }
    *ret_answer = buf_str(&answer);
    return true;
}

static bool ask(struct arena *arena, const struct service_conf *service, str command,
                str *ret_answer, struct err *err)
{
    AUTO(fd) int fd = -1;
    return dial(service->admin, &fd, err) && say(fd, service->admin, command, err) &&
           hear(arena, fd, service->admin, ret_answer, err);
}

/* A blank ends a word, a semicolon a command. */
static str quote(struct arena *arena, str name)
{
    struct buf quoted = { 0 };
    for (size_t i = 0; i < name.len; i++) {
        if (strchr(" \t\\;", name.ptr[i]) != NULL)
            buf_add(arena, &quoted, S("\\"));
        buf_add(arena, &quoted, (str){ name.ptr + i, 1 });
    }
    return buf_str(&quoted);
}

/* ---- what kinds of file there are ---- */

enum { PAIR, ANCHORS, REVOKED, FILE_KINDS }; /* in the order that they are loaded in */
static const char *const kind_names[FILE_KINDS] = { "cert", "ca-file", "crl-file" };

static str path_of(const struct store_conf *store, int kind)
{
    return kind == PAIR ? store->certificate : kind == ANCHORS ? store->certificates : store->crl;
}

/* "NAME" or "NAME - 2 certificate(s)"; a name behind a star is in an open transaction. */
struct known {
    str_list names, open;
};

static bool read_known(struct arena *arena, const struct service_conf *service, int kind,
                       struct known *ret_known, struct err *err)
{
    str answer;
    *ret_known = (struct known){ 0 };
    if (!ask(arena, service, str_printf(arena, "show ssl %s\n", kind_names[kind]), &answer, err))
        return false;
    while (answer.len > 0) {
        str line = str_trim(str_cut(&answer, '\n'));
        size_t count = str_find(line, S(" - "));
        line.len = str_ends(line, S("(s)")) ? count : line.len;
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        if (line.ptr[0] == '*')
            list_push(arena, &ret_known->open) = (str){ line.ptr + 1, line.len - 1 };
        else
            list_push(arena, &ret_known->names) = line;
    }
    return true;
}

/* The configuration may have named the file from its own folder. */
static bool is_name_of(struct arena *arena, str name, str path)
{
    return str_eq(name, path) ||
           (name.ptr[0] != '/' && str_ends(path, str_printf(arena, "/%.*s", STR_ARG(name))));
}

/* The names that HAProxy has for the file at `path`. Two lines of its configuration that name it in
   two ways have each loaded it. */
static str_list names_of(struct arena *arena, const str_list *names, str path)
{
    str_list found = { 0 };
    for (size_t i = 0; i < names->count && path.len > 0; i++)
        if (is_name_of(arena, names->items[i], path))
            list_push(arena, &found) = names->items[i];
    return found;
}

/* None where a store's file is not what HAProxy could take as this kind: a pair must be one file.
 */
static str_list loadable(struct arena *arena, const struct known *known,
                         const struct store_conf *store, int kind)
{
    if (kind == PAIR && !str_eq(store->certificate, store->key))
        return (str_list){ 0 };
    return names_of(arena, &known->names, path_of(store, kind));
}

/* ---- what is loaded ---- */

/* What it shows of a file: a line for each certificate, or for each list of revoked ones, that
   tells it from another; and whether anything uses the file. */
struct shown {
    str_list marks;
    bool used;
};

static const char *const mark_lines[FILE_KINDS] = { "SHA1 FingerPrint: ", "SHA1 FingerPrint: ",
                                                    "Last Update: " };

static bool read_shown(struct arena *arena, const struct service_conf *service, int kind, str name,
                       struct shown *ret_shown, struct err *err)
{
    str prefix = str_c(mark_lines[kind]), answer;
    *ret_shown = (struct shown){ 0 };
    if (!ask(arena, service,
             str_printf(arena, "show ssl %s %s\n", kind_names[kind], quote(arena, name).ptr),
             &answer, err))
        return false;
    while (answer.len > 0) {
        str line = str_trim(str_cut(&answer, '\n'));
        if (str_starts(line, prefix))
            str_list_add(arena, &ret_shown->marks,
                         (str){ line.ptr + prefix.len, line.len - prefix.len });
        ret_shown->used = ret_shown->used || str_eq(line, S("Status: Used"));
    }
    return true;
}

str haproxy_digest(struct arena *arena, const struct cert *cert)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    char hex[SHA1_HEX + 1] = "";
    if (EVP_Digest(cert->der.ptr, cert->der.len, digest, &len, EVP_sha1(), NULL) == 1)
        for (unsigned i = 0; i < len; i++)
            (void)snprintf(hex + 2 * (size_t)i, 3, "%02X", digest[i]);
    return str_copy(arena, str_c(hex));
}

/* "Nov 24 17:43:12 2026 GMT", as OpenSSL prints it. */
static str last_update(struct arena *arena, str der)
{
    const unsigned char *at = (const unsigned char *)der.ptr;
    AUTO(X509_CRL) X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)der.len);
    AUTO(BIO) BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    if (crl == NULL || bio == NULL || ASN1_TIME_print(bio, X509_CRL_get0_lastUpdate(crl)) != 1)
        return S("");
    long len = BIO_get_mem_data(bio, &text);
    return str_copy(arena, (str){ text, (size_t)len });
}

/* The marks of what is stored: of a pair the leaf's alone. */
static bool stored_marks(struct arena *arena, int kind, str path, str_list *ret_marks,
                         struct err *err)
{
    AUTO(arena) struct arena scratch = { .wipe = true };
    struct store_options options = { .now = clock_now() };
    struct store store;
    *ret_marks = (str_list){ 0 };
    if (!store_read(&scratch, str_cstr(&scratch, path), &options, &store, err))
        return false;
    for (size_t i = 0; i < store.entries.count; i++) {
        const struct entry *entry = &store.entries.items[i];
        if (kind == REVOKED && entry->kind == ENTRY_CRL)
            str_list_add(arena, ret_marks, last_update(arena, entry->der));
        if (kind != REVOKED && entry->kind == ENTRY_TRUSTED &&
            (kind == ANCHORS || ret_marks->count == 0))
            str_list_add(arena, ret_marks, haproxy_digest(arena, entry->cert));
    }
    return true;
}

static bool same_set(const str_list *a, const str_list *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = str_list_has(b, a->items[i]);
    return same;
}

/* How the file of a store stands with a running HAProxy, under one of its names. */
struct standing {
    str name;
    struct shown shown;
    bool same; /* as it is stored */
};

static bool read_standing(const struct driver_call *call, const struct service_conf *service,
                          const struct store_conf *store, int kind, str name,
                          struct standing *ret_standing, struct err *err)
{
    str_list stored;
    *ret_standing = (struct standing){ .name = name };
    if (!read_shown(call->arena, service, kind, name, &ret_standing->shown, err) ||
        !stored_marks(call->arena, kind, path_of(store, kind), &stored, err))
        return false;
    ret_standing->same = same_set(&ret_standing->shown.marks, &stored);
    return true;
}

bool haproxy_digests(const struct driver_call *call, const struct service_conf *service,
                     const struct store_conf *store, str_list *ret_digests, bool *ret_known,
                     struct err *err)
{
    struct known known;
    struct standing standing = { .same = true };
    int kind = store->certificate.len > 0 ? PAIR : ANCHORS;
    *ret_known = false;
    if (!read_known(call->arena, service, kind, &known, err))
        return false;
    str_list names = loadable(call->arena, &known, store, kind);
    for (size_t i = 0; i < names.count && standing.same; i++)
        if (!read_standing(call, service, store, kind, names.items[i], &standing, err))
            return false;
    *ret_known = names.count > 0;
    *ret_digests = standing.shown.marks;
    return true;
}

/* ---- loading ---- */

/* The blocks alone, without an empty line. */
static str payload_of(struct arena *arena, str text)
{
    struct pem_reader reader = { .rest = text, .line = 1 };
    struct pem_block block;
    struct buf payload = { 0 };
    buf_add(arena, &payload, S(""));
    while (pem_next(&reader, &block)) {
        for (str rest = block.text; rest.len > 0;) {
            str line = str_trim(str_cut(&rest, '\n'));
            if (line.len > 0)
                buf_printf(arena, &payload, "%.*s\n", STR_ARG(line));
        }
    }
    return buf_str(&payload);
}

static bool says(str answer, const char *words)
{
    return str_find(answer, str_c(words)) < answer.len;
}

/* Whether the answer to a command is what it should be: "Transaction created for certificate …!",
   "transaction updated for CA …!", "Committing …\nSuccess!", "Transaction aborted for …". */
static bool order(struct arena *arena, const struct service_conf *service, str command,
                  const char *success, struct err *err)
{
    str answer;
    if (!ask(arena, service, command, &answer, err))
        return false;
    if (says(answer, success) ||
        (says(answer, "ransaction updated") && str_starts(command, S("set "))))
        return true;
    answer = str_trim(answer);
    str first = str_cut(&answer, '\n');
    return err_set(err, ERR_SYSTEM, "HAProxy: %.*s",
                   STR_ARG(first.len > 0 ? first : S("it did not take what was sent")));
}

/* A transaction that a killed run left open is in the way of every other. */
static bool abort_open(struct arena *arena, const struct driver_call *call,
                       const struct service_conf *service, int kind, const struct known *known,
                       struct err *err)
{
    for (size_t i = 0; i < call->node->stores.count; i++) {
        str_list names = names_of(arena, &known->open, path_of(&call->node->stores.items[i], kind));
        for (size_t k = 0; k < names.count; k++)
            if (!order(arena, service,
                       str_printf(arena, "abort ssl %s %s\n", kind_names[kind],
                                  quote(arena, names.items[k]).ptr),
                       "ransaction aborted", err))
                return false;
    }
    return true;
}

static bool load_file(const struct service_conf *service, int kind, str name, str path,
                      struct err *err)
{
    AUTO(arena) struct arena arena = { .wipe = true };
    str text;
    if (!io_read(&arena, str_cstr(&arena, path), IO_FILE_MAX, &text, err))
        return false;
    const char *quoted = quote(&arena, name).ptr;
    str set = str_printf(&arena, "set ssl %s %s <<\n%s\n", kind_names[kind], quoted,
                         payload_of(&arena, text).ptr);
    str commit = str_printf(&arena, "commit ssl %s %s\n", kind_names[kind], quoted);
    if (order(&arena, service, set, "ransaction created", err) &&
        order(&arena, service, commit, "Success!", err))
        return true;
    return err_wrap(err, "%.*s", STR_ARG(name));
}

/* Calls `visit` for each file that HAProxy knows and that is another now. */
struct difference {
    const struct driver_call *call;
    const struct service_conf *service;
    const struct store_conf *store;
    int kind;
    struct standing at;
};

typedef bool visit_difference(const struct difference *difference, void *context, struct err *err);

static bool differences_of(struct difference difference, const struct known *known,
                           visit_difference *visit, void *context, struct err *err)
{
    const struct driver_call *call = difference.call;
    str_list names = loadable(call->arena, known, difference.store, difference.kind);
    for (size_t i = 0; i < names.count; i++) {
        if (!read_standing(call, difference.service, difference.store, difference.kind,
                           names.items[i], &difference.at, err))
            return false;
        if (!difference.at.same && !visit(&difference, context, err))
            return false;
    }
    return true;
}

static bool each_difference(const struct driver_call *call, const struct service_conf *service,
                            visit_difference *visit, void *context, struct err *err)
{
    for (int kind = 0; kind < FILE_KINDS; kind++) {
        struct known known;
        if (!read_known(call->arena, service, kind, &known, err))
            return false;
        for (size_t i = 0; i < call->node->stores.count; i++) {
            struct difference difference = { .call = call,
                                             .service = service,
                                             .store = &call->node->stores.items[i],
                                             .kind = kind };
            if (!differences_of(difference, &known, visit, context, err))
                return false;
        }
    }
    return true;
}

struct need {
    enum haproxy_need need;
    str name;
};

/* Whether any service of this HAProxy asks clients for the issuers that are in the store. */
static bool is_asked_for(const struct difference *difference)
{
    const struct node_conf *node = difference->call->node;
    const struct service_conf *process = node_process(node, difference->service);
    for (size_t i = 0; i < node->services.count; i++)
        if (node_process(node, &node->services.items[i]) == process &&
            str_list_has(&node->services.items[i].trust, difference->store->name))
            return true;
    return false;
}

static bool see_need(const struct difference *difference, void *context, struct err *err)
{
    struct need *need = context;
    (void)err;
    bool lost = difference->kind == PAIR && !difference->at.shown.used;
    bool asked_for = difference->kind == ANCHORS && is_asked_for(difference);
    enum haproxy_need this = lost ? OF_CERTIFICATE : asked_for ? OF_CLIENT_ISSUERS : OF_NOTHING;
    if (this > need->need)
        *need = (struct need){ this, difference->at.name };
    return true;
}

bool haproxy_needs_reload(const struct driver_call *call, const struct service_conf *service,
                          enum haproxy_need *ret_need, str *ret_name, struct err *err)
{
    struct need need = { OF_NOTHING, S("") };
    if (!each_difference(call, service, see_need, &need, err))
        return false;
    *ret_need = need.need;
    *ret_name = need.name;
    return true;
}

static bool load_one(const struct difference *difference, void *context, struct err *err)
{
    size_t *count = context;
    ++*count;
    return load_file(difference->service, difference->kind, difference->at.name,
                     path_of(difference->store, difference->kind), err);
}

/* Certificates first: a CA file that is changed can cost them their users. */
bool haproxy_load(const struct driver_call *call, const struct service_conf *service,
                  size_t *ret_count, struct err *err)
{
    *ret_count = 0;
    for (int kind = 0; kind < FILE_KINDS; kind++) {
        struct known known;
        if (!read_known(call->arena, service, kind, &known, err) ||
            !abort_open(call->arena, call, service, kind, &known, err))
            return false;
    }
    return each_difference(call, service, load_one, ret_count, err);
}

static bool see_difference(const struct difference *difference, void *context, struct err *err)
{
    str *store = context;
    (void)err;
    *store = difference->store->name;
    return true;
}

bool haproxy_has_loaded(const struct driver_call *call, const struct service_conf *service,
                        bool *ret_loaded, str *ret_store, struct err *err)
{
    *ret_store = S("");
    if (!each_difference(call, service, see_difference, ret_store, err))
        return false;
    *ret_loaded = ret_store->len == 0;
    return true;
}
