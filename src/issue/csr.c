/* SPDX-License-Identifier: Apache-2.0 */
#include "issue/csr.h"

#include "base/emit.h"
#include "base/io.h"
#include "base/sink.h"
#include "x509/auto.h"
#include "x509/profile.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <unistd.h>

enum { RECORD_MAX = 256 * 1024, STEP_DIGITS = 16, MARK_DIGITS = 8 };

DEFINE_AUTO(json, json_t *, json_decref(*handle))

static const struct io_owner for_all = { (uid_t)-1, (gid_t)-1, 0644 };
static const char record_ending[] = ".json";

str csr_path(struct arena *arena, const char *directory, const struct csr *csr, const char *ending)
{
    return str_printf(arena, "%s/%.*s%s", directory, STR_ARG(csr->name), ending);
}

/* ---- what is asked for ---- */

static X509_REQ *decode(str der)
{
    const unsigned char *at = (const unsigned char *)der.ptr, *end = at + der.len;
    AUTO(X509_REQ) X509_REQ *request = d2i_X509_REQ(NULL, &at, (long)der.len);
    ERR_clear_error();
    return request != NULL && at == end ? TAKE(request) : NULL;
}

bool csr_parse(struct arena *arena, str der, const struct cert *replaced, struct csr *ret_csr,
               struct err *err)
{
    AUTO(X509_REQ) X509_REQ *request = decode(der);
    EVP_PKEY *key = request == NULL ? NULL : X509_REQ_get0_pubkey(request);
    bool signed_by_it = key != NULL && X509_REQ_verify(request, key) == 1;
    struct csr csr = { .subject = replaced->subject,
                       .common_name = replaced->common_name,
                       .san = replaced->san,
                       .extended_key_usage = replaced->extended_key_usage };
    ERR_clear_error();
    if (!signed_by_it)
        return err_set(err, ERR_FORMAT, "the request is not signed by its own key");
    if (!key_spki_sha256(arena, key, &csr.spki_sha256, err))
        return false;
    csr.key = str_printf(arena, "%s %d", EVP_PKEY_get0_type_name(key), EVP_PKEY_get_bits(key));
    csr.key_usages = profile_key_usages(arena, replaced);
    *ret_csr = csr;
    return true;
}

/* Names of nodes and stores may hold anything but a slash; those of files are kept plain. The
   step's digits tell apart what that makes equal. */
static str name_of(struct arena *arena, const struct csr *csr)
{
    str name = str_printf(arena, "%.*s-%.*s-%.*s", STR_ARG(csr->node), STR_ARG(csr->store),
                          MARK_DIGITS, csr->step.ptr);
    char *at = (char *)(uintptr_t)name.ptr;
    for (size_t i = 0; i < name.len; i++)
        if (!isalnum((unsigned char)at[i]) && (at[i] != '.' || i == 0) && at[i] != '-')
            at[i] = '_';
    return name;
}

/* ---- the record ---- */

static bool write_record(const char *path, const struct csr *csr, struct err *err)
{
    AUTO(sink) struct sink sink = { 0 };
    if (!sink_open(&sink, err))
        return false;
    struct emit emit = { .out = sink.file };
    emit_object(&emit, NULL);
    emit_str(&emit, "cluster", csr->cluster);
    emit_str(&emit, "node", csr->node);
    emit_str(&emit, "store", csr->store);
    emit_str(&emit, "step", csr->step);
    emit_moment(&emit, "since", csr->since);
    emit_str(&emit, "subject", csr->subject);
    emit_str(&emit, "common_name", csr->common_name);
    emit_list(&emit, "san", &csr->san);
    emit_list(&emit, "key_usage", &csr->key_usages);
    emit_list(&emit, "extended_key_usage", &csr->extended_key_usage);
    emit_str(&emit, "key", csr->key);
    emit_str(&emit, "spki_sha256", csr->spki_sha256);
    emit_object_end(&emit);
    emit_end(&emit);
    return io_replace(path, sink_text(&sink), for_all, err);
}

static bool text_of(struct arena *arena, const json_t *object, const char *name, str *ret_text)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_string(value))
        return false;
    *ret_text = str_copy(arena, (str){ json_string_value(value), json_string_length(value) });
    return true;
}

static bool texts_of(struct arena *arena, const json_t *object, const char *name,
                     str_list *ret_texts)
{
    const json_t *array = json_object_get(object, name);
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *value = json_array_get(array, i);
        if (!json_is_string(value))
            return false;
        list_push(arena, ret_texts) =
            str_copy(arena, (str){ json_string_value(value), json_string_length(value) });
    }
    return json_is_array(array);
}

static bool parse_record(struct arena *arena, str text, struct csr *csr)
{
    AUTO(json) json_t *object = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    str since;
    return text_of(arena, object, "cluster", &csr->cluster) &&
           text_of(arena, object, "node", &csr->node) &&
           text_of(arena, object, "store", &csr->store) &&
           text_of(arena, object, "step", &csr->step) && str_is_hex(csr->step, STEP_DIGITS) &&
           text_of(arena, object, "since", &since) && clock_parse(since, &csr->since) &&
           text_of(arena, object, "subject", &csr->subject) &&
           text_of(arena, object, "common_name", &csr->common_name) &&
           texts_of(arena, object, "san", &csr->san) &&
           texts_of(arena, object, "key_usage", &csr->key_usages) &&
           texts_of(arena, object, "extended_key_usage", &csr->extended_key_usage) &&
           text_of(arena, object, "key", &csr->key) &&
           text_of(arena, object, "spki_sha256", &csr->spki_sha256);
}

static int by_time(const void *a, const void *b)
{
    const struct csr *left = a, *right = b;
    if (left->since != right->since)
        return left->since < right->since ? -1 : 1;
    return str_cmp(left->name, right->name);
}

static bool read_one(struct arena *arena, const char *directory, const char *file, str cluster,
                     csr_list *list, struct err *err)
{
    str text, path = str_printf(arena, "%s/%s", directory, file);
    struct csr csr = { .name = str_copy(arena, str_c(file)) };
    csr.name.len -= sizeof(record_ending) - 1;
    if (!io_read(arena, path.ptr, RECORD_MAX, &text, err))
        return false;
    if (!parse_record(arena, text, &csr))
        return err_set(err, ERR_FORMAT, "%s is not the record of a request", path.ptr);
    if (cluster.len == 0 || str_eq(csr.cluster, cluster))
        list_push(arena, list) = csr;
    return true;
}

bool csr_read(struct arena *arena, const char *directory, str cluster, csr_list *ret_list,
              struct err *err)
{
    AUTO(dir) DIR *dir = opendir(directory);
    *ret_list = (csr_list){ 0 };
    if (dir == NULL)
        return errno == ENOENT || err_errno(err, "%s", directory);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        str file = str_c(entry->d_name);
        bool record = str_ends(file, str_c(record_ending)) && file.ptr[0] != '.';
        if (record && !read_one(arena, directory, entry->d_name, cluster, ret_list, err))
            return false;
    }
    if (ret_list->count > 1)
        qsort(ret_list->items, ret_list->count, sizeof(struct csr), by_time);
    return true;
}

/* ---- its files ---- */

static str joined(struct arena *arena, const str_list *list)
{
    struct buf text = { 0 };
    buf_add(arena, &text, S(""));
    for (size_t i = 0; i < list->count; i++)
        buf_printf(arena, &text, "%s%.*s", i == 0 ? "" : ", ", STR_ARG(list->items[i]));
    return list->count == 0 ? S("any") : buf_str(&text);
}

static str for_people(struct arena *arena, const struct csr *csr, str authority)
{
    struct buf text = { 0 };
    const struct {
        const char *name;
        str value;
    } rows[] = {
        {"for",                str_printf(arena,    "%.*s/%.*s", STR_ARG(csr->node), STR_ARG(csr->store)) },
        { "request",  str_printf(arena, "%.*s.csr", STR_ARG(csr->name)) },
        { "subject",           csr->subject            },
        { "names", joined(arena,                   &csr->san) },
        { "key",csr->key    },
        { "key usage",        joined(arena,&csr->key_usages) },
        { "extended key usage",               joined(arena,                             &csr->extended_key_usage) },
        { "public key SHA-256",         csr->spki_sha256        },
        { "signed by",                   authority                 },
    };
    buf_add(arena, &text, S("A certificate is asked for.\n\n"));
    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].value.len > 0)
            buf_printf(arena, &text, "%-20s%.*s\n", rows[i].name, STR_ARG(rows[i].value));
    buf_printf(arena, &text,
               "\nSend the request to the authority. Its key stays where it was made.\n"
               "What comes back, certificate and chain in PEM or DER, goes beside this file:\n\n"
               "    %.*s.crt\n\n"
               "or is brought there, whatever its name, by\n\n"
               "    reseal issuer deliver FILE...\n\n"
               "and when all have come, this goes on:\n\n"
               "    reseal renew\n",
               STR_ARG(csr->name));
    return buf_str(&text);
}

static str pem_of(struct arena *arena, str der)
{
    AUTO(BIO) BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    PEM_write_bio(bio, PEM_STRING_X509_REQ, "", (const unsigned char *)der.ptr, (long)der.len);
    long len = BIO_get_mem_data(bio, &text);
    return str_copy(arena, (str){ text, (size_t)len });
}

/* Whether everything of it is there, for its key. */
static bool is_there(struct arena *arena, const char *directory, const struct csr *csr,
                     const csr_list *list, struct csr *ret_kept)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct csr *old = &list->items[i];
        if (!str_eq(old->name, csr->name) || !str_eq(old->step, csr->step) ||
            !str_eq(old->spki_sha256, csr->spki_sha256) ||
            access(csr_path(arena, directory, old, ".csr").ptr, F_OK) < 0)
            continue;
        *ret_kept = *old;
        return true;
    }
    return false;
}

bool csr_prepare(const char *directory, struct err *err)
{
    if (!io_make_dirs(directory, 0755, err))
        return false;
    return access(directory, W_OK) == 0 || err_errno(err, "%s cannot be written to", directory);
}

bool csr_keep(struct arena *arena, const char *directory, const struct csr *csr, str der,
              str authority, struct csr *ret_kept, struct err *err)
{
    csr_list list;
    struct csr made = *csr;
    made.name = name_of(arena, csr);
    if (!csr_read(arena, directory, csr->cluster, &list, err))
        return false;
    if (is_there(arena, directory, &made, &list, ret_kept))
        return true;
    *ret_kept = made;
    return csr_prepare(directory, err) &&
           io_replace(csr_path(arena, directory, &made, ".csr").ptr, pem_of(arena, der), for_all,
                      err) &&
           io_replace(csr_path(arena, directory, &made, ".txt").ptr,
                      for_people(arena, &made, authority), for_all, err) &&
           write_record(csr_path(arena, directory, &made, record_ending).ptr, &made, err);
}

/* The record goes last: as long as it is there, there is something to put away. */
bool csr_retire(const char *directory, const struct csr *csr, struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    static const char *const endings[] = { ".csr", ".txt", ".crt", record_ending };
    str old = str_printf(&arena, "%s/old", directory);
    if (!io_make_dirs(old.ptr, 0755, err))
        return false;
    for (size_t i = 0; i < COUNT(endings); i++) {
        str from = csr_path(&arena, directory, csr, endings[i]);
        str to = csr_path(&arena, old.ptr, csr, endings[i]);
        if (rename(from.ptr, to.ptr) < 0 && errno != ENOENT)
            return err_errno(err, "put away %s", from.ptr);
    }
    return io_sync_dir_of(csr_path(&arena, old.ptr, csr, "").ptr, err) &&
           io_sync_dir_of(csr_path(&arena, directory, csr, "").ptr, err);
}
