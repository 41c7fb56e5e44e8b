/* SPDX-License-Identifier: Apache-2.0 */
/* anchors.h - one certificate put into or taken out of the PEM text of a trust store. */
#ifndef NODE_ANCHORS_H
#define NODE_ANCHORS_H

#include "base/str.h"

/* Whether the text holds the certificate with this fingerprint: SHA-256 in lower-case hex. */
bool anchors_have(str text, str sha256);

/* The text with the certificate at its end, or with every copy of it taken out; all else stays byte
   for byte. */
str anchors_with(struct arena *arena, str text, str der);
str anchors_without(struct arena *arena, str text, str sha256);

/* The fingerprints of all certificates in the text, each once, in its order. */
str_list anchors_in(struct arena *arena, str text);

#endif
