/* SPDX-License-Identifier: Apache-2.0 */
/* store_test.h - reading a store in a test, at PKI_NOW with 30 days of renew_before. */
#ifndef STORE_STORE_TEST_H
#define STORE_STORE_TEST_H

#include "store/store.h"
#include "tests/pki.h"

/* The store that `bytes` are, under the name "file"; a password with ptr NULL is none. */
struct store parsed(struct arena *arena, str bytes, str password);

/* The one finding of the store; the test fails unless it has one, with this code. */
const struct finding *only_finding(const struct store *store, enum finding_code code);

#endif
