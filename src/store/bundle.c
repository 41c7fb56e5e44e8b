/* SPDX-License-Identifier: Apache-2.0 */
#include "store/bundle.h"

#include "store/pem.h"

static bool is_certificate(str label)
{
    return str_ends(label, S("CERTIFICATE"));
}

/* The parameters that OpenSSL writes beside a traditional EC key belong to that key. */
static bool is_key(str label)
{
    return pem_is_key(label) || str_eq(label, S("EC PARAMETERS"));
}

/* The blocks of a kind, each with a line feed at its end. */
static str blocks_of(struct arena *arena, str text, bool (*wanted)(str label))
{
    struct pem_reader reader = { .rest = text, .line = 1 };
    struct pem_block block;
    struct buf out = { 0 };
    buf_add(arena, &out, S(""));
    while (pem_next(&reader, &block)) {
        if (!wanted(block.label))
            continue;
        buf_add(arena, &out, block.text);
        if (!str_ends(block.text, S("\n")))
            buf_add(arena, &out, S("\n"));
    }
    return buf_str(&out);
}

/* `part` once, in place of the first block of the kind; the others go. */
static str put_part(struct arena *arena, str text, bool (*wanted)(str label), str part)
{
    struct pem_reader reader = { .rest = text, .line = 1 };
    struct pem_block block;
    struct buf out = { 0 };
    size_t kept = 0;
    bool there = false;
    buf_add(arena, &out, S(""));
    while (pem_next(&reader, &block)) {
        if (!wanted(block.label))
            continue;
        size_t start = (size_t)(block.text.ptr - text.ptr);
        buf_add(arena, &out, (str){ text.ptr + kept, start - kept });
        buf_add(arena, &out, there ? S("") : part);
        kept = start + block.text.len;
        there = true;
    }
    buf_add(arena, &out, (str){ text.ptr + kept, text.len - kept });
    if (!there && text.len > 0 && !str_ends(text, S("\n")))
        buf_add(arena, &out, S("\n"));
    buf_add(arena, &out, there ? S("") : part);
    return buf_str(&out);
}

str bundle_with(struct arena *arena, str text, str chain_pem, str key_pem)
{
    str with = put_part(arena, text, is_certificate, blocks_of(arena, chain_pem, is_certificate));
    str key = blocks_of(arena, key_pem, is_key);
    return key.len == 0 ? with : put_part(arena, with, is_key, key);
}
