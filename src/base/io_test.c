/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"

#include "tests/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

/* A folder of our own, removed with everything in it. */
struct folder {
    struct arena arena;
    const char *path;
};

static void folder_open(struct folder *folder)
{
    static char template[] = "/tmp/reseal-io-XXXXXX";
    str copy = str_copy(&folder->arena, str_c(template));
    folder->path = mkdtemp((char *)(uintptr_t)copy.ptr);
    check(folder->path != NULL);
}

static const char *in(struct folder *folder, const char *name)
{
    return str_printf(&folder->arena, "%s/%s", folder->path, name).ptr;
}

static void folder_close(struct folder *folder)
{
    static const char *const names[] = { "file", "link", "pipe", "d/e/f", "d/e", "d" };
    for (size_t i = 0; i < COUNT(names); i++)
        remove(in(folder, names[i]));
    check_int(rmdir(folder->path), 0);
    arena_free(&folder->arena);
}

static const struct io_owner ours = { (uid_t)-1, (gid_t)-1, 0640 };

TEST(a_file_is_replaced_whole_with_its_permissions_and_nothing_is_left_beside_it)
{
    struct folder folder = { 0 };
    AUTO(err) struct err err = { 0 };
    str bytes;
    folder_open(&folder);
    check_ok(io_replace(in(&folder, "file"), S("old"), ours, &err), &err);
    check_ok(io_replace(in(&folder, "file"), S("newer"), ours, &err), &err);
    check_ok(io_read(&folder.arena, in(&folder, "file"), 100, &bytes, &err), &err);
    check_str(bytes, S("newer"));
    struct stat st;
    check_int(stat(in(&folder, "file"), &st), 0);
    check_int(st.st_mode & 07777, 0640);
    folder_close(&folder); /* rmdir fails if a temporary file were left */
}

TEST(replacing_through_a_symbolic_link_keeps_the_link)
{
    struct folder folder = { 0 };
    AUTO(err) struct err err = { 0 };
    str bytes;
    struct stat st;
    folder_open(&folder);
    check_ok(io_replace(in(&folder, "file"), S("old"), ours, &err), &err);
    check_int(symlink(in(&folder, "file"), in(&folder, "link")), 0);
    check_ok(io_replace(in(&folder, "link"), S("new"), ours, &err), &err);
    check_int(lstat(in(&folder, "link"), &st), 0);
    check(S_ISLNK(st.st_mode));
    check_ok(io_read(&folder.arena, in(&folder, "file"), 100, &bytes, &err), &err);
    check_str(bytes, S("new"));
    folder_close(&folder);
}

TEST(folders_devices_long_files_and_missing_ones_are_refused_and_a_silent_pipe_does_not_hang)
{
    struct folder folder = { 0 };
    AUTO(err) struct err err = { 0 };
    str bytes;
    folder_open(&folder);
    check(!io_read(&folder.arena, folder.path, 10, &bytes, &err));
    check(!io_read(&folder.arena, "/dev/zero", 10, &bytes, &err));
    check(!io_read(&folder.arena, in(&folder, "file"), 10, &bytes, &err));
    check_int(err.kind, ERR_SYSTEM);
    check_ok(io_replace(in(&folder, "file"), S("12345678901"), ours, &err), &err);
    check(!io_read(&folder.arena, in(&folder, "file"), 10, &bytes, &err));
    check_int(err.kind, ERR_FORMAT);
    check_int(mkfifo(in(&folder, "pipe"), 0600), 0);
    check(io_read(&folder.arena, in(&folder, "pipe"), 10, &bytes, &err) && bytes.len == 0);
    folder_close(&folder);
}

TEST(folders_are_made_with_their_parents_and_paths_are_taken_apart)
{
    struct folder folder = { 0 };
    AUTO(err) struct err err = { 0 };
    folder_open(&folder);
    check_ok(io_make_dirs(in(&folder, "d/e"), 0700, &err), &err);
    check_ok(io_make_dirs(in(&folder, "d/e"), 0700, &err), &err);
    check_ok(io_replace(in(&folder, "d/e/f"), S(""), ours, &err), &err);
    check_str(io_dir_of(&folder.arena, S("/a/b")), S("/a"));
    check_str(io_dir_of(&folder.arena, S("/a")), S("/"));
    check_str(io_dir_of(&folder.arena, S("a")), S("."));
    check_str(io_join(&folder.arena, S("/a"), S("b")), S("/a/b"));
    check_str(io_join(&folder.arena, S("/a"), S("/b")), S("/b"));
    folder_close(&folder);
}

TEST(what_a_killed_writer_left_is_removed_and_what_a_living_one_has_is_not)
{
    struct folder folder = { 0 };
    AUTO(err) struct err err = { 0 };
    folder_open(&folder);
    const char *dead = in(&folder, "file.reseal-Ab3dEf"),
               *alive = in(&folder, "file.reseal-Gh1jKl");
    const char *other = in(&folder, "file.reseal-notes");
    AUTO(fd) int left = open(dead, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    AUTO(fd) int held = open(alive, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    AUTO(fd) int foreign = open(other, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    check(left >= 0 && held >= 0 && foreign >= 0);
    check_int(flock(held, LOCK_EX | LOCK_NB), 0);
    check_ok(io_replace(in(&folder, "file"), S("new"), ours, &err), &err);
    check_int(access(dead, F_OK), -1);
    check_int(unlink(alive), 0);
    check_int(unlink(other), 0);
    folder_close(&folder);
}
