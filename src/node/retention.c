/* SPDX-License-Identifier: Apache-2.0 */
#include "node/retention.h"

#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* Zeros over a file before its name goes: on most file systems that reaches the old blocks. */
void retention_wipe_file(const char *path)
{
    static const char zeros[4096];
    struct stat st;
    AUTO(fd) int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        for (off_t at = 0; at < st.st_size; at += (off_t)sizeof(zeros))
            if (pwrite(fd, zeros, sizeof(zeros), at) < 0)
                break;
        (void)fsync(fd);
    }
    (void)unlink(path);
}

static bool list(struct arena *arena, str dir, str_list *ret_names, struct err *err)
{
    AUTO(dir) DIR *folder = opendir(dir.ptr);
    *ret_names = (str_list){ 0 };
    if (folder == NULL)
        return errno == ENOENT || err_errno(err, "%s", dir.ptr);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            list_push(arena, ret_names) = str_copy(arena, str_c(entry->d_name));
    return true;
}

static bool is_older(const char *path, moment before)
{
    struct stat st;
    return lstat(path, &st) == 0 && st.st_mtim.tv_sec < before;
}

static bool wipe_snapshot(struct arena *arena, str dir, struct err *err)
{
    str_list files;
    if (!list(arena, dir, &files, err))
        return false;
    for (size_t i = 0; i < files.count; i++)
        retention_wipe_file(io_join(arena, dir, files.items[i]).ptr);
    (void)rmdir(dir.ptr);
    return true;
}

bool retention_wipe(str state, str apply, moment before, size_t *ret_wiped, struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    str snapshots = io_join(&arena, state, S("snapshots"));
    str pending = io_join(&arena, state, S("pending"));
    str_list names;
    *ret_wiped = 0;
    if (!list(&arena, snapshots, &names, err))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        str dir = io_join(&arena, snapshots, names.items[i]);
        if (str_eq(names.items[i], apply) || !is_older(dir.ptr, before))
            continue;
        if (!wipe_snapshot(&arena, dir, err))
            return false;
        ++*ret_wiped;
    }
    if (!list(&arena, pending, &names, err))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        str path = io_join(&arena, pending, names.items[i]);
        if (!is_older(path.ptr, before))
            continue;
        retention_wipe_file(path.ptr);
        ++*ret_wiped;
    }
    return true;
}
