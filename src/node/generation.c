/* SPDX-License-Identifier: Apache-2.0 */
#include "node/generation.h"

#include "base/io.h"
#include "store/store.h"

#include <string.h>

enum { MARK = GENERATION_MARK, CERTIFICATE_MAX = 1024 * 1024 };

/* Where the last dot of the file's name is, or the end: a leading dot begins no ending. */
static size_t ending_of(str path)
{
    for (size_t i = path.len; i > 1 && path.ptr[i - 1] != '/'; i--)
        if (path.ptr[i - 1] == '.' && path.ptr[i - 2] != '/')
            return i - 1;
    return path.len;
}

void generation_parts(str path, str *ret_stem, str *ret_ending)
{
    size_t end = ending_of(path);
    str stem = { path.ptr, end };
    size_t inner = ending_of(stem);
    str earlier = { stem.ptr + inner, stem.len - inner };
    if (earlier.len == MARK + 1 && str_is_hex((str){ earlier.ptr + 1, MARK }, MARK))
        stem.len = inner;
    *ret_stem = stem;
    *ret_ending = (str){ path.ptr + end, path.len - end };
}

str generation_name(struct arena *arena, str path, str mark)
{
    str stem, ending;
    generation_parts(path, &stem, &ending);
    return str_printf(arena, "%.*s.%.*s%.*s", STR_ARG(stem), STR_ARG(mark), STR_ARG(ending));
}

/* The mark in `name`, if it is one of the generations of `plain`. */
static str mark_of(str name, str plain)
{
    str stem, ending;
    generation_parts(plain, &stem, &ending);
    str mark = { name.ptr + stem.len + 1, MARK };
    bool is = name.len == stem.len + 1 + MARK + ending.len && str_starts(name, stem) &&
              str_ends(name, ending) && name.ptr[stem.len] == '.' && str_is_hex(mark, MARK);
    return is ? mark : S("");
}

/* Whether the file holds the certificate that its name says. */
static bool is_ours(struct arena *arena, const struct generation *generation,
                    moment *ret_not_before)
{
    AUTO(err) struct err err = { 0 };
    struct store_options options = { .now = clock_now() };
    struct store store;
    str bytes;
    if (!io_read(arena, str_cstr(arena, generation->path), CERTIFICATE_MAX, &bytes, &err))
        return false;
    store_parse(arena, generation->path, bytes, &options, &store);
    if (store.entries.count == 0 || store.entries.items[0].kind != ENTRY_TRUSTED)
        return false;
    *ret_not_before = store.entries.items[0].cert->not_before;
    return str_starts(store.entries.items[0].cert->sha256, generation->mark);
}

bool generation_find(struct arena *arena, str path, generation_list *ret_list, struct err *err)
{
    str dir = io_dir_of(arena, path);
    str plain = { path.ptr + dir.len + 1, path.len - dir.len - 1 };
    AUTO(dir) DIR *folder = opendir(dir.ptr);
    *ret_list = (generation_list){ 0 };
    if (folder == NULL)
        return err_errno(err, "%s", dir.ptr);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        str name = str_copy(arena, str_c(entry->d_name));
        struct generation generation = { io_join(arena, dir, name), mark_of(name, plain), 0 };
        if (generation.mark.len > 0 && is_ours(arena, &generation, &generation.not_before))
            list_push(arena, ret_list) = generation;
    }
    return true;
}
