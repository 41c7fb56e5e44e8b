/* SPDX-License-Identifier: Apache-2.0 */
#include "node/loaded.h"

#include "base/io.h"
#include "node/file.h"
#include "store/store.h"

#include <unistd.h>

static const struct io_owner ours_alone = { (uid_t)-1, (gid_t)-1, 0600 };

static str record_path(const struct driver_call *call, const struct service_conf *service,
                       const struct store_conf *store)
{
    return str_printf(call->arena, "%.*s/loaded/%.*s:%.*s.pem", STR_ARG(call->state),
                      STR_ARG(service->name), STR_ARG(store->name));
}

static void parse_certs(struct arena *arena, str source, str bytes, cert_list *ret_certs)
{
    struct store_options options = { .now = clock_now() };
    struct store store;
    *ret_certs = (cert_list){ 0 };
    store_parse(arena, source, bytes, &options, &store);
    for (size_t i = 0; i < store.entries.count; i++)
        if (store.entries.items[i].kind == ENTRY_TRUSTED)
            list_push(arena, ret_certs) = *store.entries.items[i].cert;
}

/* The certificates that a store has now; false without an error when it has no file. A bundle's key
   passes through here. */
static bool stored(struct arena *arena, const struct store_conf *store, str *ret_pem,
                   struct err *err)
{
    AUTO(arena) struct arena scratch = { .wipe = true };
    str path = store->certificate.len > 0 ? store->certificate : store->certificates;
    struct buf pem = { 0 };
    cert_list certs;
    str state, bytes;
    buf_add(arena, &pem, S(""));
    if (path.len == 0 || !file_state(&scratch, path, &state, err) || str_eq(state, S("absent")) ||
        !io_read(&scratch, str_cstr(&scratch, path), IO_FILE_MAX, &bytes, err))
        return false;
    parse_certs(&scratch, path, bytes, &certs);
    for (size_t i = 0; i < certs.count; i++)
        buf_add(arena, &pem, cert_pem(&scratch, &certs.items[i]));
    *ret_pem = buf_str(&pem);
    return true;
}

static bool put(const struct driver_call *call, str path, str pem, struct err *err)
{
    return io_make_dirs(io_dir_of(call->arena, path).ptr, 0700, err) &&
           io_replace(path.ptr, pem, ours_alone, err);
}

bool loaded_keep(const struct driver_call *call, const struct store_conf *store, struct err *err)
{
    str pem;
    if (!stored(call->arena, store, &pem, err))
        return err->kind == ERR_NONE;
    for (size_t i = 0; i < call->node->services.count; i++) {
        str path = record_path(call, &call->node->services.items[i], store);
        if (access(path.ptr, F_OK) != 0 && !put(call, path, pem, err))
            return false;
    }
    return true;
}

bool loaded_note(const struct driver_call *call, const struct service_conf *service,
                 struct err *err)
{
    for (size_t i = 0; i < call->node->stores.count; i++) {
        const struct store_conf *store = &call->node->stores.items[i];
        str pem;
        if (stored(call->arena, store, &pem, err)) {
            if (!put(call, record_path(call, service, store), pem, err))
                return false;
        } else if (err->kind != ERR_NONE) {
            return false;
        }
    }
    return true;
}

static bool read_record(const struct driver_call *call, const struct service_conf *service,
                        const struct store_conf *store, str *ret_pem, bool *ret_known,
                        struct err *err)
{
    str path = record_path(call, service, store);
    *ret_pem = S("");
    *ret_known = access(path.ptr, F_OK) == 0;
    return !*ret_known || io_read(call->arena, path.ptr, IO_FILE_MAX, ret_pem, err);
}

bool loaded_read(const struct driver_call *call, const struct service_conf *service,
                 const struct store_conf *store, cert_list *ret_certs, bool *ret_known,
                 struct err *err)
{
    str pem;
    if (!read_record(call, service, store, &pem, ret_known, err))
        return false;
    parse_certs(call->arena, record_path(call, service, store), pem, ret_certs);
    return true;
}

bool loaded_differs(const struct driver_call *call, const struct service_conf *service,
                    bool *ret_differs, str *ret_store, struct err *err)
{
    *ret_differs = false;
    for (size_t i = 0; i < call->node->stores.count; i++) {
        const struct store_conf *store = &call->node->stores.items[i];
        str record, now;
        bool known;
        if (!read_record(call, service, store, &record, &known, err))
            return false;
        if (!known || (stored(call->arena, store, &now, err) && str_eq(record, now)))
            continue;
        if (err->kind != ERR_NONE)
            return false;
        *ret_differs = true;
        *ret_store = store->name;
        return true;
    }
    return true;
}
