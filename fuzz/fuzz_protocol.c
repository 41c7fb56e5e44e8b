/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile bytes as a line of the node protocol, read as a request and as an answer. */
#include "node/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    AUTO(request) struct request request = { 0 };
    str line = { (const char *)data, size };
    if (!request_parse(line, &request, &err))
        return 0;
    str bytes;
    str_list texts;
    int64_t number;
    AUTO(err) struct err bad = { 0 };
    (void)!need_bytes(&arena, request.body, "bytes", &bytes, &bad);
    (void)!take_texts(&arena, request.body, "paths", &texts, &bad);
    (void)!take_int(request.body, "token", 0, &number, &bad);
    (void)!answer_check(request.body, &bad);
    return 0;
}
