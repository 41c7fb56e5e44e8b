/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/record.h"

#include "base/emit.h"
#include "base/io.h"
#include "lab/kind.h"

#include <jansson.h>
#include <limits.h>
#include <stdlib.h>

DEFINE_AUTO(json, json_t *, json_decref(*handle))

enum { RECORD_MAX = 64 * 1024 };

#define LAB_NAME(id, text) [id] = text,
static const char *const state_names[LAB_STATE_COUNT] = { LAB_STATES(LAB_NAME) };
#undef LAB_NAME

const char *lab_state_name(enum lab_state state)
{
    return state_names[state];
}

bool lab_state_parse(str name, enum lab_state *ret_state)
{
    for (size_t i = 0; i < LAB_STATE_COUNT; i++) {
        if (!str_eq(name, str_c(state_names[i])))
            continue;
        *ret_state = (enum lab_state)i;
        return true;
    }
    return false;
}

void lab_name_nodes(struct arena *arena, struct lab *lab)
{
    for (size_t i = 0; i < lab->count; i++) {
        struct lab_node *node = &lab->nodes[i];
        lab->kind->name_node(arena, lab, i);
        node->home = io_join(arena, lab->dir, node->name);
        node->data = str_printf(arena, "%s/data", node->home.ptr);
        node->log = str_printf(arena, "%s/log", node->home.ptr);
        if (lab->sockets.len > 0)
            node->socket = io_join(arena, lab->sockets, node->name);
        else if (lab->kind->longest_socket != NULL)
            node->socket = str_printf(arena, "%s/run", node->home.ptr);
    }
}

static void emit_node(struct emit *emit, const struct lab_node *node)
{
    emit_object(emit, NULL);
    emit_str(emit, "name", node->name);
    emit_int(emit, "port", node->port);
    if (node->other_port > 0)
        emit_int(emit, "other_port", node->other_port);
    emit_int(emit, "pid", node->server.pid);
    emit_int(emit, "started", (int64_t)node->server.started);
    emit_str(emit, "data", node->data);
    if (node->socket.len > 0)
        emit_str(emit, "socket", node->socket);
    emit_object_end(emit);
}

bool lab_record_write(const struct lab *lab, struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    char space[RECORD_MAX];
    AUTO(file) FILE *out = fmemopen(space, sizeof(space), "w");
    if (out == NULL)
        return err_errno(err, "lab.json");
    struct emit emit = { .out = out };
    emit_object(&emit, NULL);
    emit_text(&emit, "lab", lab->kind->name);
    emit_text(&emit, "state", lab_state_name(lab->state));
    emit_text(&emit, "verify", lab->verify_full ? "full" : "ca");
    emit_bool(&emit, "ready", lab->ready);
    emit_str(&emit, "boot", lab_boot_id(&arena));
    emit_str(&emit, "run_as", lab->user.name);
    emit_str(&emit, "id", lab->id);
    emit_str(&emit, "sockets", lab->sockets);
    emit_array(&emit, "nodes");
    for (size_t i = 0; i < lab->count; i++)
        emit_node(&emit, &lab->nodes[i]);
    emit_array_end(&emit);
    emit_object_end(&emit);
    emit_end(&emit);
    if (fflush(out) != 0)
        return err_errno(err, "lab.json");
    str path = str_printf(&arena, "%.*s/lab.json", STR_ARG(lab->dir));
    str bytes = { space, (size_t)ftell(out) };
    return io_replace(path.ptr, bytes, (struct io_owner){ (uid_t)-1, (gid_t)-1, 0644 }, err);
}

static str text_of(struct arena *arena, const json_t *object, const char *name)
{
    return str_copy(arena, str_c(json_string_value(json_object_get(object, name))));
}

/* A folder that we would empty as root must be one that only `up` can have named. */
static bool sockets_are_ours(str sockets)
{
    str prefix = S("/tmp/reseal-lab-");
    return sockets.len == 0 ||
           (str_starts(sockets, prefix) &&
            str_find((str){ sockets.ptr + prefix.len, sockets.len - prefix.len }, S("/")) ==
                sockets.len - prefix.len);
}

static bool take_port(const json_t *entry, const char *name, uint16_t *ret_port)
{
    json_int_t port = json_integer_value(json_object_get(entry, name));
    *ret_port = (uint16_t)port;
    return port >= 0 && port <= UINT16_MAX;
}

static bool take_nodes(struct arena *arena, const json_t *root, struct lab *lab)
{
    const json_t *nodes = json_object_get(root, "nodes");
    bool same_boot = str_eq(text_of(arena, root, "boot"), lab_boot_id(arena));
    lab->count = json_array_size(nodes);
    if (lab->count < 1 || lab->count > LAB_NODES_MAX)
        return false;
    lab_name_nodes(arena, lab);
    for (size_t i = 0; i < lab->count; i++) {
        const json_t *entry = json_array_get(nodes, i);
        struct lab_node *node = &lab->nodes[i];
        json_int_t pid = json_integer_value(json_object_get(entry, "pid"));
        if (!take_port(entry, "port", &node->port) ||
            !take_port(entry, "other_port", &node->other_port) || pid < 0 || pid > INT_MAX)
            return false;
        if (same_boot)
            node->server = (struct lab_process){
                (pid_t)pid, (uint64_t)json_integer_value(json_object_get(entry, "started"))
            };
    }
    return true;
}

bool lab_record_read(struct arena *arena, str dir, struct lab *ret_lab, struct err *err)
{
    char real[PATH_MAX];
    str text;
    struct lab lab = { 0 };
    str path = str_printf(arena, "%.*s/lab.json", STR_ARG(dir));
    if (access(path.ptr, F_OK) != 0 || realpath(str_cstr(arena, dir), real) == NULL)
        return err_set(err, ERR_REFUSED, "there is no lab in %.*s", STR_ARG(dir));
    if (!io_read(arena, path.ptr, RECORD_MAX, &text, err))
        return false;
    AUTO(json) json_t *root = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    lab.dir = str_copy(arena, str_c(real));
    lab.id = text_of(arena, root, "id");
    lab.sockets = text_of(arena, root, "sockets");
    lab.ready = json_is_true(json_object_get(root, "ready"));
    lab.verify_full = str_eq(text_of(arena, root, "verify"), S("full"));
    lab.kind = lab_kind_find(text_of(arena, root, "lab"));
    if (lab.kind == NULL || !lab_state_parse(text_of(arena, root, "state"), &lab.state) ||
        !sockets_are_ours(lab.sockets) || !take_nodes(arena, root, &lab))
        return err_set(err, ERR_FORMAT, "%s: is not the record of a lab", path.ptr);
    *ret_lab = lab;
    return lab_user_find(arena, lab.kind->run_as, lab.kind->packages, &ret_lab->user, err);
}
