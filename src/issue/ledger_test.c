/* SPDX-License-Identifier: Apache-2.0 */
#include "issue/ledger.h"

#include "base/io.h"
#include "tests/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

static void append(const char *path, const struct ledger_entry *entry)
{
    AUTO(err) struct err err = { 0 };
    AUTO(fd) int fd = -1;
    check_ok(ledger_lock(path, &fd, &err), &err);
    check_ok(ledger_append(fd, entry, &err), &err);
}

static struct ledger_entry entry_of(str step, str spki, str certificate, moment not_after)
{
    static str names[] = {
        {"DNS:db\xff",    7 },
        { "IP:127.0.0.1", 12}
    };
    return (struct ledger_entry){
        .time = 1000,
        .step = step,
        .serial = S("0a"),
        .subject = S("CN=\"db1\""),
        .sha256 = S("aa"),
        .spki_sha256 = spki,
        .san = {names, 2, 2},
        .not_before = 700,
        .not_after = not_after,
        .certificate = certificate
    };
}

static void cut_last_line(const char *path, off_t bytes)
{
    struct stat st;
    check(stat(path, &st) == 0 && truncate(path, st.st_size - bytes) == 0);
}

TEST(what_is_appended_is_read_back_and_the_newest_valid_entry_is_found)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    char dir[] = "/tmp/reseal-ledger-XXXXXX";
    check(mkdtemp(dir) != NULL);
    str path = ledger_path(&arena, str_printf(&arena, "%s/ca.pem", dir).ptr);
    struct ledger ledger;
    check_ok(ledger_read(&arena, path.ptr, &ledger, &err), &err);
    check_int(ledger.entries.count, 0);
    /* Every length of padding. */
    const struct ledger_entry entries[] = {
        entry_of(S("step1"), S("key1"), S("abc"), 5000),
        entry_of(S("step1"), S("key1"), S("abcd"), 6000),
        entry_of(S("step2"), S("key1"), S("abcde"), 7000),
    };
    for (size_t i = 0; i < COUNT(entries); i++)
        append(path.ptr, &entries[i]);
    check_ok(ledger_read(&arena, path.ptr, &ledger, &err), &err);
    check_int(ledger.entries.count, 3);
    check_int(ledger.damaged_line, 0);
    for (size_t i = 0; i < COUNT(entries); i++) {
        check_str(ledger.entries.items[i].certificate, entries[i].certificate);
        check_str(ledger.entries.items[i].subject, S("CN=\"db1\""));
        check_int(ledger.entries.items[i].not_before, 700);
        check_int(ledger.entries.items[i].san.count, 2);
        check_str(ledger.entries.items[i].san.items[0], S("DNS:db\xef\xbf\xbd"));
    }
    check(ledger_find(&ledger, S("key1"), S("step1"), 6000) == &ledger.entries.items[1]);
    check(ledger_find(&ledger, S("key1"), S("step1"), 6001) == NULL);
    check(ledger_find(&ledger, S("key1"), S("step3"), 1) == NULL);
    check(ledger_find(&ledger, S("key2"), S("step1"), 1) == NULL);
    struct stat st;
    check(stat(path.ptr, &st) == 0);
    check_int(st.st_mode & 0777, 0600);
    check(unlink(path.ptr) == 0 && rmdir(dir) == 0);
}

TEST(a_line_cut_short_is_reported_and_the_next_one_stands_on_its_own)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    char dir[] = "/tmp/reseal-ledger-XXXXXX";
    check(mkdtemp(dir) != NULL);
    str path = str_printf(&arena, "%s/ledger.jsonl", dir);
    struct ledger_entry entry = entry_of(S("step1"), S("key1"), S("abc"), 5000);
    struct ledger ledger;
    append(path.ptr, &entry);
    append(path.ptr, &entry);
    cut_last_line(path.ptr, 10);
    check_ok(ledger_read(&arena, path.ptr, &ledger, &err), &err);
    check_int(ledger.entries.count, 1);
    check_int(ledger.damaged_line, 2);
    entry.step = S("step2");
    append(path.ptr, &entry);
    check_ok(ledger_read(&arena, path.ptr, &ledger, &err), &err);
    check_int(ledger.entries.count, 2);
    check_int(ledger.damaged, 1);
    check_int(ledger.damaged_line, 2);
    check_str(ledger.entries.items[1].step, S("step2"));
    check(unlink(path.ptr) == 0 && rmdir(dir) == 0);
}

TEST(a_ledger_that_cannot_be_written_is_an_error)
{
    AUTO(err) struct err err = { 0 };
    AUTO(fd) int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    struct ledger_entry entry = entry_of(S("step1"), S("key1"), S("abc"), 5000);
    if (full < 0)
        return;
    check(!ledger_append(full, &entry, &err));
    check_str(str_c(err.msg), S("ledger: write: No space left on device"));
}
