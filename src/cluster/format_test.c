/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/cluster.h"

#include "tests/test.h"

static struct cluster parsed(struct arena *arena, str text)
{
    AUTO(err) struct err err = { 0 };
    struct cluster cluster;
    check_ok(cluster_parse(arena, "/x/c.yaml", text, false, &cluster, &err), &err);
    return cluster;
}

TEST(a_cluster_is_written_as_the_file_that_it_was_read_from)
{
    static const char text[] = "cluster: no\n"
                               "id: 6f1c\n"
                               "issuer:\n"
                               "  certificate: ca.crt\n"
                               "  key: /other/ca.key\n"
                               "  passphrase:\n"
                               "    command: [pass, show, \"a b\"]\n"
                               "policy:\n"
                               "  renew_before: 36h\n"
                               "  lifetime: 60d\n"
                               "  max_unavailable: 0\n"
                               "nodes:\n"
                               "  db1:\n"
                               "    system: postgresql\n"
                               "    port: 5441\n"
                               "    stores:\n"
                               "      server:\n"
                               "        certificate: tls/a.crt\n"
                               "        password:\n"
                               "          descriptor: 0\n"
                               "      empty: {}\n"
                               "    services:\n"
                               "      pg:\n"
                               "        listen: \"127.0.0.1:5441\"\n"
                               "        identities:\n"
                               "        - store: server\n"
                               "          sni: a.b\n"
                               "        - store: empty\n"
                               "        load:\n"
                               "          trust: reload\n"
                               "links:\n"
                               "- from: db1/pg\n"
                               "  to: db1/pg\n"
                               "  verify: full\n"
                               "- kind: signer\n"
                               "  from: db1/pg\n"
                               "  to: db1/pg\n";
    AUTO(arena) struct arena arena = { 0 };
    struct cluster cluster = parsed(&arena, str_c(text));
    str first = cluster_format(&arena, &cluster);
    check_str(first, str_c(text));
}

TEST(any_text_in_a_cluster_file_is_read_back_as_it_was)
{
    static const char *const cases[] = {
        "null",
        "~",
        "- a",
        "a: b",
        "a #b",
        "#",
        " lead",
        "trail ",
        "\"q\"",
        "it's",
        "back\\slash",
        "tab\there",
        "two\nlines\n",
        "\x01\x7f",
        "\xc3\xbc",
        "\xc2\x85",
        "\xe2\x80\xa8",
        "\xef\xbb\xbf",
        "\xef\xbf\xbd",
        "\xef\xbf\xbe",
        "\xef\xbf\xbf",
        "\xf0\x9f\x94\x91",
        "{a}",
        "[",
        "*x",
        "&x",
        "!t",
        "%",
        "@",
        "|",
        "---",
        "...",
    };
    AUTO(arena) struct arena arena = { 0 };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct cluster cluster = parsed(&arena, S("cluster: a\nnodes: {n: {services: {s: {}}}}"));
        struct service_conf *service = cluster.nodes.items[0].services.items;
        cluster.name = service->name = str_c(cases[i]);
        list_push(&arena, &service->refresh) = str_c(cases[i]);
        struct cluster back = parsed(&arena, cluster_format(&arena, &cluster));
        check_str(back.name, str_c(cases[i]));
        check_str(back.nodes.items[0].services.items[0].name, str_c(cases[i]));
        check_str(back.nodes.items[0].services.items[0].refresh.items[0], str_c(cases[i]));
    }
}

TEST(a_name_as_long_as_may_be_is_read_back_and_a_longer_one_is_refused)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct buf name = { 0 };
    for (int i = 0; i < 255; i++)
        buf_add(&arena, &name, S("\x01"));
    struct cluster cluster = parsed(&arena, S("cluster: a\nnodes: {n: {}}")), refused;
    cluster.nodes.items[0].name = buf_str(&name);
    str text = cluster_format(&arena, &cluster);
    check_str(parsed(&arena, text).nodes.items[0].name, buf_str(&name));
    text = str_printf(&arena, "cluster: a\nnodes:\n  ? %0256d\n  : {}\n", 0);
    check_err(cluster_parse(&arena, "/x/c.yaml", text, false, &refused, &err), &err,
              "a node's name must not be longer than 255 bytes");
}

TEST(a_fragment_that_says_nothing_is_written_as_a_file_that_says_nothing)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct cluster cluster;
    check_ok(cluster_parse(&arena, "/x/c.yaml", S("{}"), true, &cluster, &err), &err);
    check_str(cluster_format(&arena, &cluster), S("{}\n"));
}
