/* SPDX-License-Identifier: Apache-2.0 */
#include "node/generation.h"

#include "base/io.h"
#include "tests/pki.h"
#include "tests/test.h"

#include <stdlib.h>

TEST(a_new_generation_is_named_beside_the_old_one_whatever_it_is_called)
{
    AUTO(arena) struct arena arena = { 0 };
    static const char *const cases[][2] = {
        {"/tls/server.crt",           "/tls/server.1a2b3c4d.crt"      },
        { "/tls/server.0011aabb.crt", "/tls/server.1a2b3c4d.crt"      },
        { "/tls.d/server",            "/tls.d/server.1a2b3c4d"        },
        { "/tls/.pem",                "/tls/.pem.1a2b3c4d"            },
        { "server.chain.pem",         "server.chain.1a2b3c4d.pem"     },
        { "/a/b.12345678.c/x.key",    "/a/b.12345678.c/x.1a2b3c4d.key"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check_str(generation_name(&arena, str_c(cases[i][0]), S("1a2b3c4d")), str_c(cases[i][1]));
}

static str put(struct arena *arena, str dir, const char *name, str bytes)
{
    AUTO(err) struct err err = { 0 };
    str path = io_join(arena, dir, str_c(name));
    struct io_owner ours = { (uid_t)-1, (gid_t)-1, 0644 };
    check_ok(io_replace(path.ptr, bytes, ours, &err), &err);
    return path;
}

TEST(a_generation_is_a_file_whose_name_says_which_certificate_it_holds)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    char space[] = "/tmp/reseal-generation-XXXXXX";
    test_dir(space);
    str dir = str_copy(&arena, str_c(space));
    struct pki one = pki_make(&arena, &(struct pki_spec){ .name = "one" });
    struct pki two = pki_make(&arena, &(struct pki_spec){ .name = "two" });
    str first = str_printf(&arena, "server.%.8s.crt", one.cert.sha256.ptr);
    str second = str_printf(&arena, "server.%.8s.crt", two.cert.sha256.ptr);
    put(&arena, dir, "server.crt", one.pem);          /* what it all began with */
    put(&arena, dir, "server.00000000.crt", one.pem); /* not what it says */
    put(&arena, dir, "server.notahash.crt", one.pem);
    put(&arena, dir, "other.12345678.crt", one.pem);
    put(&arena, dir, first.ptr, one.pem);
    str path = put(&arena, dir, second.ptr, two.pem);
    generation_list found;
    check_ok(generation_find(&arena, path, &found, &err), &err);
    check_int(found.count, 2);
    size_t at = str_ends(found.items[0].path, first) ? 0 : 1;
    check(str_ends(found.items[at].path, first) && str_ends(found.items[1 - at].path, second));
    check(str_starts(one.cert.sha256, found.items[at].mark));
    check_int(found.items[at].not_before, one.cert.not_before);
}
