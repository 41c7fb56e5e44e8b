/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/endpoint.h"

#include "tests/test.h"

TEST(an_endpoint_is_a_host_and_a_port_and_a_file_name_is_not)
{
    // clang-format off
    static const struct { const char *text, *host; uint16_t port; } cases[] = {
        { "db1:5432",      "db1",       5432 },
        { "127.0.0.1:443", "127.0.0.1", 443 },
        { "[::1]:65535",   "::1",       65535 },
        { "db1",           NULL,        0 },
        { "db1:",          NULL,        0 },
        { ":443",          NULL,        0 },
        { "[]:443",        NULL,        0 },
        { "::1:443",       NULL,        0 },
        { "db1:0",         NULL,        0 },
        { "db1:65536",     NULL,        0 },
        { "/tmp/a:1",      NULL,        0 },
    };
    // clang-format on
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct endpoint endpoint = { 0 };
        bool ok = endpoint_parse(str_c(cases[i].text), &endpoint);
        check_int(ok, cases[i].host != NULL);
        if (ok) {
            check_str(endpoint.host, str_c(cases[i].host));
            check_int(endpoint.port, cases[i].port);
        }
    }
}

TEST(a_port_with_tls_inside_its_protocol_is_spoken_to_in_that_protocol)
{
    assert_string_equal(endpoint_protocol(5432), "postgresql");
    assert_string_equal(endpoint_protocol(587), "smtp");
    assert_string_equal(endpoint_protocol(389), "ldap");
    assert_string_equal(endpoint_protocol(3306), "mysql");
    assert_string_equal(endpoint_protocol(636), "tls");
    assert_string_equal(endpoint_protocol(443), "tls");
}
