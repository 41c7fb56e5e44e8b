/* SPDX-License-Identifier: Apache-2.0 */
#include "node/retention.h"

#include "base/io.h"
#include "tests/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

static const moment now = 1795478400;

static str make(struct arena *arena, str state, const char *name, moment at)
{
    AUTO(err) struct err err = { 0 };
    str path = io_join(arena, state, str_c(name));
    struct io_owner ours = { (uid_t)-1, (gid_t)-1, 0600 };
    check_ok(io_make_dirs(io_dir_of(arena, path).ptr, 0700, &err), &err);
    check_ok(io_replace(path.ptr, S("a key"), ours, &err), &err);
    struct timespec times[] = { { .tv_sec = at }, { .tv_sec = at } };
    check_int(utimensat(AT_FDCWD, path.ptr, times, 0), 0);
    check_int(utimensat(AT_FDCWD, io_dir_of(arena, path).ptr, times, 0), 0);
    return path;
}

static bool there(str path)
{
    return access(path.ptr, F_OK) == 0;
}

TEST(what_is_past_its_time_is_wiped_and_the_apply_at_hand_is_not)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    char dir[] = "/tmp/reseal-retention-XXXXXX";
    test_dir(dir);
    str state = str_copy(&arena, str_c(dir));
    size_t wiped;
    check_ok(retention_wipe(state, S("aa"), now, &wiped, &err), &err); /* nothing there yet */
    check_int(wiped, 0);
    str old = make(&arena, state, "snapshots/0a/0", now - 100);
    str mine = make(&arena, state, "snapshots/aa/0", now - 100);
    str fresh = make(&arena, state, "snapshots/bb/0", now + 100);
    str key = make(&arena, state, "pending/0123456789abcdef.key", now - 100);
    str young = make(&arena, state, "pending/fedcba9876543210.key", now + 100);
    str target = make(&arena, state, "elsewhere/kept", now - 100);
    str link = io_join(&arena, state, S("snapshots/0a/1"));
    check_int(symlink(target.ptr, link.ptr), 0);
    struct timespec times[] = { { .tv_sec = now - 100 }, { .tv_sec = now - 100 } };
    check_int(utimensat(AT_FDCWD, io_dir_of(&arena, old).ptr, times, 0), 0);
    check_ok(retention_wipe(state, S("aa"), now, &wiped, &err), &err);
    check_int(wiped, 2);
    check(!there(old) && !there(key));
    check(there(mine) && there(fresh) && there(young));
    str bytes;
    check_ok(io_read(&arena, target.ptr, 64, &bytes, &err), &err);
    check_str(bytes, S("a key")); /* a link is removed and not followed */
}
