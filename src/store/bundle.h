/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle.h - a certificate, its chain and its key in one PEM file, as HAProxy and others read it:
 * one rename replaces them all.
 */
#ifndef STORE_BUNDLE_H
#define STORE_BUNDLE_H

#include "base/str.h"

/* `text` with the certificates of `chain_pem` in place of its own, and the key of `key_pem` in
   place of its own (empty: its own stays). What it has besides stays where it is: parameters,
   comments. A part that it does not have yet goes to the end. `arena` should wipe. */
str bundle_with(struct arena *arena, str text, str chain_pem, str key_pem);

#endif
