/* SPDX-License-Identifier: Apache-2.0 */
#include "x509/name.h"

#include "tests/test.h"

TEST(a_star_stands_for_exactly_one_whole_label)
{
    static const struct {
        bool want;
        const char *pattern, *host;
    } cases[] = {
        {true,   "db1.example", "DB1.Example"     },
        { true,  "*.example",   "db1.example"     },
        { true,  "*.EXAMPLE",   "db1.example"     },
        { false, "*.example",   "a.db1.example"   },
        { false, "*.example",   "example"         },
        { false, "*.example",   ".example"        },
        { false, "d*.example",  "db1.example"     },
        { false, "*",           "db1"             },
        { false, "*.",          "db1."            },
        { false, "",            ""                },
        { false, "db1.example", "db1.example.evil"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        if (name_matches(str_c(cases[i].pattern), str_c(cases[i].host)) != cases[i].want)
            fail_msg("%s against %s", cases[i].pattern, cases[i].host);
    check(!name_matches(S("db1\0evil"), S("db1\0evil")));
}

TEST(an_ip_address_has_one_spelling)
{
    char space[NAME_IP_MAX];
    check_str(name_ip(space, S("::0:1")), S("::1"));
    check_str(name_ip(space, S("127.0.0.1")), S("127.0.0.1"));
    check_str(name_ip(space, S("127.1")), S(""));
    check_str(name_ip(space, S("db1")), S(""));
    check_str(name_ip(space, S("")), S(""));
}
