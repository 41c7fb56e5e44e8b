/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"
#include "lab/lab.h"
#include "lab/query.h"
#include "lab/record.h"
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

bool lab_status(struct arena *arena, str dir, struct lab_status *ret_status, struct err *err)
{
    static const char *const names[] = { "server.crt", "client.crt" };
    struct lab_status status = { 0 };
    struct lab_file file;
    if (!lab_record_read(arena, dir, &status.lab, err))
        return false;
    for (size_t i = 0; i < status.lab.count; i++) {
        const struct lab_node *node = &status.lab.nodes[i];
        ask_node(arena, &status.lab, node, &status.nodes[i]);
        for (size_t j = 0; j < COUNT(names); j++) {
            str path = str_printf(arena, "%s/tls/%s", node->home.ptr, names[j]);
            if (access(path.ptr, F_OK) != 0)
                continue; /* an `up` that was interrupted */
            if (!read_certificate(arena, path, &file, err))
                return false;
            list_push(arena, &status.nodes[i].certificates) = file;
        }
    }
    str app = str_printf(arena, "%s/app/tls/client.crt", status.lab.dir.ptr);
    if (access(app.ptr, F_OK) == 0) {
        if (!read_certificate(arena, app, &file, err))
            return false;
        list_push(arena, &status.app) = file;
    }
    *ret_status = status;
    return true;
}
