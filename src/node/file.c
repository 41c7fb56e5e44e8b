/* SPDX-License-Identifier: Apache-2.0 */
#include "node/file.h"

#include "base/io.h"
#include "base/sink.h"
#include "node/protocol.h"
#include "x509/cert.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* One row of a snapshot's manifest. */
struct saved {
    str path, sha256; /* sha256 is "absent" for a path that named nothing */
    str copy;         /* the file's name in the snapshot's folder */
    struct io_owner owner;
};

struct manifest {
    LIST(struct saved) files;
    saved_identity_list identities;
};

bool file_state(struct arena *arena, str path, str *ret_state, struct err *err)
{
    /* A key's bytes pass through here. */
    AUTO(arena) struct arena bytes_arena = { .wipe = true };
    const char *name = str_cstr(arena, path);
    struct stat st;
    str bytes;
    *ret_state = S("absent");
    if (stat(name, &st) < 0)
        return errno == ENOENT || err_errno(err, "%s", name);
    if (!io_read(&bytes_arena, name, IO_FILE_MAX, &bytes, err))
        return false;
    *ret_state = sha256_hex(arena, bytes);
    return true;
}

static bool still_as_expected(const char *path, const void *context, struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    const struct file_change *change = context;
    str now;
    if (!file_state(&arena, str_c(path), &now, err))
        return false;
    return str_eq(now, change->expects) || err_set(err, ERR_CONFLICT, "%s is %.*s, expected %.*s",
                                                   path, STR_ARG(now), STR_ARG(change->expects));
}

static bool snapshot_dir(struct arena *arena, str state, str apply, str *ret_dir, struct err *err)
{
    for (size_t i = 0; i < apply.len; i++)
        if (strchr("0123456789abcdefghijklmnopqrstuvwxyz-", apply.ptr[i]) == NULL ||
            apply.ptr[i] == '\0')
            return err_set(err, ERR_FORMAT, "\"%.*s\" is not an apply's id", STR_ARG(apply));
    if (apply.len == 0 || apply.len > 64)
        return err_set(err, ERR_FORMAT, "an apply's id has 1 to 64 characters");
    *ret_dir = str_printf(arena, "%.*s/snapshots/%.*s", STR_ARG(state), STR_ARG(apply));
    return true;
}

static bool row_parse(struct arena *arena, const json_t *row, struct saved *saved, struct err *err)
{
    int64_t uid, gid, mode;
    if (!need_text(row, "path", &saved->path, err) ||
        !need_text(row, "sha256", &saved->sha256, err) ||
        !need_text(row, "copy", &saved->copy, err) || !take_int(row, "uid", -1, &uid, err) ||
        !take_int(row, "gid", -1, &gid, err) || !take_int(row, "mode", 0600, &mode, err))
        return false;
    saved->path = str_copy(arena, saved->path);
    saved->sha256 = str_copy(arena, saved->sha256);
    saved->copy = str_copy(arena, saved->copy);
    saved->owner = (struct io_owner){ (uid_t)uid, (gid_t)gid, (mode_t)mode & 07777 };
    return true;
}

static bool identity_parse(struct arena *arena, const json_t *row, struct saved_identity *saved,
                           struct err *err)
{
    if (!take_text(row, "service", &saved->service, err) ||
        !need_text(row, "store", &saved->store, err) ||
        !need_text(row, "certificate", &saved->certificate, err) ||
        !take_text(row, "key", &saved->key, err))
        return false;
    saved->service = str_copy(arena, saved->service);
    saved->store = str_copy(arena, saved->store);
    saved->certificate = str_copy(arena, saved->certificate);
    saved->key = str_copy(arena, saved->key);
    return true;
}

static bool manifest_parse(struct arena *arena, const json_t *json, struct manifest *manifest,
                           struct err *err)
{
    const json_t *files = json_object_get(json, "files");
    const json_t *identities = json_object_get(json, "identities");
    for (size_t i = 0; i < json_array_size(files); i++)
        if (!row_parse(arena, json_array_get(files, i), &list_push(arena, &manifest->files), err))
            return false;
    for (size_t i = 0; i < json_array_size(identities); i++)
        if (!identity_parse(arena, json_array_get(identities, i),
                            &list_push(arena, &manifest->identities), err))
            return false;
    return true;
}

static bool manifest_read(struct arena *arena, str dir, struct manifest *ret_manifest,
                          struct err *err)
{
    AUTO(json) json_t *json = NULL;
    str bytes, path = io_join(arena, dir, S("manifest.json"));
    *ret_manifest = (struct manifest){ 0 };
    if (access(path.ptr, F_OK) < 0 && errno == ENOENT)
        return true;
    if (!io_read(arena, path.ptr, IO_FILE_MAX, &bytes, err) ||
        !protocol_parse(str_trim(bytes), &json, err) ||
        !manifest_parse(arena, json, ret_manifest, err))
        return err_wrap(err, "%s", path.ptr);
    return true;
}

static void emit_saved(struct emit *emit, const struct saved *saved)
{
    emit_object(emit, NULL);
    emit_str(emit, "path", saved->path);
    emit_str(emit, "sha256", saved->sha256);
    emit_str(emit, "copy", saved->copy);
    emit_int(emit, "uid", saved->owner.uid);
    emit_int(emit, "gid", saved->owner.gid);
    emit_int(emit, "mode", saved->owner.mode);
    emit_object_end(emit);
}

static void emit_identity(struct emit *emit, const struct saved_identity *identity)
{
    emit_object(emit, NULL);
    emit_str(emit, "service", identity->service);
    emit_str(emit, "store", identity->store);
    emit_str(emit, "certificate", identity->certificate);
    emit_str(emit, "key", identity->key);
    emit_object_end(emit);
}

static bool manifest_write(struct arena *arena, str dir, const struct manifest *manifest,
                           struct err *err)
{
    AUTO(sink) struct sink sink = { 0 };
    if (!sink_open(&sink, err))
        return false;
    struct emit emit = { .out = sink.file, .one_line = true };
    emit_object(&emit, NULL);
    emit_array(&emit, "files");
    for (size_t i = 0; i < manifest->files.count; i++)
        emit_saved(&emit, &manifest->files.items[i]);
    emit_array_end(&emit);
    emit_array(&emit, "identities");
    for (size_t i = 0; i < manifest->identities.count; i++)
        emit_identity(&emit, &manifest->identities.items[i]);
    emit_array_end(&emit);
    emit_object_end(&emit);
    emit_end(&emit);
    struct io_owner ours = { (uid_t)-1, (gid_t)-1, 0600 };
    return io_replace(io_join(arena, dir, S("manifest.json")).ptr, sink_text(&sink), ours, err);
}

static const struct saved *saved_find(const struct manifest *manifest, str path)
{
    for (size_t i = 0; i < manifest->files.count; i++)
        if (str_eq(manifest->files.items[i].path, path))
            return &manifest->files.items[i];
    return NULL;
}

static bool save(struct arena *arena, str dir, str path, struct manifest *manifest, struct err *err)
{
    AUTO(arena) struct arena bytes_arena = { .wipe = true };
    const char *name = str_cstr(arena, path);
    struct saved saved = { .path = str_copy(arena, path), .sha256 = S("absent") };
    struct stat st;
    str bytes, back;
    saved.copy = str_printf(arena, "%zu", manifest->files.count);
    bool there = stat(name, &st) == 0;
    if (!there && errno != ENOENT)
        return err_errno(err, "%s", name);
    if (there) {
        str copy = io_join(arena, dir, saved.copy);
        struct io_owner ours = { (uid_t)-1, (gid_t)-1, 0600 };
        if (!io_read(&bytes_arena, name, IO_FILE_MAX, &bytes, err) ||
            !io_replace(copy.ptr, bytes, ours, err) ||
            !io_read(&bytes_arena, copy.ptr, IO_FILE_MAX, &back, err))
            return false;
        saved.sha256 = sha256_hex(arena, bytes);
        saved.owner = (struct io_owner){ st.st_uid, st.st_gid, st.st_mode & 07777 };
        if (!str_eq(saved.sha256, sha256_hex(arena, back)))
            return err_set(err, ERR_SYSTEM, "%s does not read back as it was written", copy.ptr);
    }
    list_push(arena, &manifest->files) = saved;
    return true;
}

static void note_identity(struct arena *arena, const struct saved_identity *identity,
                          struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->identities.count; i++)
        if (str_eq(manifest->identities.items[i].service, identity->service) &&
            str_eq(manifest->identities.items[i].store, identity->store))
            return;
    list_push(arena, &manifest->identities) = *identity;
}

static bool open_snapshot(struct arena *arena, str state, str apply, str *ret_dir,
                          struct manifest *ret_manifest, struct err *err)
{
    return snapshot_dir(arena, state, apply, ret_dir, err) &&
           manifest_read(arena, *ret_dir, ret_manifest, err);
}

bool file_snapshot(str state, str apply, const str_list *paths,
                   const struct saved_identity *identity, struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    struct manifest manifest;
    str dir;
    if (!snapshot_dir(&arena, state, apply, &dir, err) || !io_make_dirs(dir.ptr, 0700, err) ||
        !manifest_read(&arena, dir, &manifest, err))
        return false;
    for (size_t i = 0; i < paths->count; i++) {
        str path = paths->items[i];
        if (!str_starts(path, S("/")))
            return err_set(err, ERR_FORMAT, "%.*s is not an absolute path", STR_ARG(path));
        if (saved_find(&manifest, path) == NULL && !save(&arena, dir, path, &manifest, err))
            return err_wrap(err, "snapshot");
    }
    if (identity != NULL)
        note_identity(&arena, identity, &manifest);
    return manifest_write(&arena, dir, &manifest, err);
}

bool file_is_saved(str state, str apply, const str_list *paths, bool *ret_all, struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    struct manifest manifest;
    str dir;
    *ret_all = true;
    if (!open_snapshot(&arena, state, apply, &dir, &manifest, err))
        return false;
    for (size_t i = 0; i < paths->count; i++)
        *ret_all = *ret_all && saved_find(&manifest, paths->items[i]) != NULL;
    return true;
}

bool file_saved_identities(struct arena *arena, str state, str apply, saved_identity_list *ret_list,
                           struct err *err)
{
    struct manifest manifest;
    str dir;
    if (!open_snapshot(arena, state, apply, &dir, &manifest, err))
        return false;
    *ret_list = manifest.identities;
    return true;
}

bool file_was_absent(struct arena *arena, str state, str apply, str path, bool *ret_absent,
                     struct err *err)
{
    struct manifest manifest;
    str dir;
    if (!open_snapshot(arena, state, apply, &dir, &manifest, err))
        return false;
    const struct saved *saved = saved_find(&manifest, path);
    *ret_absent = saved != NULL && str_eq(saved->sha256, S("absent"));
    return true;
}

bool file_saved_bytes(struct arena *arena, str state, str apply, str path, str *ret_bytes,
                      struct err *err)
{
    struct manifest manifest;
    str dir;
    if (!open_snapshot(arena, state, apply, &dir, &manifest, err))
        return false;
    const struct saved *saved = saved_find(&manifest, path);
    if (saved == NULL || str_eq(saved->sha256, S("absent")))
        return err_set(err, ERR_REFUSED, "the snapshot %.*s has no %.*s", STR_ARG(apply),
                       STR_ARG(path));
    return io_read(arena, io_join(arena, dir, saved->copy).ptr, IO_FILE_MAX, ret_bytes, err);
}

static bool put_back(struct arena *arena, str dir, const struct saved *saved, struct err *err)
{
    AUTO(arena) struct arena bytes_arena = { .wipe = true };
    str bytes, copy = io_join(arena, dir, saved->copy);
    if (str_eq(saved->sha256, S("absent"))) {
        if (unlink(saved->path.ptr) < 0)
            return errno == ENOENT || err_errno(err, "remove %s", saved->path.ptr);
        return io_sync_dir_of(saved->path.ptr, err);
    }
    if (!io_read(&bytes_arena, copy.ptr, IO_FILE_MAX, &bytes, err))
        return false;
    if (!str_eq(sha256_hex(arena, bytes), saved->sha256))
        return err_set(err, ERR_FORMAT, "%s is not what was saved", copy.ptr);
    return io_replace(saved->path.ptr, bytes, saved->owner, err);
}

bool file_restore(str state, str apply, size_t *ret_count, struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    struct manifest manifest;
    str dir;
    if (!open_snapshot(&arena, state, apply, &dir, &manifest, err))
        return false;
    for (size_t i = 0; i < manifest.files.count; i++)
        if (!put_back(&arena, dir, &manifest.files.items[i], err))
            return err_wrap(err, "restore");
    *ret_count = manifest.files.count;
    return true;
}

static bool owner_of(struct arena *arena, const struct file_change *change,
                     struct io_owner *ret_owner, struct err *err)
{
    struct stat st;
    *ret_owner = (struct io_owner){ (uid_t)-1, (gid_t)-1, 0600 };
    bool there = stat(str_cstr(arena, change->path), &st) == 0;
    if (!there && change->like.len == 0)
        return true;
    if (!there && stat(str_cstr(arena, change->like), &st) < 0)
        return err_errno(err, "%.*s", STR_ARG(change->like));
    *ret_owner = (struct io_owner){ st.st_uid, st.st_gid, st.st_mode & 07777 };
    return true;
}

bool file_write(const struct file_change *change, str bytes, struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    struct manifest manifest;
    struct io_owner owner;
    str dir;
    if (!open_snapshot(&arena, change->state, change->apply, &dir, &manifest, err))
        return false;
    if (saved_find(&manifest, change->path) == NULL)
        return err_set(err, ERR_REFUSED, "%.*s has no snapshot yet", STR_ARG(change->path));
    if (!owner_of(&arena, change, &owner, err))
        return false;
    return io_replace_when(str_cstr(&arena, change->path), bytes, owner, still_as_expected, change,
                           err);
}
