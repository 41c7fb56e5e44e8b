/* SPDX-License-Identifier: Apache-2.0 */
#include "system/generic/reference.h"

#include "base/io.h"
#include "system/generic/words.h"
#include "system/postgresql/conninfo.h"

enum { REFERENCE_MAX = 1024 * 1024 };

/* A reference as it is now. */
struct reference {
    str path, text;
    bool libpq;
};

/* The files that every section names; sections that name none do not matter. */
static bool libpq_files(struct arena *arena, const struct reference *reference,
                        struct identity_files *ret_files, struct err *err)
{
    str_list sections = { 0 };
    *ret_files = (struct identity_files){ 0 };
    service_file_sections(arena, reference->text, &sections);
    for (size_t i = 0; i < sections.count; i++) {
        struct conninfo section;
        if (!service_file_section(arena, reference->text, sections.items[i], &section, err))
            return false;
        str certificate = conninfo_get(&section, "sslcert");
        if (certificate.len == 0)
            continue;
        if (ret_files->certificate.len > 0 && !str_eq(ret_files->certificate, certificate))
            return err_set(err, ERR_FORMAT, "%.*s: section [%.*s] names %.*s and another %.*s",
                           STR_ARG(reference->path), STR_ARG(sections.items[i]),
                           STR_ARG(certificate), STR_ARG(ret_files->certificate));
        *ret_files = (struct identity_files){ certificate, conninfo_get(&section, "sslkey") };
    }
    return true;
}

static bool has_sslcert(struct arena *arena, str text)
{
    str_list sections = { 0 };
    service_file_sections(arena, text, &sections);
    for (size_t i = 0; i < sections.count; i++) {
        AUTO(err) struct err err = { 0 };
        struct conninfo section;
        if (service_file_section(arena, text, sections.items[i], &section, &err) &&
            conninfo_get(&section, "sslcert").len > 0)
            return true;
    }
    return false;
}

static bool is_first(const struct service_conf *service, const struct store_conf *store)
{
    return service->identities.count > 0 && str_eq(service->identities.items[0].store, store->name);
}

/* `ret_names` is false when there is no reference that could name the store. */
static bool read_reference(const struct driver_call *call, const struct service_conf *service,
                           const struct store_conf *store, struct reference *ret_reference,
                           bool *ret_names, struct err *err)
{
    *ret_reference = (struct reference){ .path = service->reference };
    *ret_names = false;
    if (service->reference.len == 0)
        return true;
    if (!io_read(call->arena, str_cstr(call->arena, service->reference), REFERENCE_MAX,
                 &ret_reference->text, err))
        return false;
    ret_reference->libpq = has_sslcert(call->arena, ret_reference->text);
    *ret_names = !ret_reference->libpq || is_first(service, store);
    return true;
}

static bool files_in(struct arena *arena, const struct reference *reference,
                     const struct store_conf *store, struct identity_files *ret_files,
                     struct err *err)
{
    if (reference->libpq)
        return libpq_files(arena, reference, ret_files, err);
    if (!words_find(arena, reference->path, reference->text, store->certificate,
                    &ret_files->certificate, err) ||
        !words_find(arena, reference->path, reference->text, store->key, &ret_files->key, err))
        return false;
    if ((ret_files->certificate.len == 0) == (ret_files->key.len == 0))
        return true;
    str missing = ret_files->key.len == 0 ? store->key : store->certificate;
    return err_set(err, ERR_FORMAT, "%.*s names %.*s and not %.*s", STR_ARG(reference->path),
                   STR_ARG(ret_files->key.len == 0 ? ret_files->certificate : ret_files->key),
                   STR_ARG(missing));
}

bool reference_files(const struct driver_call *call, const struct service_conf *service,
                     const struct store_conf *store, struct identity_files *ret_files,
                     struct err *err)
{
    struct reference reference;
    bool names;
    *ret_files = (struct identity_files){ 0 };
    if (!read_reference(call, service, store, &reference, &names, err))
        return false;
    return !names || files_in(call->arena, &reference, store, ret_files, err);
}

static str edited(struct arena *arena, const struct reference *reference,
                  const struct identity_files *now, const struct identity_files *then)
{
    str path = reference->path, text = reference->text;
    if (reference->libpq) {
        text = service_file_edit(arena, text, S("sslcert"), now->certificate, then->certificate);
        return service_file_edit(arena, text, S("sslkey"), now->key, then->key);
    }
    text = words_edit(arena, path, text, now->certificate, then->certificate);
    return words_edit(arena, path, text, now->key, then->key);
}

bool reference_edit(const struct driver_call *call, const struct service_conf *service,
                    const struct store_conf *store, const struct identity_files *files,
                    struct file_edit *ret_edit, struct err *err)
{
    struct reference reference;
    struct identity_files now = { 0 };
    bool names;
    *ret_edit = (struct file_edit){ 0 };
    if (!read_reference(call, service, store, &reference, &names, err) ||
        (names && !files_in(call->arena, &reference, store, &now, err)))
        return false;
    if (now.certificate.len > 0)
        *ret_edit = (struct file_edit){ reference.path, reference.text,
                                        edited(call->arena, &reference, &now, files) };
    return true;
}
