/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stores, services and commands are declared. What is read is the libpq service file that a client
 * is given as its `reference`: it, and not the cluster file, says which certificate is in use.
 */
#include "system/generic/driver.h"

#include "base/io.h"
#include "node/run.h"
#include "node/seen.h"
#include "system/postgresql/conninfo.h"

enum { SERVICE_FILE_MAX = 1024 * 1024 };

static bool read_reference(const struct driver_call *call, const struct service_conf *service,
                           str *ret_text, struct err *err)
{
    return io_read(call->arena, str_cstr(call->arena, service->reference), SERVICE_FILE_MAX,
                   ret_text, err);
}

/* The files that every section names; sections that name none do not matter. */
static bool files_in(const struct driver_call *call, const struct service_conf *service, str text,
                     struct identity_files *ret_files, struct err *err)
{
    str_list sections = { 0 };
    *ret_files = (struct identity_files){ 0 };
    service_file_sections(call->arena, text, &sections);
    for (size_t i = 0; i < sections.count; i++) {
        struct conninfo section;
        if (!service_file_section(call->arena, text, sections.items[i], &section, err))
            return false;
        str certificate = conninfo_get(&section, "sslcert");
        if (certificate.len == 0)
            continue;
        if (ret_files->certificate.len > 0 && !str_eq(ret_files->certificate, certificate))
            return err_set(err, ERR_FORMAT, "%.*s: section [%.*s] names %.*s and another %.*s",
                           STR_ARG(service->reference), STR_ARG(sections.items[i]),
                           STR_ARG(certificate), STR_ARG(ret_files->certificate));
        *ret_files = (struct identity_files){ certificate, conninfo_get(&section, "sslkey") };
    }
    return true;
}

static bool discover_service(const struct driver_call *call, const struct service_conf *service,
                             struct node_conf *node, struct err *err)
{
    struct identity_files files;
    str text;
    if (!read_reference(call, service, &text, err) || !files_in(call, service, text, &files, err))
        return err_wrap(err, "node %.*s", STR_ARG(call->node->name));
    if (files.certificate.len == 0)
        return true;
    list_push(call->arena, &node->stores) = (struct store_conf){
        .name = service->identities.items[0].store,
        .certificate = files.certificate,
        .key = files.key,
        .password.descriptor = -1,
    };
    return true;
}

static bool discover(const struct driver_call *call, struct cluster *ret_fragment,
                     finding_list *ret_findings, struct err *err)
{
    struct node_conf node = { .name = call->node->name, .reach = call->node->reach };
    (void)ret_findings;
    for (size_t i = 0; i < call->node->services.count; i++) {
        const struct service_conf *service = &call->node->services.items[i];
        if (service->reference.len > 0 && service->identities.count > 0 &&
            !discover_service(call, service, &node, err))
            return false;
    }
    list_push(call->arena, &ret_fragment->nodes) = node;
    return true;
}

static bool refer(const struct driver_call *call, const struct service_conf *service, str store,
                  const struct identity_files *files, struct file_edit *ret_edit, struct err *err)
{
    struct identity_files now;
    str text;
    *ret_edit = (struct file_edit){ 0 };
    if (service->reference.len == 0 || service->identities.count == 0 ||
        !str_eq(service->identities.items[0].store, store))
        return true;
    if (!read_reference(call, service, &text, err) || !files_in(call, service, text, &now, err))
        return false;
    str then =
        service_file_edit(call->arena, text, S("sslcert"), now.certificate, files->certificate);
    then = service_file_edit(call->arena, then, S("sslkey"), now.key, files->key);
    *ret_edit = (struct file_edit){ service->reference, text, then };
    return true;
}

static bool refresh(const struct driver_call *call, const struct service_conf *service,
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

const struct driver driver_generic = {
    .name = "generic",
    .discover = discover,
    .refer = refer,
    .refresh = refresh,
    .loaded = seen_is_stored,
};
