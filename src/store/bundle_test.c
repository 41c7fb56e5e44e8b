/* SPDX-License-Identifier: Apache-2.0 */
#include "store/bundle.h"

#include "tests/test.h"

#define BLOCK(label, body) "-----BEGIN " label "-----\n" body "\n-----END " label "-----\n"
#define CERT(body)         BLOCK("CERTIFICATE", body)
#define KEY(body)          BLOCK("PRIVATE KEY", body)
#define DH                 BLOCK("DH PARAMETERS", "dddd")

TEST(certificates_and_key_take_the_places_of_those_that_were_there_and_the_rest_stays)
{
    // clang-format off
    static const struct { const char *what, *text, *chain, *key, *want; } cases[] = {
        { "nothing was there", "", CERT("aaaa") CERT("bbbb"), KEY("kkkk"), CERT("aaaa") CERT("bbbb") KEY("kkkk") },
        { "key first, parameters between", "# ours\n" KEY("oooo") DH CERT("cccc") CERT("eeee") "# end",
          CERT("aaaa"), KEY("kkkk"), "# ours\n" KEY("kkkk") DH CERT("aaaa") "# end" },
        { "a longer chain", CERT("cccc") KEY("oooo"), CERT("aaaa") CERT("bbbb"), KEY("kkkk"),
          CERT("aaaa") CERT("bbbb") KEY("kkkk") },
        { "the key stays", CERT("cccc") KEY("oooo"), CERT("aaaa"), "", CERT("aaaa") KEY("oooo") },
        { "a traditional key with its parameters goes", BLOCK("EC PARAMETERS", "pppp") BLOCK("EC PRIVATE KEY", "oooo") CERT("cccc"),
          CERT("aaaa"), KEY("kkkk"), KEY("kkkk") CERT("aaaa") },
        { "only blocks are taken", CERT("cccc"), "subject=x\n" CERT("aaaa") "issuer=y\n" KEY("zzzz"), "x\n" KEY("kkkk") CERT("yyyy"),
          CERT("aaaa") KEY("kkkk") },
        { "no line feed at the end", "# x", CERT("aaaa"), "", "# x\n" CERT("aaaa") },
    };
    // clang-format on
    AUTO(arena) struct arena arena = { 0 };
    for (size_t i = 0; i < COUNT(cases); i++) {
        str got =
            bundle_with(&arena, str_c(cases[i].text), str_c(cases[i].chain), str_c(cases[i].key));
        if (!str_eq(got, str_c(cases[i].want)))
            fail_msg("%s: %.*s", cases[i].what, STR_ARG(got));
    }
}
