/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/postgresql/status.h"

#include "base/io.h"
#include "lab/postgresql/query.h"
#include "system/postgresql/conninfo.h"
#include "system/postgresql/discover.h"
#include "system/postgresql/files.h"

#include <jansson.h>

DEFINE_AUTO(json, json_t *, json_decref(*handle))

enum { SERVICES_MAX = 64 * 1024 };

static const char *const question =
    "select json_build_object('replica', pg_is_in_recovery(),"
    " 'receiver', (select status from pg_stat_wal_receiver),"
    " 'streams', (select coalesce(json_agg(json_build_object('name', r.application_name,"
    "   'state', r.state, 'tls', s.version, 'certificate', s.client_serial::text)"
    "   order by r.application_name), '[]')"
    "  from pg_stat_replication r left join pg_stat_ssl s using (pid)))";

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
    status->role = json_is_true(json_object_get(root, "replica")) ? S("replica") : S("primary");
    status->receiver = text_of(arena, root, "receiver");
    for (size_t i = 0; i < json_array_size(streams); i++) {
        const json_t *row = json_array_get(streams, i);
        list_push(arena, &status->streams) =
            (struct lab_stream){ text_of(arena, row, "name"), text_of(arena, row, "state"),
                                 text_of(arena, row, "tls"), text_of(arena, row, "certificate") };
    }
    return true;
}

void lab_postgresql_ask(struct arena *arena, const struct lab *lab, size_t node,
                        struct lab_node_status *status)
{
    AUTO(err) struct err err = { 0 };
    str text;
    if (!lab_query(arena, &lab->user, &lab->nodes[node], question, &text, &err))
        status->why_not = str_copy(arena, str_c(err.msg));
    else if (!read_answer(arena, text, status))
        status->why_not = S("the answer is not understood");
    else
        status->answered = true;
}

/* The files that the server's own configuration names now: a renewal brings new names. */
bool lab_postgresql_node_files(struct arena *arena, const struct lab *lab, size_t node,
                               lab_file_list *files, struct err *err)
{
    AUTO(err) struct err unread = { 0 };
    struct node_conf conf = { .name = lab->nodes[node].name, .data = lab->nodes[node].data };
    struct cluster found = { .arena = arena };
    if (!pg_discover(arena, &pgconf_files, &conf, &found, &unread))
        return true;
    for (size_t i = 0; i < found.nodes.items[0].stores.count; i++)
        if (!lab_add_file(arena, found.nodes.items[0].stores.items[i].certificate, files, err))
            return false;
    return true;
}

bool lab_postgresql_client_files(struct arena *arena, const struct lab *lab, lab_file_list *files,
                                 struct err *err)
{
    AUTO(err) struct err unread = { 0 };
    struct conninfo section;
    str text;
    str path = str_printf(arena, "%s/app/pg_service.conf", lab->dir.ptr);
    if (!io_read(arena, path.ptr, SERVICES_MAX, &text, &unread) ||
        !service_file_section(arena, text, lab->nodes[0].name, &section, &unread))
        return true;
    return lab_add_file(arena, conninfo_get(&section, "sslcert"), files, err);
}
