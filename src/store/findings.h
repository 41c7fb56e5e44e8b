/* SPDX-License-Identifier: Apache-2.0 */
/* findings.h - what is wrong with a store's content, judged after it was read. */
#ifndef STORE_FINDINGS_H
#define STORE_FINDINGS_H

#include "store/store.h"

/* Tie each open key to its certificate here, then add the findings. */
void store_judge(struct arena *arena, struct store *store, const struct store_options *options);

#endif
