/* SPDX-License-Identifier: Apache-2.0 */
#include "system/generic/words.h"

#include "tests/test.h"

static str find(struct arena *arena, const char *text)
{
    AUTO(err) struct err err = { 0 };
    str path;
    check_ok(words_find(arena, S("/etc/x/x.conf"), str_c(text), S("/etc/x/tls/a.crt"), &path, &err),
             &err);
    return path;
}

TEST(a_file_is_named_by_whole_words_in_the_formats_that_servers_read)
{
    AUTO(arena) struct arena arena = { 0 };
    static const char *const texts[] = {
        "ssl_certificate /etc/x/tls/a.crt;\n",                         /* nginx */
        "ssl_certificate tls/a.crt;\n",                                /* nginx, from its folder */
        "ssl_certificate \"/etc/x/tls/a.crt\";",                       /* nginx, quoted */
        "bind :443 ssl crt /etc/x/tls/a.crt verify none",              /* HAProxy */
        "client-transport-security:\n  cert-file: /etc/x/tls/a.crt\n", /* etcd */
        "{\"cert\":\"/etc/x/tls/a.crt\"}",                             /* JSON */
        "cert=/etc/x/tls/a.crt",                                       /* .curlrc */
        "olcTLSCertificateFile:/etc/x/tls/a.crt\r\n",                  /* LDIF */
        "\tTLS_CERT\t/etc/x/tls/a.crt",                                /* ldap.conf */
        "# /etc/x/tls/a.1a2b3c4d.crt\nx '# a' /etc/x/tls/a.crt # tls/a.99999999.crt\n",
    };
    for (size_t i = 0; i < COUNT(texts); i++)
        check_str(find(&arena, texts[i]), S("/etc/x/tls/a.crt"));
}

TEST(a_part_of_a_word_or_a_comment_names_nothing)
{
    AUTO(arena) struct arena arena = { 0 };
    static const char *const texts[] = {
        "",
        "/srv/etc/x/tls/a.crt",
        "/etc/x/tls/a.crt.old",
        "/etc/x/tls/a.crt/b",
        "x/tls/a.crt",
        "/etc/x/tls/a.1a2b3c4.crt",
        "/etc/x/tls/a.1A2B3C4D.crt",
        "/etc/x/tls/aa.crt",
        "a.crt",
        "#/etc/x/tls/a.crt",
        "ssl on; # /etc/x/tls/a.crt",
        "ssl on;# tls/a.crt",
    };
    for (size_t i = 0; i < COUNT(texts); i++)
        check_str(find(&arena, texts[i]), S(""));
}

TEST(a_generation_of_the_declared_file_is_found_in_its_place)
{
    AUTO(arena) struct arena arena = { 0 };
    check_str(find(&arena, "ssl_certificate /etc/x/tls/a.1a2b3c4d.crt;"),
              S("/etc/x/tls/a.1a2b3c4d.crt"));
    check_str(find(&arena, "ssl_certificate tls/a.1a2b3c4d.crt;"), S("/etc/x/tls/a.1a2b3c4d.crt"));
}

TEST(a_file_that_names_two_generations_is_refused)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    str path;
    check(!words_find(&arena, S("/etc/x/x.conf"), S("tls/a.crt\n/etc/x/tls/a.1a2b3c4d.crt\n"),
                      S("/etc/x/tls/a.crt"), &path, &err));
    check_int(err.kind, ERR_FORMAT);
    check_str(str_c(err.msg),
              S("/etc/x/x.conf names /etc/x/tls/a.crt and also /etc/x/tls/a.1a2b3c4d.crt"));
}

TEST(every_word_changes_as_it_was_spelled_and_every_other_byte_stays)
{
    AUTO(arena) struct arena arena = { 0 };
    str text = S("# tls/a.crt\r\na tls/a.crt;b \"/etc/x/tls/a.crt\";/tls/a.crt tls/a.key\n"
                 "tls/a.crt.d tls/a.crt");
    check_str(words_edit(&arena, S("/etc/x/x.conf"), text, S("/etc/x/tls/a.crt"),
                         S("/etc/x/tls/a.1a2b3c4d.crt")),
              S("# tls/a.crt\r\na tls/a.1a2b3c4d.crt;b \"/etc/x/tls/a.1a2b3c4d.crt\";/tls/a.crt "
                "tls/a.key\ntls/a.crt.d tls/a.1a2b3c4d.crt"));
    check_str(words_edit(&arena, S("/etc/x/x.conf"), S("tls/a.1a2b3c4d.crt"),
                         S("/etc/x/tls/a.1a2b3c4d.crt"), S("/srv/a.crt")),
              S("/srv/a.crt"));
    check_str(words_edit(&arena, S("/etc/x/x.conf"), text, S("/etc/x/b.crt"), S("/c")), text);
}
