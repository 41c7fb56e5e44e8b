/* SPDX-License-Identifier: Apache-2.0 */
/* The cluster file: any bytes give a cluster or an error with its line, within bounded memory. */
#include "cluster/cluster.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int fragment = 0; fragment < 2; fragment++) {
        AUTO(arena) struct arena arena = { 0 };
        AUTO(err) struct err err = { 0 };
        struct cluster cluster;
        bool ok = cluster_parse(&arena, "fuzz.yaml", (str){ (const char *)data, size },
                                fragment == 1, &cluster, &err);
        assert(ok == (err.kind == ERR_NONE));
    }
    return 0;
}
