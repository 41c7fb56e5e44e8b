/* SPDX-License-Identifier: Apache-2.0 */
/* Covers src/store/pins.c src/x509/pin.c */
/*
 * Hostile bytes as a file of pins: what is read is written back equal, and an edit changes one pin
 * and leaves the rest.
 */
#include "store/pins.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_edits(struct arena *arena, str text, struct pin pin, size_t count)
{
    pin_list pins;
    struct pin back;
    assert(pin_parse(arena, pin_text(arena, pin), &back) && pin_eq(pin, back));
    assert(pins_have(text, pin));
    str without = pins_without(arena, text, pin);
    pins_of(arena, without, &pins);
    assert(pins.count == count - 1 && !pins_have(without, pin));
    str with = pins_with(arena, without, pin);
    pins_of(arena, with, &pins);
    assert(pins.count == count && pin_eq(pins.items[count - 1], pin));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena) struct arena arena = { 0 };
    struct store_options options = { .now = 1795478400 };
    struct store store = { .path = S("fuzz") };
    str text = { (const char *)data, size };
    struct pin pin;
    pin_list pins;
    pins_of(&arena, text, &pins);
    pins_read(&arena, text, &options, &store);
    assert(store.entries.count >= pins.count || store.findings.count > 0);
    assert(!pins_sniff(text) || pins.count > 0);
    assert(pin_parse(&arena, S("sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="), &pin));
    if (!pins_have(text, pin))
        check_edits(&arena, pins_with(&arena, text, pin), pin, pins.count + 1);
    for (size_t i = 0; i < pins.count && i < 8; i++)
        check_edits(&arena, text, pins.items[i], pins.count);
    return 0;
}
