/* SPDX-License-Identifier: Apache-2.0 */
#include "node/file.h"

#include "tests/folder.h"
#include "tests/test.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* FIPS 180-2, appendix B.1. */
#define ABC_SHA256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

enum { SOMEBODY = 12345 }; /* no user needs that number */

static str state_of(struct folder *folder)
{
    return folder_at(folder, "state");
}

static void snapshot(struct folder *folder, str path)
{
    AUTO(err) struct err err = { 0 };
    str_list paths = { 0 };
    list_push(&folder->arena, &paths) = path;
    check_ok(file_snapshot(state_of(folder), S("a-1"), &paths, NULL, &err), &err);
}

static size_t restore(struct folder *folder)
{
    AUTO(err) struct err err = { 0 };
    size_t count = 0;
    check_ok(file_restore(state_of(folder), S("a-1"), &count, &err), &err);
    return count;
}

static struct file_change change_of(struct folder *folder, str path, str expects)
{
    return (struct file_change){
        .state = state_of(folder), .apply = S("a-1"), .path = path, .expects = expects
    };
}

TEST(a_file_is_known_by_its_digest_and_a_missing_one_is_absent)
{
    AUTO(folder) struct folder folder;
    AUTO(err) struct err err = { 0 };
    folder_open(&folder);
    str state, path = folder_put(&folder, "f", S("abc"), 0644);
    check_ok(file_state(&folder.arena, path, &state, &err), &err);
    check_str(state, S(ABC_SHA256));
    check_ok(file_state(&folder.arena, folder_at(&folder, "none"), &state, &err), &err);
    check_str(state, S("absent"));
    check(!file_state(&folder.arena, folder.path, &state, &err));
}

TEST(a_restore_gives_back_bytes_permissions_owner_and_absence)
{
    AUTO(folder) struct folder folder;
    folder_open(&folder);
    str there = folder_put(&folder, "there", S("old\0bytes"), 0640);
    str absent = folder_at(&folder, "absent");
    if (geteuid() == 0)
        check_int(chown(there.ptr, SOMEBODY, SOMEBODY + 1), 0);
    snapshot(&folder, there);
    snapshot(&folder, absent);
    check_int(unlink(there.ptr), 0);
    folder_put(&folder, "there", S("new"), 0600);
    folder_put(&folder, "absent", S("new"), 0600);
    check_int(restore(&folder), 2);
    check_str(folder_text(&folder, there), S("old\0bytes"));
    check_int(folder_mode(&folder, there), 0640);
    check(!folder_has(&folder, absent));
    struct stat st;
    check_int(stat(there.ptr, &st), 0);
    check_int(st.st_uid, geteuid() == 0 ? SOMEBODY : geteuid());
    check_int(st.st_gid, geteuid() == 0 ? SOMEBODY + 1 : getegid());
}

TEST(a_second_snapshot_never_replaces_the_first)
{
    AUTO(folder) struct folder folder;
    folder_open(&folder);
    str there = folder_put(&folder, "there", S("first"), 0600);
    str absent = folder_at(&folder, "absent");
    snapshot(&folder, there);
    snapshot(&folder, absent);
    folder_put(&folder, "there", S("second"), 0600);
    folder_put(&folder, "absent", S("second"), 0600);
    snapshot(&folder, there);
    snapshot(&folder, absent);
    check_int(restore(&folder), 2);
    check_str(folder_text(&folder, there), S("first"));
    check(!folder_has(&folder, absent));
}

TEST(what_was_saved_can_be_read_by_its_owner_alone)
{
    AUTO(folder) struct folder folder;
    folder_open(&folder);
    snapshot(&folder, folder_put(&folder, "key", S("secret"), 0644));
    str dir = folder_at(&folder, "state/snapshots/a-1");
    check_int(folder_mode(&folder, dir), 0700);
    check_str(folder_text(&folder, folder_at(&folder, "state/snapshots/a-1/0")), S("secret"));
    check_int(folder_mode(&folder, folder_at(&folder, "state/snapshots/a-1/0")), 0600);
    check_int(folder_mode(&folder, folder_at(&folder, "state/snapshots/a-1/manifest.json")), 0600);
}

TEST(a_copy_that_is_not_what_was_saved_is_not_put_back)
{
    AUTO(folder) struct folder folder;
    AUTO(err) struct err err = { 0 };
    folder_open(&folder);
    str path = folder_put(&folder, "f", S("good"), 0600);
    snapshot(&folder, path);
    folder_put(&folder, "f", S("now"), 0600);
    folder_put(&folder, "state/snapshots/a-1/0", S("bad"), 0600);
    size_t count;
    check(!file_restore(state_of(&folder), S("a-1"), &count, &err));
    check_int(err.kind, ERR_FORMAT);
    check_str(folder_text(&folder, path), S("now"));
}

TEST(a_file_without_a_snapshot_is_not_written)
{
    AUTO(folder) struct folder folder;
    AUTO(err) struct err err = { 0 };
    folder_open(&folder);
    str path = folder_put(&folder, "f", S("abc"), 0600);
    struct file_change change = change_of(&folder, path, S(ABC_SHA256));
    check(!file_write(&change, S("new"), &err));
    check_int(err.kind, ERR_REFUSED);
    err_clear(&err);
    snapshot(&folder, folder_at(&folder, "other"));
    check(!file_write(&change, S("new"), &err));
    check_int(err.kind, ERR_REFUSED);
    check_str(folder_text(&folder, path), S("abc"));
}

TEST(a_file_that_is_not_as_expected_is_a_conflict_and_stays)
{
    AUTO(folder) struct folder folder;
    folder_open(&folder);
    str path = folder_put(&folder, "f", S("somebody else's"), 0600);
    str absent = folder_at(&folder, "absent");
    snapshot(&folder, path);
    snapshot(&folder, absent);
    const struct file_change changes[] = { change_of(&folder, path, S(ABC_SHA256)),
                                           change_of(&folder, path, S("absent")),
                                           change_of(&folder, absent, S(ABC_SHA256)) };
    for (size_t i = 0; i < COUNT(changes); i++) {
        AUTO(err) struct err err = { 0 };
        check(!file_write(&changes[i], S("new"), &err));
        check_int(err.kind, ERR_CONFLICT);
    }
    check_str(folder_text(&folder, path), S("somebody else's"));
    check(!folder_has(&folder, absent));
}

TEST(a_write_keeps_owner_and_permissions_and_a_new_file_takes_those_of_the_old_one)
{
    AUTO(folder) struct folder folder;
    AUTO(err) struct err err = { 0 };
    folder_open(&folder);
    str old = folder_put(&folder, "old", S("abc"), 0640);
    str beside = folder_at(&folder, "beside"), alone = folder_at(&folder, "alone");
    if (geteuid() == 0)
        check_int(chown(old.ptr, SOMEBODY, SOMEBODY + 1), 0);
    str all[] = { old, beside, alone };
    for (size_t i = 0; i < COUNT(all); i++)
        snapshot(&folder, all[i]);
    struct file_change change = change_of(&folder, old, S(ABC_SHA256));
    check_ok(file_write(&change, S("new"), &err), &err);
    change = change_of(&folder, beside, S("absent"));
    change.like = old;
    check_ok(file_write(&change, S("new"), &err), &err);
    change = change_of(&folder, alone, S("absent"));
    check_ok(file_write(&change, S("new"), &err), &err);
    for (size_t i = 0; i < COUNT(all); i++) {
        struct stat st;
        check_str(folder_text(&folder, all[i]), S("new"));
        check_int(stat(str_cstr(&folder.arena, all[i]), &st), 0);
        check_int(st.st_mode & 07777, i < 2 ? 0640 : 0600);
        check_int(st.st_uid, i < 2 && geteuid() == 0 ? SOMEBODY : geteuid());
    }
}

TEST(a_snapshot_says_what_it_has)
{
    AUTO(folder) struct folder folder;
    AUTO(err) struct err err = { 0 };
    folder_open(&folder);
    struct arena *arena = &folder.arena;
    str_list paths = { 0 };
    list_push(arena, &paths) = folder_put(&folder, "c", S("abc"), 0600);
    list_push(arena, &paths) = folder_at(&folder, "absent");
    bool all;
    check_ok(file_is_saved(state_of(&folder), S("a-1"), &paths, &all, &err), &err);
    check(!all);
    snapshot(&folder, paths.items[0]);
    check_ok(file_is_saved(state_of(&folder), S("a-1"), &paths, &all, &err), &err);
    check(!all);
    snapshot(&folder, paths.items[1]);
    check_ok(file_is_saved(state_of(&folder), S("a-1"), &paths, &all, &err), &err);
    check(all);
    str bytes;
    folder_put(&folder, "c", S("later"), 0600);
    check_ok(file_saved_bytes(arena, state_of(&folder), S("a-1"), paths.items[0], &bytes, &err),
             &err);
    check_str(bytes, S("abc"));
    check(!file_saved_bytes(arena, state_of(&folder), S("a-1"), paths.items[1], &bytes, &err));
    check_int(err.kind, ERR_REFUSED);
    err_clear(&err);
    check(!file_saved_bytes(arena, state_of(&folder), S("a-2"), paths.items[0], &bytes, &err));
    check_int(err.kind, ERR_REFUSED);
}

TEST(an_identity_is_remembered_as_it_was_first_saved)
{
    AUTO(folder) struct folder folder;
    AUTO(err) struct err err = { 0 };
    folder_open(&folder);
    const struct saved_identity rows[] = {
        {S("postgres"),  S("server"), S("/old.crt"), S("/old.key")},
        { S("postgres"), S("server"), S("/new.crt"), S("/new.key")},
        { S("postgres"), S("client"), S("/c.crt"),   S("")        },
    };
    str_list none = { 0 };
    for (size_t i = 0; i < COUNT(rows); i++)
        check_ok(file_snapshot(state_of(&folder), S("a-1"), &none, &rows[i], &err), &err);
    saved_identity_list saved;
    check_ok(file_saved_identities(&folder.arena, state_of(&folder), S("a-1"), &saved, &err), &err);
    check_int(saved.count, 2);
    check_str(saved.items[0].service, S("postgres"));
    check_str(saved.items[0].certificate, S("/old.crt"));
    check_str(saved.items[0].key, S("/old.key"));
    check_str(saved.items[1].store, S("client"));
    check_str(saved.items[1].key, S(""));
}

TEST(a_snapshot_has_a_plain_name_and_absolute_paths)
{
    static const char *const names[] = {
        "",  "..",  "../a", "a/b",
        "A", "a b", "a.b",  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    };
    AUTO(folder) struct folder folder;
    AUTO(err) struct err err = { 0 };
    folder_open(&folder);
    str_list paths = { 0 };
    for (size_t i = 0; i < COUNT(names); i++) {
        AUTO(err) struct err bad = { 0 };
        check(!file_snapshot(state_of(&folder), str_c(names[i]), &paths, NULL, &bad));
        check_int(bad.kind, ERR_FORMAT);
    }
    check(!folder_has(&folder, state_of(&folder)));
    list_push(&folder.arena, &paths) = S("relative");
    check(!file_snapshot(state_of(&folder), S("a-1"), &paths, NULL, &err));
    check_int(err.kind, ERR_FORMAT);
}
