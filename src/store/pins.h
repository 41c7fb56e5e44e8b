/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pins.h - a file of pins, one a line (x509/pin.h), with blank lines and lines that begin with '#'
 * between them.
 *
 * Lines that are none of these are findings when the file is read, and stay byte for byte when it
 * is changed.
 */
#ifndef STORE_PINS_H
#define STORE_PINS_H

#include "store/store.h"
#include "x509/pin.h"

typedef LIST(struct pin) pin_list;

/* The pins of the text, in its order, each once. */
void pins_of(struct arena *arena, str text, pin_list *ret_pins);

bool pins_have(str text, struct pin pin);

/* The text with the pin at its end, or with every line of it taken out. */
str pins_with(struct arena *arena, str text, struct pin pin);
str pins_without(struct arena *arena, str text, struct pin pin);

/* A format of its own for store.c: something in it is a pin, and it begins with a pin, a comment or
   a blank line. */
bool pins_sniff(str bytes);
void pins_read(struct arena *arena, str bytes, const struct store_options *options,
               struct store *store);

#endif
