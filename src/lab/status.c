/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"
#include "lab/lab.h"
#include "lab/query.h"
#include "lab/record.h"
#include "system/postgresql/conninfo.h"
#include "system/postgresql/discover.h"
#include "system/postgresql/files.h"
#include "x509/auto.h"
#include "x509/cert.h"

#include <jansson.h>
#include <openssl/pem.h>

DEFINE_AUTO(json, json_t *, json_decref(*handle))

enum { PEM_MAX = 64 * 1024 };

static const char *const question =
    "select json_build_object('replica', pg_is_in_recovery(),"
    " 'receiver', (select status from pg_stat_wal_receiver),"
    " 'streams', (select coalesce(json_agg(json_build_object('name', r.application_name,"
    "   'state', r.state, 'tls', s.version, 'certificate', s.client_serial::text)"
    "   order by r.application_name), '[]')"
    "  from pg_stat_replication r left join pg_stat_ssl s using (pid)))";

static bool read_certificate(struct arena *arena, str path, struct lab_file *ret_file,
                             struct err *err)
{
    str pem;
    struct cert cert;
    if (!io_read(arena, path.ptr, PEM_MAX, &pem, err))
        return false;
    AUTO(BIO) BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    AUTO(X509) X509 *x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    if (x509 == NULL)
        return err_set(err, ERR_FORMAT, "%s: no certificate", path.ptr);
    if (!cert_of_x509(arena, x509, &cert, err))
        return err_wrap(err, "%s", path.ptr);
    *ret_file = (struct lab_file){ path, cert.subject, cert.not_before, cert.not_after };
    return true;
}

static str text_of(struct arena *arena, const json_t *object, const char *name)
{
    return str_copy(arena, str_c(json_string_value(json_object_get(object, name))));
}

static bool read_answer(struct arena *arena, str text, struct lab_node_status *status)
{
    AUTO(json) json_t *root = json_loadb(text.ptr, text.len, 0, NULL);
    const json_t *streams = json_object_get(root, "streams");
    if (!json_is_boolean(json_object_get(root, "replica")) || !json_is_array(streams))
        return false;
    status->replica = json_is_true(json_object_get(root, "replica"));
    status->receiver = text_of(arena, root, "receiver");
    for (size_t i = 0; i < json_array_size(streams); i++) {
        const json_t *row = json_array_get(streams, i);
        list_push(arena, &status->streams) =
            (struct lab_stream){ text_of(arena, row, "name"), text_of(arena, row, "state"),
                                 text_of(arena, row, "tls"), text_of(arena, row, "certificate") };
    }
    return true;
}

static void ask_node(struct arena *arena, const struct lab *lab, const struct lab_node *node,
                     struct lab_node_status *status)
{
    AUTO(err) struct err err = { 0 };
    str text;
    status->running = lab_process_alive(&node->server);
    if (!status->running)
        return;
    if (!lab_query(arena, &lab->user, node, question, &text, &err))
        status->why_not = str_copy(arena, str_c(err.msg));
    else if (!read_answer(arena, text, status))
        status->why_not = S("the answer is not understood");
    else
        status->answered = true;
}

/* An `up` that was interrupted may have left a path without its file. */
static bool add_file(struct arena *arena, str path, lab_file_list *files, struct err *err)
{
    struct lab_file file;
    if (path.len == 0 || access(str_cstr(arena, path), F_OK) != 0)
        return true;
    if (!read_certificate(arena, path, &file, err))
        return false;
    list_push(arena, files) = file;
    return true;
}

/* The files that the server's own configuration names now: a renewal brings new names. */
static bool node_files(struct arena *arena, const struct lab_node *node, lab_file_list *files,
                       struct err *err)
{
    AUTO(err) struct err unread = { 0 };
    struct node_conf conf = { .name = node->name, .data = node->data };
    struct cluster found = { .arena = arena };
    if (!pg_discover(arena, &pgconf_files, &conf, &found, &unread))
        return true;
    for (size_t i = 0; i < found.nodes.items[0].stores.count; i++)
        if (!add_file(arena, found.nodes.items[0].stores.items[i].certificate, files, err))
            return false;
    return true;
}

static bool app_files(struct arena *arena, const struct lab *lab, lab_file_list *files,
                      struct err *err)
{
    AUTO(err) struct err unread = { 0 };
    struct conninfo section;
    str text, path = str_printf(arena, "%s/app/pg_service.conf", lab->dir.ptr);
    if (!io_read(arena, path.ptr, PEM_MAX, &text, &unread) ||
        !service_file_section(arena, text, lab->nodes[0].name, &section, &unread))
        return true;
    return add_file(arena, conninfo_get(&section, "sslcert"), files, err);
}

bool lab_status(struct arena *arena, str dir, struct lab_status *ret_status, struct err *err)
{
    struct lab_status status = { 0 };
    if (!lab_record_read(arena, dir, &status.lab, err))
        return false;
    for (size_t i = 0; i < status.lab.count; i++) {
        const struct lab_node *node = &status.lab.nodes[i];
        ask_node(arena, &status.lab, node, &status.nodes[i]);
        if (!node_files(arena, node, &status.nodes[i].certificates, err))
            return false;
    }
    if (!app_files(arena, &status.lab, &status.app, err))
        return false;
    *ret_status = status;
    return true;
}
