/* SPDX-License-Identifier: Apache-2.0 */
#include "store/pins.h"

#include "tests/pki.h"
#include "tests/test.h"

#define A "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define B "cert:sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static struct pin pin_a(struct arena *arena)
{
    struct pin pin;
    check(pin_parse(arena, S(A), &pin));
    return pin;
}

TEST(a_file_of_pins_is_a_store_whose_odd_lines_are_findings)
{
    AUTO(arena) struct arena arena = { 0 };
    struct store_options options = { .now = PKI_NOW };
    struct store store;
    store_parse(&arena, S("pins"), S("# of db1\n\n" A "\r\nwhat is this\n" B), &options, &store);
    check_str(str_c(store.format), S("pins"));
    check_int(store.entries.count, 2);
    check(store.entries.items[0].kind == ENTRY_PIN && store.entries.items[0].line == 3);
    check_int(store.entries.items[0].pin.kind, PIN_SPKI);
    check_int(store.entries.items[1].pin.kind, PIN_CERT);
    check_int(store.findings.count, 1);
    check_str(store.findings.items[0].where, S("pins:4"));
    check_str(store.findings.items[0].text, S("\"what is this\" is no pin"));
    store_parse(&arena, S("text"), S("# nothing\n"), &options, &store);
    check_str(str_c(store.format), S("unknown"));
}

TEST(a_pin_is_put_at_the_end_and_taken_out_wherever_it_is)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pin pin = pin_a(&arena);
    check(!pins_have(S("# " A "\n" B "\n"), pin));
    str text = pins_with(&arena, S("# mine\n" B), pin);
    check_str(text, S("# mine\n" B "\n" A "\n"));
    check(pins_have(text, pin));
    check_str(pins_without(&arena, S("# mine\n" A "\nodd\n " A " \r\n" B), pin),
              S("# mine\nodd\n" B));
    check_str(pins_without(&arena, S(A), pin), S(""));
    check_str(pins_with(&arena, S(""), pin), S(A "\n"));
    check_str(pins_with(&arena, S("a\0b\n"), pin), S("a\0b\n" A "\n"));
}

TEST(a_pin_that_is_there_twice_is_listed_once)
{
    AUTO(arena) struct arena arena = { 0 };
    pin_list pins;
    pins_of(&arena, S(A "\n" B "\n" A "\nodd\n"), &pins);
    check_int(pins.count, 2);
    check(pin_eq(pins.items[0], pin_a(&arena)));
}
