/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile bytes as a store of any format, no password given. */
#include "store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena) struct arena arena = { 0 };
    struct store_options options = { .now = 1795478400, .renew_before = 30 * 86400 };
    struct store store;
    store_parse(&arena, S("fuzz"), (str){ (const char *)data, size }, &options, &store);
    return 0;
}
