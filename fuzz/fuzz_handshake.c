/* SPDX-License-Identifier: Apache-2.0 */
/* Covers src/tls/handshake.c */
/* Hostile bytes as a server's handshake message; the first byte chooses the version. */
#include "tls/handshake.h"

#include <openssl/ssl.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena) struct arena arena = { 0 };
    struct handshake handshake = { 0 };
    if (size == 0)
        return 0;
    int version = (data[0] & 1) != 0 ? TLS1_3_VERSION : TLS1_2_VERSION;
    handshake_read(&arena, version, (str){ (const char *)data + 1, size - 1 }, &handshake);
    return 0;
}
