/* SPDX-License-Identifier: Apache-2.0 */
#include "node/generation.h"

#include "tests/test.h"

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
