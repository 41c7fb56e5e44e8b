/* SPDX-License-Identifier: Apache-2.0 */
#include "node/anchors.h"

#include "store/der.h"
#include "store/pem.h"

#include <string.h>

/* Empty when the block is no certificate. */
static str fingerprint(struct arena *arena, const struct pem_block *block)
{
    size_t line;
    str bytes;
    if (block->broken != NULL || !str_ends(block->label, S("CERTIFICATE")) ||
        !pem_decode(arena, block, &bytes, &line))
        return S("");
    /* OpenSSL's TRUSTED CERTIFICATE is the certificate with settings of its own behind it. */
    size_t length = der_length(bytes);
    return length > 0 && length <= bytes.len ? sha256_hex(arena, (str){ bytes.ptr, length })
                                             : S("");
}

static bool is_it(struct arena *arena, const struct pem_block *block, str sha256)
{
    return str_eq(fingerprint(arena, block), sha256);
}

str_list anchors_in(struct arena *arena, str text)
{
    struct pem_reader reader = { .rest = text, .line = 1 };
    struct pem_block block;
    str_list all = { 0 };
    while (pem_next(&reader, &block)) {
        str sha256 = fingerprint(arena, &block);
        if (sha256.len > 0)
            str_list_add(arena, &all, sha256);
    }
    return all;
}

bool anchors_have(str text, str sha256)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pem_reader reader = { .rest = text, .line = 1 };
    struct pem_block block;
    while (pem_next(&reader, &block))
        if (is_it(&arena, &block, sha256))
            return true;
    return false;
}

str anchors_with(struct arena *arena, str text, str der)
{
    struct buf out = { 0 };
    struct cert cert = { .der = der };
    buf_add(arena, &out, text);
    if (text.len > 0 && !str_ends(text, S("\n")))
        buf_add(arena, &out, S("\n"));
    buf_add(arena, &out, cert_pem(arena, &cert));
    return buf_str(&out);
}

str anchors_without(struct arena *arena, str text, str sha256)
{
    AUTO(arena) struct arena scratch = { 0 };
    struct pem_reader reader = { .rest = text, .line = 1 };
    struct pem_block block;
    struct buf out = { 0 };
    size_t kept = 0; /* of the text, up to here */
    buf_add(arena, &out, S(""));
    while (pem_next(&reader, &block)) {
        if (!is_it(&scratch, &block, sha256))
            continue;
        /* A byte order mark is part of the first line and not of its block. */
        size_t start = (size_t)(block.text.ptr - text.ptr);
        buf_add(arena, &out, (str){ text.ptr + kept, start - kept });
        kept = start + block.text.len;
    }
    buf_add(arena, &out, (str){ text.ptr + kept, text.len - kept });
    return buf_str(&out);
}
