/* SPDX-License-Identifier: Apache-2.0 */
/* A fuzz target without libFuzzer: no input at all, then each file named, once. */
#include "base/io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool replay(const char *path)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    str bytes;
    if (!io_read(&arena, path, IO_FILE_MAX, &bytes, &err)) {
        (void)fprintf(stderr, "%s: %s\n", path, err.msg);
        return false;
    }
    /* A block of just this size, so that ASan sees a read past the input's end. */
    uint8_t *copy = malloc(bytes.len);
    if (bytes.len > 0)
        memcpy(copy, bytes.ptr, bytes.len);
    LLVMFuzzerTestOneInput(copy, bytes.len);
    free(copy);
    return true;
}

int main(int argc, char **argv)
{
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++) {
        /* Before it is run: the last name printed is the one that crashed. */
        (void)printf("%s\n", argv[i]);
        (void)fflush(stdout);
        if (!replay(argv[i]))
            return 1;
    }
    return 0;
}
