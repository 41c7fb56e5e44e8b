/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

enum { BLOCK_BYTES = 16 * 1024, TEMP_LETTERS = 6 };

#define TEMP_MARK ".reseal-"

static ssize_t read_some(int fd, char *into, size_t len)
{
    ssize_t got;
    do
        got = read(fd, into, len);
    while (got < 0 && errno == EINTR);
    return got;
}

static bool read_all(struct arena *arena, int fd, size_t max, char block[BLOCK_BYTES],
                     struct buf *buf, struct err *err)
{
    for (;;) {
        ssize_t got = read_some(fd, block, BLOCK_BYTES);
        if (got < 0)
            return err_errno(err, "read");
        if (got == 0)
            return true;
        if (buf->bytes.count + (size_t)got > max)
            return err_set(err, ERR_FORMAT, "longer than %zu bytes", max);
        buf_add(arena, buf, (str){ block, (size_t)got });
    }
}

bool io_read_fd(struct arena *arena, int fd, size_t max, str *ret_bytes, struct err *err)
{
    struct buf buf = { 0 };
    char block[BLOCK_BYTES];
    bool done = read_all(arena, fd, max, block, &buf, err);
    explicit_bzero(block, sizeof(block));
    if (done)
        *ret_bytes = buf.bytes.count == 0 ? S("") : buf_str(&buf);
    return done;
}

bool io_read(struct arena *arena, const char *path, size_t max, str *ret_bytes, struct err *err)
{
    /* O_NONBLOCK: opening a FIFO that nobody writes to must not hang. */
    AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_errno(err, "%s", path);
    if (S_ISDIR(st.st_mode))
        return err_set(err, ERR_FORMAT, "%s: is a folder", path);
    if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode))
        return err_set(err, ERR_FORMAT, "%s: is not a regular file", path);
    if (!io_read_fd(arena, fd, max, ret_bytes, err))
        return err_wrap(err, "%s", path);
    return true;
}

bool io_write_all(int fd, str bytes, struct err *err)
{
    while (bytes.len > 0) {
        ssize_t put = write(fd, bytes.ptr, bytes.len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return err_errno(err, "write");
        bytes = (str){ bytes.ptr + put, bytes.len - (size_t)put };
    }
    return true;
}

str io_dir_of(struct arena *arena, str path)
{
    size_t len = path.len;
    while (len > 0 && path.ptr[len - 1] != '/')
        len--;
    if (len == 0)
        return S(".");
    return str_copy(arena, (str){ path.ptr, len == 1 ? 1 : len - 1 });
}

str io_join(struct arena *arena, str dir, str relative)
{
    if (str_starts(relative, S("/")) || dir.len == 0 || str_eq(dir, S(".")))
        return str_copy(arena, relative);
    return str_printf(arena, "%.*s%s%.*s", STR_ARG(dir), str_ends(dir, S("/")) ? "" : "/",
                      STR_ARG(relative));
}

bool io_sync_dir_of(const char *path, struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    str dir = io_dir_of(&arena, str_c(path));
    AUTO(fd) int fd = open(dir.ptr, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return err_errno(err, "sync folder %s", dir.ptr);
    return true;
}

static bool fill(int fd, str bytes, struct io_owner owner, struct err *err)
{
    if (!io_write_all(fd, bytes, err))
        return false;
    bool ours = (owner.uid == (uid_t)-1 || owner.uid == geteuid()) &&
                (owner.gid == (gid_t)-1 || owner.gid == getegid());
    if (!ours && fchown(fd, owner.uid, owner.gid) < 0)
        return err_errno(err, "set the owner");
    if (fchmod(fd, owner.mode) < 0)
        return err_errno(err, "set the permissions");
    if (fsync(fd) < 0)
        return err_errno(err, "sync");
    return true;
}

/* A writer has its temporary file locked for as long as it lives: one that can be locked was left
   by a writer that was killed, and may hold a key. */
static void remove_left(const char *target, struct arena *arena)
{
    str folder = io_dir_of(arena, str_c(target));
    str name = str_printf(arena, "%s" TEMP_MARK,
                          strrchr(target, '/') == NULL ? target : strrchr(target, '/') + 1);
    AUTO(dir) DIR *dir = opendir(folder.ptr);
    const struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (!str_starts(str_c(entry->d_name), name) ||
            strlen(entry->d_name) != name.len + TEMP_LETTERS)
            continue;
        AUTO(fd)
        int fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
            unlinkat(dirfd(dir), entry->d_name, 0);
    }
}

/* A file beside the target, locked. Between its creation and our lock it looks left, and another
   writer may have taken it away: then there is nothing to lock, or no name to what is locked. */
static int create_beside(const char *target, struct arena *arena, str *ret_temp)
{
    for (;;) {
        struct stat st;
        *ret_temp = str_printf(arena, "%s" TEMP_MARK "XXXXXX", target);
        AUTO(fd) int fd = mkostemp((char *)(uintptr_t)ret_temp->ptr, O_CLOEXEC);
        if (fd < 0)
            return -1;
        bool taken = flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
        if (taken || fstat(fd, &st) < 0 || st.st_nlink == 0)
            continue;
        int ours = fd;
        fd = -1;
        return ours;
    }
}

bool io_replace(const char *path, str bytes, struct io_owner owner, struct err *err)
{
    return io_replace_when(path, bytes, owner, NULL, NULL, err);
}

bool io_replace_when(const char *path, str bytes, struct io_owner owner,
                     bool (*still)(const char *path, const void *context, struct err *err),
                     const void *context, struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    char real[PATH_MAX];
    /* Renaming over a symbolic link would replace the link and leave its target stale. */
    const char *target = realpath(path, real) != NULL ? real : path;
    str temp;
    remove_left(target, &arena);
    AUTO(fd) int fd = create_beside(target, &arena, &temp);
    if (fd < 0)
        return err_errno(err, "create a file beside %s", target);
    if (!fill(fd, bytes, owner, err) || (still != NULL && !still(target, context, err)) ||
        rename(temp.ptr, target) < 0) {
        if (err->kind == ERR_NONE)
            (void)err_errno(err, "rename");
        unlink(temp.ptr);
        return err_wrap(err, "write %s", target);
    }
    return io_sync_dir_of(target, err);
}

/* A folder that is made is there after a crash, as what is written into it is. */
static bool make_dir(const char *path, mode_t mode, struct err *err)
{
    if (mkdir(path, mode) == 0)
        return io_sync_dir_of(path, err);
    return errno == EEXIST || err_errno(err, "create folder %s", path);
}

bool io_make_dirs(const char *path, mode_t mode, struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    char *part = (char *)(uintptr_t)str_copy(&arena, str_c(path)).ptr;
    for (char *at = part + 1; *at != '\0'; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        if (!make_dir(part, mode, err))
            return false;
        *at = '/';
    }
    return make_dir(path, mode, err);
}
