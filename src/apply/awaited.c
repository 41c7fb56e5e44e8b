/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/awaited.h"

#include "apply/hold.h"

#include <unistd.h>

bool awaited_any(const struct cluster *cluster)
{
    return str_eq(cluster->issuer.kind, S("csr"));
}

static void look_at(struct arena *arena, const char *directory, const csr_list *all,
                    const struct delivery_terms *terms, struct awaited *awaited)
{
    AUTO(err) struct err err = { 0 };
    struct delivered delivered;
    cert_list certs;
    str path = csr_path(arena, directory, &awaited->csr, ".crt");
    awaited->here = access(path.ptr, F_OK) == 0;
    if (!awaited->here)
        return;
    if (!delivered_read(arena, path.ptr, &certs, &err)) {
        awaited->problem = str_copy(arena, str_c(err.msg));
        return;
    }
    const struct cert *leaf = delivered_leaf(&awaited->csr, &certs);
    if (delivered_match(arena, &awaited->csr, all, &certs, terms, &delivered, &err)) {
        awaited->sent = delivered.chain;
        awaited->pem = delivered.pem;
        return;
    }
    awaited->problem = str_printf(arena, "%.*s: %s", STR_ARG(path), err.msg);
    if (leaf != NULL)
        list_push(arena, &awaited->sent) = *leaf;
}

bool awaited_read(struct arena *arena, const struct cluster *cluster,
                  const struct delivery_terms *terms, awaited_list *ret_list, struct err *err)
{
    csr_list all;
    *ret_list = (awaited_list){ 0 };
    if (!awaited_any(cluster))
        return true;
    const char *directory = str_cstr(arena, cluster->issuer.directory);
    if (!csr_read(arena, directory, hold_cluster_id(arena, cluster), &all, err))
        return false;
    for (size_t i = 0; i < all.count; i++) {
        struct awaited *awaited = &list_push(arena, ret_list);
        *awaited = (struct awaited){ .csr = all.items[i] };
        look_at(arena, directory, &all, terms, awaited);
    }
    return true;
}

static bool presents(const struct model *model, const struct identity *identity, str sha256)
{
    size_t count = 0;
    const uint32_t *members = identity->stored == NO_ID
                                  ? NULL
                                  : model_members(model->chains.items[identity->stored], &count);
    return count > 0 && str_eq(model->certs.items[members[0]].sha256, sha256);
}

void awaited_look(awaited_list *list, const struct model *model)
{
    for (size_t i = 0; i < list->count; i++) {
        struct awaited *awaited = &list->items[i];
        for (size_t k = 0; k < model->identities.count && awaited->sent.count > 0; k++) {
            const struct identity *identity = &model->identities.items[k];
            if (str_eq(identity->node, awaited->csr.node) &&
                str_eq(identity->store, awaited->csr.store) &&
                presents(model, identity, awaited->sent.items[0].sha256))
                awaited->used = true;
        }
        if (awaited->used)
            awaited->problem = S("");
    }
}

bool awaited_check(struct arena *arena, const awaited_list *list, struct err *err)
{
    struct buf text = { 0 };
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].problem.len > 0)
            buf_printf(arena, &text, "%s%.*s", count++ == 0 ? "" : "\n  ",
                       STR_ARG(list->items[i].problem));
    if (count == 0)
        return true;
    return err_set(err, ERR_REFUSED, "%s", buf_str(&text).ptr);
}

const struct awaited *awaited_find(const awaited_list *list, str step)
{
    for (size_t i = 0; i < list->count; i++)
        if (str_eq(list->items[i].csr.step, step))
            return &list->items[i];
    return NULL;
}
