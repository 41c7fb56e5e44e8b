/* SPDX-License-Identifier: Apache-2.0 */
#include "node/derived.h"

#include "base/io.h"
#include "node/anchors.h"
#include "node/file.h"
#include "node/material.h"
#include "node/run.h"
#include "store/bundle.h"
#include "store/identity.h"
#include "store/pem.h"

static const struct store_conf *source_of(const struct driver_call *call,
                                          const struct store_conf *store)
{
    return node_store((struct node_conf *)(uintptr_t)call->node, store->derived_from);
}

/* A file that is not there yet is empty. */
static bool read_now(struct arena *arena, str path, str *ret_text, struct err *err)
{
    str state;
    *ret_text = S("");
    return file_state(arena, path, &state, err) &&
           (str_eq(state, S("absent")) ||
            io_read(arena, str_cstr(arena, path), IO_FILE_MAX, ret_text, err));
}

static bool print(const struct driver_call *call, const struct store_conf *store,
                  const str_list *environment, str *ret_text, struct err *err)
{
    return run_print(call->arena, &store->derive, environment, call->timeout_ms, ret_text, err) ||
           err_wrap(err, "the command that makes %.*s/%.*s", STR_ARG(call->node->name),
                    STR_ARG(store->name));
}

static void add_path(const struct driver_call *call, str_list *environment, const char *name,
                     str path)
{
    list_push(call->arena, environment) = str_printf(call->arena, "%s=%.*s", name, STR_ARG(path));
}

bool derived_pair(const struct driver_call *call, const struct store_conf *store,
                  const struct identity_files *source, struct derived_pair *ret_pair,
                  struct err *err)
{
    struct arena *arena = call->arena;
    str_list environment = { 0 };
    str chain, key, now;
    *ret_pair = (struct derived_pair){ 0 };
    add_path(call, &environment, "RESEAL_CERTIFICATE", source->certificate);
    add_path(call, &environment, "RESEAL_KEY", source->key);
    if (store->derive.count > 0)
        return print(call, store, &environment, &ret_pair->certificate_bytes, err);
    if (!io_read(arena, str_cstr(arena, source->certificate), IO_FILE_MAX, &chain, err) ||
        !io_read(arena, str_cstr(arena, source->key), IO_FILE_MAX, &key, err) ||
        !read_now(arena, store->certificate, &now, err))
        return false;
    if (str_eq(store->certificate, store->key))
        ret_pair->certificate_bytes = bundle_with(arena, now, chain, key);
    else
        *ret_pair = (struct derived_pair){ bundle_with(arena, S(""), chain, S("")),
                                           bundle_with(arena, S(""), S(""), key) };
    return true;
}

/* ---- anchors ---- */

/* The first certificate of `text` that `other` does not have, but for `but`; empty: none. */
static str missing(struct arena *arena, str text, str other, str but)
{
    struct pem_reader reader = { .rest = text, .line = 1 };
    struct pem_block block;
    while (pem_next(&reader, &block)) {
        str der, hex;
        size_t line;
        if (block.broken != NULL || !str_ends(block.label, S("CERTIFICATE")) ||
            !pem_decode(arena, &block, &der, &line))
            continue;
        hex = sha256_hex(arena, der);
        if (!str_eq(hex, but) && !anchors_have(other, hex))
            return hex;
    }
    return S("");
}

static str edited(struct arena *arena, str text, const struct anchor_edit *edit)
{
    if (edit->der.len == 0)
        return anchors_without(arena, text, edit->sha256);
    str_list there = anchors_in(arena, text);
    for (size_t i = 0; i < there.count && edit->alone; i++)
        text = anchors_without(arena, text, there.items[i]);
    return anchors_with(arena, text, edit->der);
}

/* Whether what a command printed keeps all that is to stay. */
static bool check_lost(const struct driver_call *call, const struct store_conf *store, str now,
                       str printed, const struct anchor_edit *edit, struct err *err)
{
    str lost = missing(call->arena, edit->alone ? printed : now, edit->alone ? S("") : printed,
                       edit->der.len > 0 && !edit->alone ? S("") : edit->sha256);
    if (lost.len == 0)
        return true;
    return err_set(err, ERR_REFUSED, "what makes %.*s/%.*s %s sha256:%.*s, which is %s",
                   STR_ARG(call->node->name), STR_ARG(store->name),
                   edit->alone ? "prints" : "leaves out", STR_ARG(lost),
                   edit->alone ? "one too many" : "in it now");
}

bool derived_anchors(const struct driver_call *call, const struct store_conf *store, str now,
                     const struct anchor_edit *edit, str *ret_text, struct err *err)
{
    str_list environment = { 0 };
    bool add = edit->der.len > 0;
    if (store->derive.count == 0) {
        *ret_text = edited(call->arena, now, edit);
        return true;
    }
    add_path(call, &environment, "RESEAL_CERTIFICATES", source_of(call, store)->certificates);
    if (!print(call, store, &environment, ret_text, err) ||
        !check_lost(call, store, now, *ret_text, edit, err))
        return false;
    return anchors_have(*ret_text, edit->sha256) == add ||
           err_set(err, ERR_CONFLICT, "what makes %.*s/%.*s %s sha256:%.*s",
                   STR_ARG(call->node->name), STR_ARG(store->name),
                   add ? "does not print" : "still prints", STR_ARG(edit->sha256));
}

/* ---- compared ---- */

static bool read_pair(const struct driver_call *call, const struct store_conf *store,
                      const struct identity_files *files, struct store_identity *ret_pair,
                      struct err *err)
{
    AUTO(arena) struct arena secret = { .wipe = true };
    struct store_options options = { .now = clock_now() };
    return material_password(&secret, store, &options.password, err) &&
           store_identity_read(call->arena, str_cstr(call->arena, files->certificate),
                               str_cstr(call->arena, files->key), &options, ret_pair, err);
}

static bool same_chain(const struct store_identity *a, const struct store_identity *b)
{
    bool same = a->chain.count == b->chain.count;
    for (size_t i = 0; same && i < a->chain.count; i++)
        same = str_eq(a->chain.items[i].sha256, b->chain.items[i].sha256);
    return same;
}

bool derived_same_pair(const struct driver_call *call, const struct store_conf *store,
                       const struct identity_files *files, const struct identity_files *source,
                       bool *ret_same, struct err *err)
{
    struct store_identity copy, original;
    str state;
    *ret_same = false;
    if (!file_state(call->arena, files->certificate, &state, err))
        return false;
    if (str_eq(state, S("absent")))
        return true;
    if (!read_pair(call, store, files, &copy, err) ||
        !read_pair(call, source_of(call, store), source, &original, err))
        return false;
    *ret_same =
        same_chain(&copy, &original) && str_eq(copy.key_spki_sha256, original.key_spki_sha256);
    return true;
}

static bool anchors_differ(const struct driver_call *call, const struct store_conf *store,
                           const struct store_conf *source, str *ret_text, struct err *err)
{
    struct arena *arena = call->arena;
    str copy, original;
    if (!read_now(arena, store->certificates, &copy, err) ||
        !io_read(arena, str_cstr(arena, source->certificates), IO_FILE_MAX, &original, err))
        return false;
    str lacks = missing(arena, original, copy, S(""));
    /* A command may put in more. */
    str more = store->derive.count > 0 ? S("") : missing(arena, copy, original, S(""));
    if (lacks.len > 0 || more.len > 0)
        *ret_text = str_printf(arena, "%s sha256:%.16s, which %.*s/%.*s %s",
                               lacks.len > 0 ? "lacks" : "holds",
                               lacks.len > 0 ? lacks.ptr : more.ptr, STR_ARG(call->node->name),
                               STR_ARG(source->name), lacks.len > 0 ? "has" : "does not have");
    return true;
}

bool derived_differs(const struct driver_call *call, const struct store_conf *store, str *ret_text,
                     struct err *err)
{
    const struct store_conf *source = source_of(call, store);
    bool same = true;
    *ret_text = S("");
    if (source == NULL)
        return true;
    if (store->certificate.len == 0)
        return anchors_differ(call, store, source, ret_text, err);
    const struct identity_files copy = { store->certificate, store->key };
    const struct identity_files original = { source->certificate, source->key };
    if (!derived_same_pair(call, store, &copy, &original, &same, err))
        return false;
    if (!same)
        *ret_text =
            str_printf(call->arena, "does not have the certificate and key that %.*s/%.*s has",
                       STR_ARG(call->node->name), STR_ARG(source->name));
    return true;
}
