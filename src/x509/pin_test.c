/* SPDX-License-Identifier: Apache-2.0 */
#include "x509/pin.h"

#include "tests/test.h"

/* SHA-256 of the empty string, by sha256sum; its base64 by `xxd -r -p | base64`. */
#define HEX    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define BASE64 "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

TEST(a_pin_is_read_in_each_of_its_forms_and_written_in_one)
{
    static const struct {
        const char *text;
        enum pin_kind kind;
        const char *written;
    } cases[] = {
        {"sha256//" BASE64,                                                               PIN_SPKI, "sha256//" BASE64 },
        { "spki:sha256:" HEX,                                                             PIN_SPKI, "sha256//" BASE64 },
        { "cert:sha256:" HEX,                                                             PIN_CERT, "cert:sha256:" HEX},
        { "cert:sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855", PIN_CERT,
         "cert:sha256:" HEX                                                                                           },
    };
    AUTO(arena) struct arena arena = { 0 };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pin pin;
        check(pin_parse(&arena, str_c(cases[i].text), &pin));
        check_int(pin.kind, cases[i].kind);
        check_str(pin.digest, S(HEX));
        check_str(pin_text(&arena, pin), str_c(cases[i].written));
    }
}

TEST(what_is_not_quite_a_pin_is_none)
{
    static const char *const texts[] = {
        "",
        "sha256//",
        "sha256:" HEX,
        "sha256//" HEX,
        "sha1//2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
        "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuF==",
        "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFUA",
        "sha256//47DEQpj8HBSa+ TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "cert:sha256:" HEX "0",
        "cert:" HEX,
        "cert:sha256://" BASE64,
    };
    AUTO(arena) struct arena arena = { 0 };
    struct pin pin;
    for (size_t i = 0; i < COUNT(texts); i++)
        if (pin_parse(&arena, str_c(texts[i]), &pin))
            fail_msg("\"%s\" was taken for a pin", texts[i]);
}

TEST(a_pin_s_name_leads_back_to_it_also_when_it_is_planned)
{
    AUTO(arena) struct arena arena = { 0 };
    const struct pin pins[] = {
        {PIN_SPKI,  S(HEX)     },
        { PIN_CERT, S("new:12")},
        { PIN_SPKI, S("new:12")}
    };
    struct pin back;
    check_str(pin_name(&arena, pins[1]), S("cert:new:12"));
    for (size_t i = 0; i < COUNT(pins); i++)
        check(pin_of_name(pin_name(&arena, pins[i]), &back) && pin_eq(back, pins[i]));
    check(!pin_eq(pins[1], pins[2]));
    check(!pin_of_name(S("sha256:" HEX), &back));
}
