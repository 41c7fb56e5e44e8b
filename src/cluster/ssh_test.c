/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/ssh.h"

#include "tests/test.h"

TEST(an_address_is_a_host_with_or_without_user_and_port)
{
    static const struct {
        const char *text, *user, *host;
        uint16_t port;
    } good[] = {
        {"ssh://db1",                        "",         "db1",          0    },
        { "ssh://root@db1",                  "root",     "db1",          0    },
        { "ssh://root@127.0.0.1:2222",       "root",     "127.0.0.1",    2222 },
        { "ssh://svc_db-1@a.b-c_d:1",        "svc_db-1", "a.b-c_d",      1    },
        { "ssh://[::1]",                     "",         "::1",          0    },
        { "ssh://root@[fe80::1%eth0]:65535", "root",     "fe80::1%eth0", 65535},
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        struct ssh_address address;
        if (!ssh_address_parse(str_c(good[i].text), &address))
            fail_msg("%s", good[i].text);
        check_str(address.user, str_c(good[i].user));
        check_str(address.host, str_c(good[i].host));
        check_int(address.port, good[i].port);
    }
}

TEST(what_ssh_would_take_for_something_else_is_no_address)
{
    static const char *const bad[] = {
        "",
        "local",
        "db1",
        "ssh:db1",
        "ssh://",
        "ssh://@db1",
        "ssh://root@",
        "ssh://db1:",
        "ssh://db1:0",
        "ssh://db1:65536",
        "ssh://db1:x",
        "ssh://-oProxyCommand=x",
        "ssh://-l@db1",
        "ssh://root@-db1",
        "ssh://a b",
        "ssh://db1/srv",
        "ssh://[::1",
        "ssh://[]",
        "ssh://::1",
        "ssh://[::1]22",
        "ssh://a@b@c",
        "ssh://$(id)@db1",
        "ssh://%h",
        "SSH://db1",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct ssh_address address;
        if (ssh_address_parse(str_c(bad[i]), &address))
            fail_msg("%s", bad[i]);
    }
}

TEST(a_place_over_there_is_an_address_and_a_path)
{
    str reach, path;
    check(ssh_split(S("ssh://root@db1:22/srv/a b"), &reach, &path));
    check_str(reach, S("ssh://root@db1:22"));
    check_str(path, S("/srv/a b"));
    check(!ssh_split(S("ssh://db1"), &reach, &path));
    check(!ssh_split(S("ssh://db1/"), &reach, &path));
    check(!ssh_split(S("/srv/db"), &reach, &path));
}
