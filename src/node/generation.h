/* SPDX-License-Identifier: Apache-2.0 */
/* generation.h - names of new files beside old ones: "server.crt" -> "server.1a2b3c4d.crt". */
#ifndef NODE_GENERATION_H
#define NODE_GENERATION_H

#include "base/str.h"

/* The name for the generation `mark` (8 hex digits): an earlier generation's mark is replaced. */
str generation_name(struct arena *arena, str path, str mark);

#endif
