/* SPDX-License-Identifier: Apache-2.0 */
#include "node/change.h"

#include "base/io.h"
#include "node/anchors.h"
#include "node/derived.h"
#include "node/file.h"
#include "node/generation.h"
#include "node/loaded.h"
#include "node/material.h"
#include "node/pinned.h"
#include "node/refresh.h"
#include "node/retention.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

/* What a folder must have left before anything is written into it. */
enum { ROOM_BYTES = 1024 * 1024, ROOM_FILES = 16 };

bool change_parse(struct arena *arena, const json_t *step, struct change *ret_change,
                  struct err *err)
{
    str kind;
    struct change change = { .new_key = json_is_true(json_object_get(step, "new_key")),
                             .in_place = json_is_true(json_object_get(step, "in_place")) };
    if (!need_text(step, "id", &change.id, err) || !need_text(step, "kind", &kind, err) ||
        !take_text(step, "service", &change.service, err) ||
        !take_text(step, "store", &change.store, err) ||
        !take_text(step, "certificate", &change.certificate, err) ||
        !take_text(step, "expects", &change.expects, err) ||
        !take_text(step, "leaves", &change.leaves, err) ||
        !take_text(step, "role", &change.role, err) ||
        !take_text(step, "from", &change.from, err) || !take_text(step, "pin", &change.pin, err))
        return false;
    if (json_object_get(step, "anchor") != NULL &&
        !need_bytes(arena, step, "anchor", &change.anchor, err))
        return false;
    if (json_object_get(step, "replaced") != NULL &&
        !need_bytes(arena, step, "replaced", &change.replaced, err))
        return false;
    *ret_change = change;
    return step_kind_parse(kind, &ret_change->kind) ||
           err_set(err, ERR_FORMAT, "no step of kind \"%.*s\"", STR_ARG(kind));
}

static const struct service_conf *service_of(const struct change_site *site,
                                             const struct change *change, struct err *err)
{
    struct node_conf *node = (struct node_conf *)(uintptr_t)site->call->node;
    const struct service_conf *service = node_service(node, change->service);
    if (service == NULL)
        (void)err_set(err, ERR_USAGE, "node %.*s has no service %.*s", STR_ARG(node->name),
                      STR_ARG(change->service));
    return service;
}

/* The edit that makes the one reference name `files`; an empty path when there is none. */
static bool edit_of(const struct change_site *site, const struct change *change,
                    const struct identity_files *files, struct file_edit *ret_edit, struct err *err)
{
    *ret_edit = (struct file_edit){ 0 };
    if (change->service.len == 0)
        return true; /* a source that no service reads */
    const struct service_conf *service = service_of(site, change, err);
    if (service == NULL || site->driver->refer == NULL)
        return service != NULL;
    return site->driver->refer(site->call, service, change->store, files, ret_edit, err);
}

/* Before a store changes: what services run on with is what is in it now. */
static bool keep_loaded(const struct change_site *site, const struct change *change,
                        struct err *err)
{
    const struct store_conf *store = material_store(site, change, err);
    return store != NULL && (!site->driver->remembers || loaded_keep(site->call, store, err));
}

/* ---- snapshot: the files of a store, and the one that names them ---- */

static bool paths_of(const struct change_site *site, const struct change *change,
                     str_list *ret_paths, struct saved_identity *ret_identity, struct err *err)
{
    struct arena *arena = site->call->arena;
    const struct store_conf *store = material_store(site, change, err);
    *ret_paths = (str_list){ 0 };
    *ret_identity = (struct saved_identity){ 0 };
    if (store == NULL)
        return false;
    if (store->certificate.len == 0) {
        list_push(arena, ret_paths) =
            str_eq(store->format, S("pins")) ? store->path : store->certificates;
        return true;
    }
    struct identity_files files = { store->certificate, store->key };
    struct file_edit edit;
    if (!edit_of(site, change, &files, &edit, err))
        return false;
    str_list_add(arena, ret_paths, store->certificate);
    str_list_add(arena, ret_paths, store->key);
    if (edit.path.len > 0)
        str_list_add(arena, ret_paths, edit.path);
    *ret_identity =
        (struct saved_identity){ change->service, change->store, store->certificate, store->key };
    return true;
}

static bool observe_snapshot(const struct change_site *site, const struct change *change,
                             enum observed *ret_observed, str *ret_evidence, struct err *err)
{
    str_list paths;
    struct saved_identity identity;
    bool all;
    if (!paths_of(site, change, &paths, &identity, err) ||
        !file_is_saved(site->call->state, site->apply, &paths, &all, err))
        return false;
    *ret_observed = all ? OBSERVED_AFTER : OBSERVED_BEFORE;
    *ret_evidence =
        str_printf(site->call->arena, "%zu files are %ssaved", paths.count, all ? "" : "not all ");
    return true;
}

static bool do_snapshot(const struct change_site *site, const struct change *change,
                        str *ret_evidence, struct err *err)
{
    str_list paths;
    struct saved_identity identity;
    size_t wiped;
    moment before = clock_now() - (moment)RETENTION_DAYS * 86400;
    if (!retention_wipe(site->call->state, site->apply, before, &wiped, err) ||
        !paths_of(site, change, &paths, &identity, err) ||
        !file_snapshot(site->call->state, site->apply, &paths,
                       identity.store.len > 0 ? &identity : NULL, err))
        return false;
    *ret_evidence = str_printf(site->call->arena, "%zu files saved and read back", paths.count);
    return true;
}

/* ---- trust, distrust and replace: one anchor of a store ---- */

/* The anchor is named by its fingerprint; its bytes are needed only to add it. */
static str fingerprint_of(const struct change *change)
{
    str hex = change->certificate;
    return str_cut(&hex, ':').len < change->certificate.len ? hex : S("");
}

static bool read_anchors(const struct change_site *site, const struct change *change, str *ret_path,
                         str *ret_text, bool *ret_has, struct err *err)
{
    const struct store_conf *store = material_store(site, change, err);
    str state;
    *ret_text = S("");
    if (store == NULL || !file_state(site->call->arena, store->certificates, &state, err))
        return false;
    /* A derived store may have to be made first. */
    bool none = store->derived_from.len > 0 && str_eq(state, S("absent"));
    if (!none && !io_read(site->call->arena, str_cstr(site->call->arena, store->certificates),
                          IO_FILE_MAX, ret_text, err))
        return false;
    *ret_path = store->certificates;
    *ret_has = anchors_have(*ret_text, fingerprint_of(change));
    return true;
}

static bool observe_anchor(const struct change_site *site, const struct change *change,
                           enum observed *ret_observed, str *ret_evidence, struct err *err)
{
    str path, text;
    bool has;
    if (!read_anchors(site, change, &path, &text, &has, err))
        return false;
    *ret_observed = has == (change->kind == STEP_trust) ? OBSERVED_AFTER : OBSERVED_BEFORE;
    *ret_evidence =
        str_printf(site->call->arena, "%.*s %s it", STR_ARG(path), has ? "holds" : "does not hold");
    return true;
}

/* The only one in a store: what is there by name, as the plan has it. */
static str names_of(struct arena *arena, const str_list *anchors)
{
    struct buf names = { 0 };
    buf_add(arena, &names, anchors->count == 0 ? S("absent") : S(""));
    for (size_t i = 0; i < anchors->count; i++)
        buf_printf(arena, &names, "%ssha256:%.*s", i == 0 ? "" : ", ", STR_ARG(anchors->items[i]));
    return buf_str(&names);
}

static bool observe_single(const struct change_site *site, const struct change *change,
                           enum observed *ret_observed, str *ret_evidence, struct err *err)
{
    struct arena *arena = site->call->arena;
    str path, text;
    bool has;
    if (!read_anchors(site, change, &path, &text, &has, err))
        return false;
    str_list anchors = anchors_in(arena, text);
    str now = names_of(arena, &anchors);
    *ret_observed = str_eq(now, change->leaves)    ? OBSERVED_AFTER
                    : str_eq(now, change->expects) ? OBSERVED_BEFORE
                                                   : OBSERVED_NEITHER;
    *ret_evidence = str_printf(arena, "%.*s holds %.*s", STR_ARG(path),
                               STR_ARG(anchors.count == 0 ? S("nothing") : now));
    return true;
}

/* A file of a store as it should look: its own, or where it is made for the first time the one that
   it is made from; a certificate that is gone, as its key. */
static str like_of(const struct change_site *site, const struct store_conf *store, str own,
                   str source)
{
    if (access(str_cstr(site->call->arena, own), F_OK) == 0)
        return own;
    if (store->derived_from.len > 0)
        return source;
    return str_eq(own, store->certificate) ? store->key : own;
}

/* What a store is made from; all empty when it stands alone. */
static struct store_conf source_of(const struct change_site *site, const struct store_conf *store)
{
    static const struct store_conf none;
    const struct store_conf *source =
        node_store((struct node_conf *)(uintptr_t)site->call->node, store->derived_from);
    return source == NULL ? none : *source;
}

static bool do_anchor(const struct change_site *site, const struct change *change,
                      str *ret_evidence, struct err *err)
{
    struct arena *arena = site->call->arena;
    str path, text;
    bool has;
    if (!read_anchors(site, change, &path, &text, &has, err))
        return false;
    const struct store_conf *store = material_store(site, change, err);
    struct file_change write = { .state = site->call->state,
                                 .apply = site->apply,
                                 .path = path,
                                 .like = like_of(site, store, path,
                                                 source_of(site, store).certificates) };
    bool add = change->kind != STEP_distrust;
    if (add && change->anchor.len == 0)
        return err_set(err, ERR_FORMAT, "the anchor to add is missing");
    str then;
    const struct anchor_edit edit = { .sha256 = fingerprint_of(change),
                                      .der = add ? change->anchor : S(""),
                                      .alone = change->kind == STEP_replace };
    if (!file_state(arena, path, &write.expects, err))
        return false;
    if (!str_eq(write.expects, S("absent")))
        write.expects = sha256_hex(arena, text);
    if (!derived_anchors(site->call, store, text, &edit, &then, err))
        return false;
    *ret_evidence = str_printf(arena, "%.*s written", STR_ARG(path));
    return keep_loaded(site, change, err) && file_write(&write, then, err);
}

/* ---- issue: done through pending.h ---- */

static bool holds(struct arena *arena, str path, str bytes, bool *ret_same, struct err *err)
{
    str state;
    if (!file_state(arena, path, &state, err))
        return false;
    *ret_same = str_eq(state, sha256_hex(arena, bytes));
    return true;
}

static bool is_written(const struct change_site *site, const struct material *material,
                       bool *ret_written, struct err *err)
{
    struct arena *arena = site->call->arena;
    bool key = true;
    if (!holds(arena, material->files.certificate, material->certificate_bytes, ret_written, err))
        return false;
    if (material->key_bytes.len > 0 && !material->one_file &&
        !holds(arena, material->files.key, material->key_bytes, &key, err))
        return false;
    *ret_written = *ret_written && key;
    return true;
}

/* What a command made is told by what is in it: it may print other bytes each time. */
static bool is_in_place(const struct change_site *site, const struct change *change,
                        const struct material *material, bool *ret_there, struct err *err)
{
    if (!material->derived)
        return is_written(site, material, ret_there, err);
    return derived_same_pair(site->call, material_store(site, change, err), &material->files,
                             &material->source, ret_there, err);
}

/* Whether what came is written beside the old already: then its key is there too. */
static bool is_installed(const struct change_site *site, const struct change *change,
                         const struct pending_place *place)
{
    AUTO(err) struct err none = { 0 };
    struct change about = *change;
    struct material material;
    bool written;
    about.certificate = str_printf(site->call->arena, "new:%.*s", STR_ARG(place->step));
    return material_of(site, &about, &material, &none) &&
           is_written(site, &material, &written, &none) && written &&
           pending_matches(material.certificate_bytes, material.files.key, place->password, &none);
}

static bool observe_issue(const struct change_site *site, const struct change *change,
                          enum observed *ret_observed, str *ret_evidence, struct err *err)
{
    struct arena *arena = site->call->arena;
    struct pending_place place;
    struct pending pending;
    struct cert leaf = { 0 };
    bool there;
    if (!change_pending(site, change, &place, err) || !pending_read(arena, &place, &pending, err) ||
        !change_leaf(site, change, &leaf, &there, err))
        return false;
    bool in_use = pending.has_certificate && there && str_eq(leaf.sha256, pending.leaf.sha256);
    bool in_hand = pending.has_certificate &&
                   (pending.has_key || !change->new_key || is_installed(site, change, &place));
    *ret_observed = in_use || in_hand ? OBSERVED_AFTER : OBSERVED_BEFORE;
    *ret_evidence = in_use || in_hand
                        ? str_printf(arena, "%.*s is %s", STR_ARG(cert_label(arena, &pending.leaf)),
                                     in_use ? "in use" : "in hand")
                        : S("no certificate has come yet");
    return true;
}

/* ---- install and switch: an identity ---- */

static bool observe_identity(const struct change_site *site, const struct change *change,
                             enum observed *ret_observed, str *ret_evidence, struct err *err)
{
    struct arena *arena = site->call->arena;
    const struct store_conf *store = material_store(site, change, err);
    struct material material = { 0 };
    AUTO(err) struct err none = { 0 };
    bool written = false;
    str now;
    if (store == NULL || !material_leaf(arena, store->certificate, &now, err))
        return false;
    bool known = material_of(site, change, &material, &none);
    bool beside = change->kind == STEP_install && !change->in_place;
    if (!known && none.kind != ERR_REFUSED)
        return err_set(err, none.kind, "%s", none.msg);
    /* A copy can have the certificate and lack the key. */
    bool copied = material.derived && change->kind == STEP_install;
    if (known && (beside || copied) && !is_in_place(site, change, &material, &written, err))
        return false;
    if (known && ((str_eq(now, material.leaf) && !copied) || written))
        *ret_observed = OBSERVED_AFTER;
    else
        *ret_observed = str_eq(now, change->expects) ? OBSERVED_BEFORE : OBSERVED_NEITHER;
    *ret_evidence = str_printf(arena, "%.*s is %.*s", STR_ARG(store->certificate), STR_ARG(now));
    return true;
}

/* A file that was not there is created like the one it stands beside; one with these bytes stays.
 */
static bool put(const struct change_site *site, str path, str like, str bytes, bool over,
                struct err *err)
{
    struct arena *arena = site->call->arena;
    str_list paths = { 0 };
    bool same;
    if (!holds(arena, path, bytes, &same, err) || same)
        return err->kind == ERR_NONE;
    struct file_change write = { .state = site->call->state,
                                 .apply = site->apply,
                                 .path = path,
                                 .expects = S("absent"),
                                 .like = like };
    if (over && !file_state(arena, path, &write.expects, err))
        return false;
    list_push(arena, &paths) = path;
    return file_snapshot(site->call->state, site->apply, &paths, NULL, err) &&
           file_write(&write, bytes, err);
}

static bool do_install(const struct change_site *site, const struct change *change,
                       str *ret_evidence, struct err *err)
{
    struct arena *arena = site->call->arena;
    const struct store_conf *store = material_store(site, change, err);
    struct material material;
    if (store == NULL || !material_of(site, change, &material, err) ||
        (change->in_place && !keep_loaded(site, change, err)))
        return false;
    if (change->new_key && material.key_bytes.len == 0 && !material.derived)
        return err_set(err, ERR_CONFLICT, "the new key for %.*s/%.*s is not here any more",
                       STR_ARG(site->call->node->name), STR_ARG(change->store));
    struct store_conf source = source_of(site, store);
    str like = like_of(site, store, store->key, source.key);
    if (material.key_bytes.len > 0 && !material.one_file &&
        !put(site, material.files.key, like, material.key_bytes, change->in_place, err))
        return false;
    if (!material.one_file)
        like = like_of(site, store, store->certificate, source.certificate);
    *ret_evidence = str_printf(arena, "%.*s written", STR_ARG(material.files.certificate));
    if (!put(site, material.files.certificate, like, material.certificate_bytes, change->in_place,
             err))
        return false;
    /* Beside the old one it is dropped once something refers to it. */
    bool over = change->in_place && change->new_key && !material.derived &&
                str_starts(change->certificate, S("new:"));
    struct pending_place place;
    return !over || (change_pending(site, change, &place, err) && pending_drop_key(&place, err));
}

/* Remove what is older than the files in use and those before them. A kept key outlives its
   certificate. What goes is saved first, so that a copy of the snapshot brings it back. */
static bool drop_old(const struct change_site *site, const struct identity_files *used,
                     const struct store_conf *before, struct err *err)
{
    struct arena *arena = site->call->arena;
    generation_list found;
    str_list old = { 0 };
    if (!generation_find(arena, used->certificate, &found, err))
        return false;
    for (size_t i = 0; i < found.count; i++) {
        str certificate = found.items[i].path;
        str key = generation_name(arena, used->key, found.items[i].mark);
        if (str_eq(certificate, used->certificate) || str_eq(certificate, before->certificate))
            continue;
        list_push(arena, &old) = certificate;
        if (!str_eq(key, used->key) && !str_eq(key, before->key) && access(key.ptr, F_OK) == 0)
            list_push(arena, &old) = key;
    }
    if (old.count == 0)
        return true;
    if (!file_snapshot(site->call->state, site->apply, &old, NULL, err))
        return false;
    for (size_t i = 0; i < old.count; i++)
        retention_wipe_file(str_cstr(arena, old.items[i]));
    return io_sync_dir_of(str_cstr(arena, old.items[0]), err);
}

static bool do_switch(const struct change_site *site, const struct change *change,
                      str *ret_evidence, struct err *err)
{
    struct arena *arena = site->call->arena;
    struct material material;
    struct pending_place place;
    struct file_edit edit;
    bool written;
    const struct store_conf *store = material_store(site, change, err);
    if (store == NULL || !material_of(site, change, &material, err) ||
        !is_in_place(site, change, &material, &written, err) ||
        !change_pending(site, change, &place, err))
        return false;
    if (!written)
        return err_set(err, ERR_CONFLICT, "%.*s is not as it was written",
                       STR_ARG(material.files.certificate));
    if (!pending_matches(material.certificate_bytes, material.files.key, place.password, err) ||
        !edit_of(site, change, &material.files, &edit, err))
        return false;
    if (edit.path.len == 0)
        return err_set(err, ERR_REFUSED, "nothing names %.*s/%.*s that could be switched",
                       STR_ARG(site->call->node->name), STR_ARG(change->store));
    struct file_change write = { .state = site->call->state,
                                 .apply = site->apply,
                                 .path = edit.path,
                                 .expects = sha256_hex(arena, edit.now) };
    *ret_evidence = str_printf(arena, "%.*s names %.*s", STR_ARG(edit.path),
                               STR_ARG(material.files.certificate));
    /* The key is at its place; once the file is written no later run would come here again. */
    bool forward = str_starts(change->certificate, S("new:")) && !material.derived;
    if ((forward && !pending_drop_key(&place, err)) || !keep_loaded(site, change, err))
        return false;
    return file_write(&write, edit.then, err) &&
           (!forward || drop_old(site, &material.files, store, err));
}

/* ---- refresh: a service, done through refresh.h ---- */

static bool observe_refresh(const struct change_site *site, const struct change *change,
                            enum observed *ret_observed, str *ret_evidence, struct err *err)
{
    const struct service_conf *service = service_of(site, change, err);
    return service != NULL && refresh_observe(site, service, ret_observed, ret_evidence, err);
}

static bool do_refresh(const struct change_site *site, const struct change *change,
                       str *ret_evidence, struct err *err)
{
    const struct service_conf *service = service_of(site, change, err);
    return service != NULL && refresh_do(site, service, change->role, ret_evidence, err);
}

/* ---- the table ---- */

/* clang-format off */
static const struct change_row {
    bool (*observe)(const struct change_site *site, const struct change *change,
                    enum observed *ret_observed, str *ret_evidence, struct err *err);
    bool (*carry_out)(const struct change_site *site, const struct change *change,
                      str *ret_evidence, struct err *err);
} rows[STEP_KIND_COUNT] = {
    [STEP_snapshot] = { observe_snapshot, do_snapshot },
    [STEP_issue]    = { observe_issue,    NULL },
    [STEP_trust]    = { observe_anchor,   do_anchor },
    [STEP_distrust] = { observe_anchor,   do_anchor },
    [STEP_replace]  = { observe_single,   do_anchor },
    [STEP_expect]   = { pinned_observe,   pinned_change },
    [STEP_forget]   = { pinned_observe,   pinned_change },
    [STEP_install]  = { observe_identity, do_install },
    [STEP_switch]   = { observe_identity, do_switch },
    [STEP_refresh]  = { observe_refresh,  do_refresh },
};
/* clang-format on */

bool change_observe(const struct change_site *site, const struct change *change,
                    enum observed *ret_observed, str *ret_evidence, struct err *err)
{
    if (rows[change->kind].observe == NULL)
        return err_set(err, ERR_USAGE, "%s is not seen at its node", step_kind_name(change->kind));
    return rows[change->kind].observe(site, change, ret_observed, ret_evidence, err);
}

bool change_carry_out(const struct change_site *site, const struct change *change,
                      str *ret_evidence, struct err *err)
{
    enum observed observed;
    if (rows[change->kind].carry_out == NULL)
        return err_set(err, ERR_USAGE, "%s is not done at its node", step_kind_name(change->kind));
    if (!change_observe(site, change, &observed, ret_evidence, err))
        return false;
    if (observed == OBSERVED_AFTER)
        return true;
    if (observed == OBSERVED_NEITHER)
        return err_set(err, ERR_CONFLICT, "%.*s: expected %.*s", STR_ARG(*ret_evidence),
                       STR_ARG(change->expects));
    return rows[change->kind].carry_out(site, change, ret_evidence, err);
}

/* ---- preflight ---- */

static bool has_room(struct arena *arena, str folder, struct err *err)
{
    struct statvfs fs;
    const char *path = str_cstr(arena, folder);
    if (access(path, W_OK) < 0)
        return err_errno(err, "%s cannot be written to", path);
    if (statvfs(path, &fs) < 0)
        return err_errno(err, "%s", path);
    bool bytes = (uint64_t)fs.f_bavail * fs.f_frsize >= ROOM_BYTES;
    bool files = fs.f_files == 0 || fs.f_favail >= ROOM_FILES;
    if (bytes && files)
        return true;
    (void)err_set(err, ERR_REFUSED, "%s is full: %llu KiB and %llu files are left", path,
                  (unsigned long long)((uint64_t)fs.f_bavail * fs.f_frsize / 1024),
                  (unsigned long long)fs.f_favail);
    return err_next(err, "df -h '%s'", path);
}

bool change_preflight(const struct change_site *site, const struct change *change, struct err *err)
{
    struct arena *arena = site->call->arena;
    str_list paths;
    struct saved_identity identity;
    if (change->kind != STEP_snapshot)
        return true;
    if (!paths_of(site, change, &paths, &identity, err) || !has_room(arena, site->call->state, err))
        return false;
    for (size_t i = 0; i < paths.count; i++)
        if (!has_room(arena, io_dir_of(arena, paths.items[i]), err))
            return false;
    return true;
}
