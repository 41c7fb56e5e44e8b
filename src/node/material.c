/* SPDX-License-Identifier: Apache-2.0 */
#include "node/material.h"

#include "base/io.h"
#include "issue/secret.h"
#include "node/derived.h"
#include "node/file.h"
#include "node/generation.h"
#include "store/bundle.h"
#include "store/store.h"

enum { MARK = 8 };

static str fingerprint(struct arena *arena, const struct cert *cert)
{
    return str_printf(arena, "sha256:%.*s", STR_ARG(cert->sha256));
}

const struct store_conf *material_store(const struct change_site *site, const struct change *change,
                                        struct err *err)
{
    struct node_conf *node = (struct node_conf *)(uintptr_t)site->call->node;
    const struct store_conf *store = node_store(node, change->store);
    if (store == NULL)
        (void)err_set(err, ERR_USAGE, "node %.*s has no store %.*s", STR_ARG(node->name),
                      STR_ARG(change->store));
    return store;
}

static bool first_leaf(struct arena *arena, str source, str bytes, struct cert *ret_leaf,
                       bool *ret_there)
{
    struct store_options options = { .now = clock_now() };
    struct store store;
    store_parse(arena, source, bytes, &options, &store);
    for (size_t i = 0; i < store.entries.count; i++) {
        if (store.entries.items[i].kind != ENTRY_TRUSTED)
            continue;
        *ret_leaf = *store.entries.items[i].cert;
        return *ret_there = true;
    }
    *ret_there = false;
    return true;
}

static bool read_leaf(struct arena *arena, str path, struct cert *ret_leaf, bool *ret_there,
                      struct err *err)
{
    str state, bytes;
    *ret_there = false;
    if (!file_state(arena, path, &state, err))
        return false;
    if (str_eq(state, S("absent")))
        return true;
    return io_read(arena, str_cstr(arena, path), IO_FILE_MAX, &bytes, err) &&
           first_leaf(arena, path, bytes, ret_leaf, ret_there);
}

bool material_leaf(struct arena *arena, str path, str *ret_leaf, struct err *err)
{
    struct cert leaf;
    bool there;
    if (!read_leaf(arena, path, &leaf, &there, err))
        return false;
    *ret_leaf = there ? fingerprint(arena, &leaf) : S("absent");
    return true;
}

bool change_leaf(const struct change_site *site, const struct change *change, struct cert *ret_leaf,
                 bool *ret_there, struct err *err)
{
    const struct store_conf *store = material_store(site, change, err);
    return store != NULL &&
           read_leaf(site->call->arena, store->certificate, ret_leaf, ret_there, err);
}

bool material_password(struct arena *arena, const struct store_conf *store, str *ret_password,
                       struct err *err)
{
    const struct secret_source *source = &store->password;
    bool given = source->file.len > 0 || source->env.len > 0 || source->command.count > 0;
    *ret_password = (str){ 0 };
    return !given || secret_read(arena, source, NULL, ret_password, err);
}

/* An issue step's own id, or the one that a certificate "new:<id>" names. */
static str issue_id(const struct change *change)
{
    str prefix = S("new:");
    if (!str_starts(change->certificate, prefix))
        return change->id;
    return (str){ change->certificate.ptr + prefix.len, change->certificate.len - prefix.len };
}

bool change_pending(const struct change_site *site, const struct change *change,
                    struct pending_place *ret_place, struct err *err)
{
    const struct store_conf *store = material_store(site, change, err);
    *ret_place = (struct pending_place){ .state = site->call->state,
                                         .step = issue_id(change),
                                         .new_key = change->new_key };
    if (store == NULL)
        return false;
    ret_place->old_key = store->key;
    return material_password(site->call->arena, store, &ret_place->password, err);
}

/* The file that holds both as it will be: what it has besides stays. */
static bool make_bundle(const struct change_site *site, const struct store_conf *store, str chain,
                        struct material *material, struct err *err)
{
    struct arena *arena = site->call->arena;
    str state, text = S("");
    if (!file_state(arena, store->certificate, &state, err) ||
        (!str_eq(state, S("absent")) &&
         !io_read(arena, str_cstr(arena, store->certificate), IO_FILE_MAX, &text, err)))
        return false;
    material->certificate_bytes = bundle_with(arena, text, chain, material->key_bytes);
    return true;
}

static bool of_pending(const struct change_site *site, const struct change *change,
                       struct material *material, struct err *err)
{
    struct arena *arena = site->call->arena;
    const struct store_conf *store = material_store(site, change, err);
    struct pending_place place;
    struct pending pending;
    if (store == NULL || !change_pending(site, change, &place, err) ||
        !pending_read(arena, &place, &pending, err))
        return false;
    if (!pending.has_certificate)
        return err_set(err, ERR_REFUSED, "there is no certificate yet from step %.*s",
                       STR_ARG(place.step));
    str mark = { pending.leaf.sha256.ptr, MARK };
    material->leaf = fingerprint(arena, &pending.leaf);
    material->certificate_bytes = pending.chain_pem;
    material->one_file = str_eq(store->certificate, store->key);
    material->files = (struct identity_files){ store->certificate, store->key };
    if (!change->in_place)
        material->files.certificate = generation_name(arena, store->certificate, mark);
    if (!change->in_place && (change->new_key || material->one_file))
        material->files.key = generation_name(arena, store->key, mark);
    if (change->new_key && pending.has_key &&
        !pending_key_bytes(arena, &place, &material->key_bytes, err))
        return false;
    return !material->one_file || make_bundle(site, store, pending.chain_pem, material, err);
}

static bool of_snapshot(const struct change_site *site, const struct change *change,
                        struct material *material, struct err *err)
{
    struct arena *arena = site->call->arena;
    saved_identity_list saved;
    struct cert leaf;
    bool there;
    if (!file_saved_identities(arena, site->call->state, change->from, &saved, err))
        return false;
    for (size_t i = 0; i < saved.count; i++) {
        const struct saved_identity *row = &saved.items[i];
        /* What is written over is the same file for each reader, also for one that came later. */
        bool of_reader = change->in_place || str_eq(row->service, change->service);
        if (!of_reader || !str_eq(row->store, change->store))
            continue;
        material->files = (struct identity_files){ row->certificate, row->key };
        material->one_file = str_eq(row->certificate, row->key);
        if (!file_saved_bytes(arena, site->call->state, change->from, row->certificate,
                              &material->certificate_bytes, err) ||
            !first_leaf(arena, row->certificate, material->certificate_bytes, &leaf, &there))
            return false;
        material->leaf = there ? fingerprint(arena, &leaf) : S("absent");
        if (!str_eq(material->leaf, change->certificate))
            break;
        return !change->new_key || !change->in_place ||
               file_saved_bytes(arena, site->call->state, change->from, row->key,
                                &material->key_bytes, err);
    }
    return err_set(err, ERR_REFUSED, "the snapshot %.*s does not have %.*s of %.*s",
                   STR_ARG(change->from), STR_ARG(change->certificate), STR_ARG(change->store));
}

/* ---- of a store that is derived from another ---- */

static bool wanted_leaf(const struct change_site *site, const struct change *change, str *ret_leaf,
                        struct err *err)
{
    struct pending_place place;
    struct pending pending;
    *ret_leaf = change->certificate;
    if (!str_starts(change->certificate, S("new:")))
        return true;
    if (!change_pending(site, change, &place, err) ||
        !pending_read(site->call->arena, &place, &pending, err))
        return false;
    *ret_leaf = fingerprint(site->call->arena, &pending.leaf);
    return pending.has_certificate ||
           err_set(err, ERR_REFUSED, "there is no certificate yet from step %.*s",
                   STR_ARG(place.step));
}

static bool is_pair(const struct change_site *site, const struct store_conf *source,
                    const struct identity_files *files, str wanted)
{
    AUTO(arena) struct arena secret = { .wipe = true };
    AUTO(err) struct err none = { 0 };
    str leaf, chain, password;
    return material_leaf(site->call->arena, files->certificate, &leaf, &none) &&
           str_eq(leaf, wanted) && material_password(&secret, source, &password, &none) &&
           io_read(&secret, str_cstr(&secret, files->certificate), IO_FILE_MAX, &chain, &none) &&
           pending_matches(chain, files->key, password, &none);
}

/* Where the source has it: in the files in use, or beside them, with a key of its own or the old
   one. */
static bool find_source(const struct change_site *site, const struct store_conf *source, str wanted,
                        struct identity_files *ret_files, struct err *err)
{
    struct arena *arena = site->call->arena;
    str hex = wanted, prefix = str_cut(&hex, ':');
    str mark = { hex.ptr, prefix.len > 0 && hex.len > MARK ? MARK : 0 };
    const str certificates[] = { source->certificate,
                                 generation_name(arena, source->certificate, mark) };
    const str keys[] = { source->key, generation_name(arena, source->key, mark) };
    for (size_t i = 0; i < COUNT(certificates) * COUNT(keys); i++) {
        *ret_files = (struct identity_files){ certificates[i / 2], keys[i % 2] };
        if (is_pair(site, source, ret_files, wanted))
            return true;
    }
    return err_set(err, ERR_REFUSED, "%.*s/%.*s does not have %.*s yet",
                   STR_ARG(site->call->node->name), STR_ARG(source->name), STR_ARG(wanted));
}

static bool of_source(const struct change_site *site, const struct change *change,
                      const struct store_conf *store, struct material *material, struct err *err)
{
    struct arena *arena = site->call->arena;
    struct node_conf *node = (struct node_conf *)(uintptr_t)site->call->node;
    const struct store_conf *source = node_store(node, store->derived_from);
    struct derived_pair pair;
    if (source == NULL)
        return err_set(err, ERR_USAGE, "node %.*s has no store %.*s", STR_ARG(node->name),
                       STR_ARG(store->derived_from));
    material->derived = true;
    if (!wanted_leaf(site, change, &material->leaf, err) ||
        !find_source(site, source, material->leaf, &material->source, err) ||
        !derived_pair(site->call, store, &material->source, &pair, err))
        return false;
    str mark = { material->leaf.ptr + sizeof("sha256:") - 1, MARK };
    material->certificate_bytes = pair.certificate_bytes;
    material->key_bytes = pair.key_bytes;
    material->one_file = str_eq(store->certificate, store->key);
    material->files = (struct identity_files){ store->certificate, store->key };
    if (!change->in_place)
        material->files = (struct identity_files){ generation_name(arena, store->certificate, mark),
                                                   generation_name(arena, store->key, mark) };
    return true;
}

bool material_of(const struct change_site *site, const struct change *change,
                 struct material *ret_material, struct err *err)
{
    const struct store_conf *store = material_store(site, change, err);
    *ret_material = (struct material){ 0 };
    if (store == NULL)
        return false;
    if (store->derived_from.len > 0 && change->from.len == 0)
        return of_source(site, change, store, ret_material, err);
    return str_starts(change->certificate, S("new:"))
               ? of_pending(site, change, ret_material, err)
               : of_snapshot(site, change, ret_material, err);
}
