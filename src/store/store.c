/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include "base/io.h"
#include "store/der.h"
#include "store/findings.h"
#include "store/pem.h"
#include "store/pins.h"

#include <sys/stat.h>

// clang-format off
const struct store_format store_formats[] = {
    { "der", der_sniff, der_read }, /* first: a certificate may contain the text "-----BEGIN " */
    { "pem", pem_sniff, pem_read },
    { "pins", pins_sniff, pins_read },
    { 0 },
};
// clang-format on

struct entry *store_add(struct arena *arena, struct store *store, enum entry_kind kind)
{
    struct entry *entry = &list_push(arena, &store->entries);
    *entry =
        (struct entry){ .kind = kind, .alias = str_printf(arena, "%zu", store->entries.count) };
    return entry;
}

static void key_finding(struct arena *arena, struct store *store, size_t line, const char *text)
{
    str where = line == 0 ? store->path : str_printf(arena, "%.*s:%zu", STR_ARG(store->path), line);
    finding_add(arena, &store->findings, FINDING_keystore_password_wrong, where, str_c(text));
}

void store_add_key(struct arena *arena, struct store *store, enum key_outcome outcome,
                   EVP_PKEY *key, size_t line)
{
    AUTO(err) struct err err = { 0 };
    if (outcome == KEY_MALFORMED)
        return;
    if (outcome == KEY_WRONG_PASSWORD)
        key_finding(arena, store, line, "the password does not open the key");
    if (outcome == KEY_TOO_COSTLY)
        key_finding(arena, store, line, "the key asks for too many rounds of derivation");
    struct entry *entry = store_add(arena, store, ENTRY_KEY);
    entry->line = line;
    entry->encrypted = outcome != KEY_OPEN;
    if (key == NULL || !key_spki_sha256(arena, key, &entry->key_spki_sha256, &err))
        return;
    entry->key_type = str_copy(arena, str_c(EVP_PKEY_get0_type_name(key)));
}

static str unknown_text(str bytes)
{
    if (bytes.len == 0)
        return S("the file is empty");
    if (str_starts(bytes, S("\xFF\xFE")) || str_starts(bytes, S("\xFE\xFF")))
        return S("the file is UTF-16 text, which nobody reads as PEM");
    return S("neither PEM nor DER, from byte 0 on");
}

void store_parse(struct arena *arena, str source, str bytes, const struct store_options *options,
                 struct store *ret_store)
{
    *ret_store = (struct store){ .path = str_copy(arena, source), .format = "unknown" };
    for (const struct store_format *row = store_formats; row->name != NULL; row++) {
        if (!row->sniff(bytes))
            continue;
        ret_store->format = row->name;
        row->read(arena, bytes, options, ret_store);
        store_judge(arena, ret_store, options);
        return;
    }
    finding_add(arena, &ret_store->findings, FINDING_keystore_format, ret_store->path,
                unknown_text(bytes));
}

/* PostgreSQL's rule: others never; the group only to read, and only a key that root owns. */
static void judge_permissions(struct arena *arena, const char *path, struct store *store)
{
    struct stat st;
    bool has_key = false;
    for (size_t i = 0; i < store->entries.count; i++)
        has_key = has_key || store->entries.items[i].kind == ENTRY_KEY;
    if (!has_key || stat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return;
    mode_t refused = S_IRWXO | (st.st_uid == 0 ? S_IWGRP | S_IXGRP : S_IRWXG);
    if ((st.st_mode & refused) == 0)
        return;
    finding_add(arena, &store->findings, FINDING_loose_permissions, store->path,
                str_printf(arena, "the private key has mode %04o", st.st_mode & 07777U));
}

bool store_read(struct arena *arena, const char *path, const struct store_options *options,
                struct store *ret_store, struct err *err)
{
    AUTO(arena) struct arena secret = { .wipe = true }; /* the bytes may hold a key */
    str bytes;
    if (!io_read(&secret, path, IO_FILE_MAX, &bytes, err))
        return false;
    store_parse(arena, str_c(path), bytes, options, ret_store);
    judge_permissions(arena, path, ret_store);
    return true;
}
