/* SPDX-License-Identifier: Apache-2.0 */
#include "system/postgresql/files.h"

#include "base/io.h"

#include <stdlib.h>

enum { CONF_MAX = 1024 * 1024 };

static bool read_file(void *context, struct arena *arena, str path, str *ret_text, struct err *err)
{
    (void)context;
    return io_read(arena, str_cstr(arena, path), CONF_MAX, ret_text, err);
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(*(const str *)a, *(const str *)b);
}

/* 20.1.5: names that end in .conf and do not start with a dot, in the order of the C locale. */
static bool list_folder(void *context, struct arena *arena, str folder, str_list *ret_names,
                        struct err *err)
{
    (void)context;
    AUTO(dir) DIR *dir = opendir(str_cstr(arena, folder));
    if (dir == NULL)
        return err_errno(err, "%.*s", STR_ARG(folder));
    str_list names = { 0 };
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        str name = str_c(entry->d_name);
        if (!str_starts(name, S(".")) && str_ends(name, S(".conf")))
            list_push(arena, &names) = str_copy(arena, name);
    }
    if (names.count > 0)
        qsort(names.items, names.count, sizeof(*names.items), by_name);
    *ret_names = names;
    return true;
}

const struct pgconf_source pgconf_files = { .read = read_file, .list = list_folder };
