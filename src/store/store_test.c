/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_test.h"

#include "base/io.h"
#include "tests/test.h"

#include <stdlib.h>
#include <sys/stat.h>

struct store parsed(struct arena *arena, str bytes, str password)
{
    struct store store;
    struct store_options options = { .password = password,
                                     .now = PKI_NOW,
                                     .renew_before = 30 * PKI_DAY };
    store_parse(arena, S("file"), bytes, &options, &store);
    return store;
}

const struct finding *only_finding(const struct store *store, enum finding_code code)
{
    if (store->findings.count != 1 || store->findings.items[0].code != code)
        fail_msg("%zu findings, the first: %s", store->findings.count,
                 store->findings.count > 0 ? store->findings.items[0].text.ptr : "");
    return &store->findings.items[0];
}

TEST(bytes_of_no_format_are_one_finding_that_says_what_they_look_like)
{
    AUTO(arena) struct arena arena = { 0 };
    // clang-format off
    static const struct {
        str bytes;
        const char *text;
    } cases[] = {
        { { "", 0 }, "the file is empty" },
        { { "\xFF\xFE-\0-\0", 6 }, "the file is UTF-16 text, which nobody reads as PEM" },
        { { "\xFE\xFF\0-\0-", 6 }, "the file is UTF-16 text, which nobody reads as PEM" },
        { { "hello\n", 6 }, "neither PEM nor DER, from byte 0 on" },
    };
    // clang-format on
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct store store = parsed(&arena, cases[i].bytes, (str){ 0 });
        assert_string_equal(store.format, "unknown");
        check_str(only_finding(&store, FINDING_keystore_format)->text, str_c(cases[i].text));
        check_int(store.entries.count, 0);
    }
}

TEST(a_key_file_is_loose_when_postgresql_would_refuse_it)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1" });
    char dir[] = "/tmp/reseal-store-XXXXXX";
    check(mkdtemp(dir) != NULL);
    const char *path = str_printf(&arena, "%s/key.pem", dir).ptr;
    // clang-format off
    static const struct {
        mode_t mode;
        bool root_may, others_may;
    } cases[] = {
        { 0600, true, true },  { 0400, true, true },   { 0640, true, false },
        { 0440, true, false }, { 0660, false, false }, { 0650, false, false },
        { 0604, false, false }, { 0601, false, false }, { 0644, false, false },
    };
    // clang-format on
    struct store_options options = { .now = PKI_NOW };
    bool root = geteuid() == 0;
    for (size_t i = 0; i < COUNT(cases) * 2; i++) {
        bool by_root = i % 2 == 0;
        if (by_root && !root)
            continue;
        uid_t uid = by_root ? 0 : root ? 65534 : geteuid();
        struct io_owner owner = { uid, (gid_t)-1, cases[i / 2].mode };
        struct store store;
        check_ok(io_replace(path, leaf.key_pem, owner, &err), &err);
        check_ok(store_read(&arena, path, &options, &store, &err), &err);
        bool fine = by_root ? cases[i / 2].root_may : cases[i / 2].others_may;
        if (fine)
            check_int(store.findings.count, 0);
        else
            check_str(
                only_finding(&store, FINDING_loose_permissions)->text,
                str_printf(&arena, "the private key has mode %04o", (unsigned)cases[i / 2].mode));
    }
    struct io_owner open_to_all = { (uid_t)-1, (gid_t)-1, 0666 };
    struct store store;
    check_ok(io_replace(path, leaf.pem, open_to_all, &err), &err);
    check_ok(store_read(&arena, path, &options, &store, &err), &err);
    check_int(store.findings.count, 0); /* a certificate is for everyone */
    check(unlink(path) == 0 && rmdir(dir) == 0);
    check(!store_read(&arena, path, &options, &store, &err));
}
