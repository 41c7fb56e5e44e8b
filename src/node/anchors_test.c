/* SPDX-License-Identifier: Apache-2.0 */
#include "node/anchors.h"

#include "tests/pki.h"
#include "tests/test.h"

#include <string.h>

/* Two certificates and the PEM that OpenSSL writes for them. */
struct pair {
    struct arena arena;
    struct pki one, two;
};

static void pair_make(struct pair *pair)
{
    *pair = (struct pair){ 0 };
    pair->one = pki_make(&pair->arena, &(struct pki_spec){ .name = "One", .ca = true });
    pair->two = pki_make(&pair->arena, &(struct pki_spec){ .name = "Two", .ca = true });
}
DEFINE_AUTO(pair, struct pair, arena_free(&handle->arena))

static str with_crlf(struct arena *arena, str text)
{
    struct buf out = { 0 };
    for (size_t i = 0; i < text.len; i++)
        buf_printf(arena, &out, "%s%c", text.ptr[i] == '\n' ? "\r" : "", text.ptr[i]);
    return buf_str(&out);
}

static str join(struct arena *arena, str a, str b, str c)
{
    return str_printf(arena, "%.*s%.*s%.*s", STR_ARG(a), STR_ARG(b), STR_ARG(c));
}

TEST(an_anchor_goes_to_the_end_of_its_file_and_comes_out_again_byte_for_byte)
{
    AUTO(pair) struct pair pair;
    pair_make(&pair);
    struct arena *arena = &pair.arena;
    str text = join(arena, S("# what we trust\r\n\n"), pair.one.pem, S("\n# end\n"));
    check(anchors_have(text, pair.one.cert.sha256));
    check(!anchors_have(text, pair.two.cert.sha256));
    str both = anchors_with(arena, text, pair.two.cert.der);
    check_str(both, join(arena, text, pair.two.pem, S("")));
    check(anchors_have(both, pair.two.cert.sha256));
    check_str(anchors_without(arena, both, pair.two.cert.sha256), text);
    check_str(anchors_without(arena, both, pair.one.cert.sha256),
              join(arena, S("# what we trust\r\n\n\n# end\n"), pair.two.pem, S("")));
}

TEST(an_anchor_is_put_behind_a_last_line_without_its_end_and_into_an_empty_file)
{
    AUTO(pair) struct pair pair;
    pair_make(&pair);
    struct arena *arena = &pair.arena;
    str cut = { pair.one.pem.ptr, pair.one.pem.len - 1 };
    check_str(anchors_with(arena, cut, pair.two.cert.der),
              join(arena, pair.one.pem, pair.two.pem, S("")));
    check_str(anchors_with(arena, S(""), pair.two.cert.der), pair.two.pem);
    check_str(anchors_without(arena, cut, pair.one.cert.sha256), S(""));
    check_str(anchors_without(arena, S(""), pair.one.cert.sha256), S(""));
}

TEST(every_copy_of_an_anchor_comes_out_and_no_other_byte_changes)
{
    AUTO(pair) struct pair pair;
    pair_make(&pair);
    struct arena *arena = &pair.arena;
    str one = with_crlf(arena, pair.one.pem), two = with_crlf(arena, pair.two.pem);
    str text = str_printf(arena, "\xff before\r\n%.*s  between \r\n%.*s%.*s\r\nafter", STR_ARG(one),
                          STR_ARG(two), STR_ARG(pair.one.pem));
    check_str(anchors_without(arena, text, pair.one.cert.sha256),
              join(arena, S("\xff before\r\n  between \r\n"), two, S("\r\nafter")));
    check_str(anchors_without(arena, text, pair.two.cert.sha256),
              str_printf(arena, "\xff before\r\n%.*s  between \r\n%.*s\r\nafter", STR_ARG(one),
                         STR_ARG(pair.one.pem)));
}

TEST(a_byte_order_mark_stays_where_it_is_when_the_anchor_behind_it_comes_out)
{
    AUTO(pair) struct pair pair;
    pair_make(&pair);
    struct arena *arena = &pair.arena;
    str text = join(arena, S("\xEF\xBB\xBF"), pair.one.pem, pair.two.pem);
    check_str(anchors_without(arena, text, pair.one.cert.sha256),
              join(arena, S("\xEF\xBB\xBF"), pair.two.pem, S("")));
}

TEST(what_is_no_certificate_is_never_taken_for_the_anchor)
{
    AUTO(pair) struct pair pair;
    pair_make(&pair);
    struct arena *arena = &pair.arena;
    str cut = { pair.one.pem.ptr, pair.one.pem.len - strlen("-----END CERTIFICATE-----\n") };
    str text = join(arena, pair.one.key_pem, pair.two.pem, cut);
    check(!anchors_have(text, pair.one.cert.sha256));
    check(!anchors_have(text, sha256_hex(arena, pair.one.key_der)));
    check_str(anchors_without(arena, text, pair.one.cert.sha256), text);
    check_str(anchors_without(arena, text, sha256_hex(arena, pair.one.key_der)), text);
}
