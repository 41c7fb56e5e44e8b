/* SPDX-License-Identifier: Apache-2.0 */
/* memory.h - configuration files in memory, for the tests beside conf.c and discover.c. */
#ifndef SYSTEM_POSTGRESQL_MEMORY_H
#define SYSTEM_POSTGRESQL_MEMORY_H

#include "system/postgresql/conf.h"

struct memory_file {
    const char *path, *text;
};
struct memory_files {
    const struct memory_file *rows;
    size_t count;
};

static bool memory_read(void *context, struct arena *arena, str path, str *ret_text,
                        struct err *err)
{
    const struct memory_files *files = context;
    for (size_t i = 0; i < files->count; i++)
        if (files->rows[i].path != NULL && str_eq(path, str_c(files->rows[i].path))) {
            *ret_text = str_copy(arena, str_c(files->rows[i].text));
            return true;
        }
    return err_set(err, ERR_SYSTEM, "%.*s: No such file or directory", STR_ARG(path));
}

static bool memory_list(void *context, struct arena *arena, str folder, str_list *ret_names,
                        struct err *err)
{
    const struct memory_files *files = context;
    (void)err;
    for (size_t i = 0; i < files->count; i++) {
        str path = str_c(files->rows[i].path);
        if (str_starts(path, folder) && str_ends(path, S(".conf")) && path.len > folder.len)
            list_push(arena, ret_names) =
                (str){ path.ptr + folder.len + 1, path.len - folder.len - 1 };
    }
    return true;
}

static inline struct pgconf_source memory_source(const struct memory_files *files)
{
    return (struct pgconf_source){ .context = (void *)(uintptr_t)files,
                                   .read = memory_read,
                                   .list = memory_list };
}

#endif
