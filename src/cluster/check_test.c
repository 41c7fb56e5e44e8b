/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/check.h"

#include "tests/test.h"

/* "node: {...}" on line 3, links on line 4. */
static bool parse(struct arena *arena, const char *node, const char *links, bool fragment,
                  struct err *err)
{
    struct cluster cluster;
    str text = str_printf(arena, "cluster: a\nnodes:\n  n: %s\nlinks: [%s]\n", node, links);
    return cluster_parse(arena, "/x/c.yaml", text, fragment, &cluster, err);
}

TEST(a_listen_address_is_a_host_and_a_port)
{
    // clang-format off
    static const struct { const char *listen; bool valid; } cases[] = {
        { "127.0.0.1:5441", true }, { "[::1]:5441", true }, { "db1.example:1", true },
        { "h:65535", true }, { "h:65536", false }, { "h:0", false }, { "h:", false },
        { "h", false }, { ":5441", false }, { "5441", false }, { "::1:5441", false },
        { "[]:5441", false }, { "h:54x", false }, { "h:-1", false },
    };
    // clang-format on
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(arena) struct arena arena = { 0 };
        AUTO(err) struct err err = { 0 };
        str node = str_printf(&arena, "{services: {s: {listen: '%s'}}}", cases[i].listen);
        if (cases[i].valid) {
            check_ok(parse(&arena, node.ptr, "", false, &err), &err);
            continue;
        }
        str want = str_printf(&arena, "'listen' of service 's' must be address:port, not '%s'",
                              cases[i].listen);
        check_err(parse(&arena, node.ptr, "", false, &err), &err, want.ptr);
        check_str(str_c(err.where), S("/x/c.yaml:3"));
    }
}

TEST(a_name_in_a_cluster_file_that_leads_nowhere_is_refused)
{
    static const char node[] = "{stores: {server: {key: k}}, services: {s: {trust: [server]}}}";
    // clang-format off
    static const struct { const char *node, *links, *msg, *where; } cases[] = {
        { "{stores: {server: {key: k}}, services: {s: {trust: [sever]}}}", "",
          "node 'n' has no store 'sever'; did you mean 'server'?", "/x/c.yaml:3" },
        { "{services: {s: {identities: [{store: server}]}}}", "",
          "node 'n' has no store 'server'", "/x/c.yaml:3" },
        { node, "{from: n, to: n/s}", "a link's end is node/service, not 'n'", "/x/c.yaml:4" },
        { node, "{from: n/s, to: /s}", "a link's end is node/service, not '/s'", "/x/c.yaml:4" },
        { node, "{from: n/s, to: n/}", "a link's end is node/service, not 'n/'", "/x/c.yaml:4" },
        { node, "{from: n/s, to: m/s}", "link to 'm/s': there is no node 'm'", "/x/c.yaml:4" },
        { node, "{from: n/t, to: n/s}", "link to 'n/t': node 'n' has no service 't'", "/x/c.yaml:4" },
        { node, "{from: n/s, to: n/s, identity: other}", "node 'n' has no store 'other'", "/x/c.yaml:4" },
        { node, "{from: n/s, to: n/s, trust: servers}",
          "node 'n' has no store 'servers'; did you mean 'server'?", "/x/c.yaml:4" },
    };
    // clang-format on
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(arena) struct arena arena = { 0 };
        AUTO(err) struct err err = { 0 };
        check_err(parse(&arena, cases[i].node, cases[i].links, false, &err), &err, cases[i].msg);
        check_str(str_c(err.where), str_c(cases[i].where));
        err_clear(&err);
        check_ok(parse(&arena, cases[i].node, cases[i].links, true, &err), &err);
    }
}

TEST(a_node_that_a_driver_reads_may_be_named_by_what_the_driver_will_find)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    static const char link[] = "{from: n/found, to: n/other, identity: client, trust: roots}";
    check_ok(parse(&arena, "{system: postgresql}", link, false, &err), &err);
    check(!parse(&arena, "{reach: local}", link, false, &err));
}

TEST(a_derived_store_names_another_of_its_kind_that_stands_alone)
{
    // clang-format off
    static const struct { const char *stores, *msg; } cases[] = {
        { "pair: {certificate: c, key: k}, all: {certificate: a, key: a, derived_from: pair, derive: [make]}", NULL },
        { "roots: {certificates: r}, copy: {certificates: c, derived_from: roots}", NULL },
        { "pair: {certificate: c, key: k}, all: {certificate: a, key: a, derived_from: pear}",
          "node 'n' has no store 'pear'; did you mean 'pair'?" },
        { "all: {certificate: a, key: a, derived_from: all}", "store 'all' cannot be derived from 'all', which is derived itself" },
        { "roots: {certificates: r}, b: {certificates: b, derived_from: roots}, c: {certificates: c, derived_from: b}",
          "store 'c' cannot be derived from 'b', which is derived itself" },
        { "roots: {certificates: r}, all: {certificate: a, key: a, derived_from: roots}",
          "store 'all' is derived from 'roots': both have a certificate and its key, or both have certificates" },
        { "roots: {certificates: r, holds: one}, copy: {certificates: c, derived_from: roots, holds: one}", NULL },
        { "roots: {certificates: r, holds: one}, copy: {certificates: c, derived_from: roots}",
          "store 'copy' is derived from 'roots': both hold one, or both hold many" },
        { "all: {certificate: a, key: a, derive: [make]}", "'derive' of store 'all' needs 'derived_from'" },
        { "pair: {certificate: c, key: k}, two: {certificate: d, key: e, derived_from: pair, derive: [make]}",
          "store 'two' is made by a command, so certificate and key must be one file" },
    };
    // clang-format on
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(arena) struct arena arena = { 0 };
        AUTO(err) struct err err = { 0 };
        const char *node = str_printf(&arena, "{stores: {%s}}", cases[i].stores).ptr;
        if (cases[i].msg == NULL)
            check_ok(parse(&arena, node, "", false, &err), &err);
        else
            check_err(parse(&arena, node, "", false, &err), &err, cases[i].msg);
    }
}

TEST(a_certificate_must_live_longer_than_its_renewal_window)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct cluster cluster;
    check_err(cluster_parse(&arena, "/x/c.yaml",
                            S("cluster: a\npolicy: {lifetime: 30d, renew_before: 30d}\n"), false,
                            &cluster, &err),
              &err, "policy: 'lifetime' must be longer than 'renew_before'");
    err_clear(&err);
    check_ok(cluster_parse(&arena, "/x/c.yaml",
                           S("cluster: a\npolicy: {lifetime: 31d, renew_before: 30d}\n"), false,
                           &cluster, &err),
             &err);
}

TEST(pins_are_in_a_store_of_their_own_or_digests_of_a_service_that_is_there)
{
#define STORE "stores: {p: {format: pins, path: p}, t: {certificates: t}}, services: {s: "
#define HEX   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    // clang-format off
    static const struct { const char *node, *rest, *msg; } cases[] = {
        { "{" STORE "{pins: [p]}}}", "links: [{from: n/s, to: n/s, pins: p}]", NULL },
        { "{" STORE "{pins: [t]}}}", "links: []", "store 't' is not of format pins" },
        { "{" STORE "{pins: [q]}}}", "links: []", "node 'n' has no store 'q'; did you mean 'p'?" },
        { "{" STORE "{}}}", "links: [{from: n/s, to: n/s, pins: t}]", "store 't' is not of format pins" },
        { "{stores: {p: {format: pins}}}", "links: []", "store 'p' of format pins has one 'path'" },
        { "{" STORE "{}}}", "pins: {n/s: [{spki: 'sha256:" HEX "'}, {cert: 'sha256:" HEX "'}]}", NULL },
        { "{" STORE "{}}}", "pins: {n/t: []}", "pins of 'n/t': node 'n' has no service 't'" },
        { "{" STORE "{}}}", "pins: {s: []}", "'pins' has names of services, as node/service" },
        { "{" STORE "{}}}", "pins: {n/s: {}}", "'pins' is a list of sections" },
        { "{" STORE "{}}}", "pins: {n/s: [{}]}", "a pin is one of cert, spki" },
        { "{" STORE "{}}}", "pins: {n/s: [{spki: 'sha1:00'}]}",
          "a pin is sha256: and 64 digits of hex, not 'sha1:00'" },
    };
    // clang-format on
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(arena) struct arena arena = { 0 };
        AUTO(err) struct err err = { 0 };
        struct cluster cluster;
        str text =
            str_printf(&arena, "cluster: a\nnodes:\n  n: %s\n%s\n", cases[i].node, cases[i].rest);
        bool ok = cluster_parse(&arena, "/x/c.yaml", text, false, &cluster, &err);
        if (cases[i].msg != NULL)
            check_err(ok, &err, cases[i].msg);
        else
            check_ok(ok, &err);
    }
}

TEST(a_signer_s_trust_is_a_store_of_who_verifies)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct cluster cluster;
    static const char text[] = "cluster: a\nnodes:\n  n: {services: {s: {}}}\n"
                               "  m: {stores: {t: {certificates: t}}, services: {s: {}}}\n"
                               "links: [{kind: %s, from: n/s, to: m/s, trust: t}]\n";
    str signer = str_printf(&arena, text, "signer"), plain = str_printf(&arena, text, "connect");
    check_ok(cluster_parse(&arena, "/x/c.yaml", signer, false, &cluster, &err), &err);
    check_err(cluster_parse(&arena, "/x/c.yaml", plain, false, &cluster, &err), &err,
              "node 'n' has no store 't'");
}

TEST(an_issuer_has_what_its_kind_needs_and_nothing_else)
{
    // clang-format off
    static const struct { const char *issuer, *msg; } cases[] = {
        { "{certificate: c, key: k}", NULL },
        { "{kind: csr, directory: d}", NULL },
        { "{kind: csr, directory: d, certificate: c}", NULL },
        { "{kind: local, key: k}", "an issuer of kind local needs 'certificate'" },
        { "{certificate: c}", "an issuer of kind local needs 'key'" },
        { "{certificate: c, key: k, directory: d}", "an issuer of kind local has no 'directory'" },
        { "{kind: csr}", "an issuer of kind csr needs 'directory'" },
        { "{kind: csr, directory: d, key: k}", "an issuer of kind csr has no 'key'" },
        { "{kind: local}", "an issuer of kind local needs 'certificate'" },
    };
    // clang-format on
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(arena) struct arena arena = { 0 };
        AUTO(err) struct err err = { 0 };
        struct cluster cluster;
        str text = str_printf(&arena, "cluster: a\nissuer: %s\n", cases[i].issuer);
        bool taken = cluster_parse(&arena, "/x/c.yaml", text, false, &cluster, &err);
        if (cases[i].msg == NULL) {
            check_ok(taken, &err);
            continue;
        }
        check_err(taken, &err, cases[i].msg);
        check_str(str_c(err.where), S("/x/c.yaml:2"));
    }
}
