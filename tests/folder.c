/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/folder.h"

#include "base/io.h"
#include "tests/test.h"

#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void folder_open(struct folder *folder)
{
    char dir[] = "/tmp/reseal-unit-XXXXXX";
    check(mkdtemp(dir) != NULL);
    check_int(chmod(dir, 0755), 0);
    *folder = (struct folder){ 0 };
    folder->path = str_copy(&folder->arena, str_c(dir));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

void folder_close(struct folder *folder)
{
    check_int(nftw(folder->path.ptr, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
    arena_free(&folder->arena);
}

str folder_at(struct folder *folder, const char *name)
{
    return str_printf(&folder->arena, "%.*s/%s", STR_ARG(folder->path), name);
}

str folder_put(struct folder *folder, const char *name, str bytes, mode_t mode)
{
    AUTO(err) struct err err = { 0 };
    str path = folder_at(folder, name);
    check_ok(io_make_dirs(io_dir_of(&folder->arena, path).ptr, 0755, &err), &err);
    FILE *file = fopen(path.ptr, "we");
    check(file != NULL);
    check_int(fwrite(bytes.ptr, 1, bytes.len, file), bytes.len);
    check_int(fclose(file), 0);
    check_int(chmod(path.ptr, mode), 0);
    return path;
}

str folder_text(struct folder *folder, str path)
{
    AUTO(err) struct err err = { 0 };
    str bytes;
    check_ok(io_read(&folder->arena, str_cstr(&folder->arena, path), IO_FILE_MAX, &bytes, &err),
             &err);
    return bytes;
}

mode_t folder_mode(struct folder *folder, str path)
{
    struct stat st;
    check_int(stat(str_cstr(&folder->arena, path), &st), 0);
    return st.st_mode & 07777;
}

bool folder_has(struct folder *folder, str path)
{
    return access(str_cstr(&folder->arena, path), F_OK) == 0;
}
