/* SPDX-License-Identifier: Apache-2.0 */
#include "x509/pin.h"

#include <openssl/evp.h>
#include <string.h>

/* 32 bytes in base64 are 44 characters, of which the last is padding. */
enum { DIGEST_BYTES = 32, DIGEST_HEX = 64, DIGEST_BASE64 = 44 };

static const str curl_prefix = { "sha256//", 8 }, hash_prefix = { "sha256:", 7 };
static const str prefixes[] = {
    [PIN_CERT] = {"cert:",  5},
      [PIN_SPKI] = { "spki:", 5}
};

static bool cut(str *text, str prefix)
{
    if (!str_starts(*text, prefix))
        return false;
    *text = (str){ text->ptr + prefix.len, text->len - prefix.len };
    return true;
}

static bool parse_base64(struct arena *arena, str text, str *ret_hex)
{
    unsigned char bytes[DIGEST_BASE64 / 4 * 3];
    if (text.len != DIGEST_BASE64 || text.ptr[DIGEST_BASE64 - 1] != '=' ||
        text.ptr[DIGEST_BASE64 - 2] == '=' ||
        EVP_DecodeBlock(bytes, (const unsigned char *)text.ptr, DIGEST_BASE64) !=
            (int)sizeof(bytes))
        return false;
    *ret_hex = str_hex(arena, bytes, DIGEST_BYTES);
    return true;
}

static bool parse_hex(struct arena *arena, str text, str *ret_hex)
{
    if (text.len != DIGEST_HEX)
        return false;
    char *lower = arena_alloc(arena, DIGEST_HEX + 1, 1);
    for (size_t i = 0; i < DIGEST_HEX; i++)
        lower[i] = (char)(text.ptr[i] >= 'A' && text.ptr[i] <= 'F' ? text.ptr[i] + 'a' - 'A'
                                                                   : text.ptr[i]);
    *ret_hex = (str){ lower, DIGEST_HEX };
    return str_is_hex(*ret_hex, DIGEST_HEX);
}

bool pin_parse(struct arena *arena, str text, struct pin *ret_pin)
{
    *ret_pin = (struct pin){ .kind = PIN_SPKI };
    if (cut(&text, curl_prefix))
        return parse_base64(arena, text, &ret_pin->digest);
    if (!pin_of_name(text, ret_pin))
        return false;
    str hex = ret_pin->digest;
    return cut(&hex, hash_prefix) && parse_hex(arena, hex, &ret_pin->digest);
}

bool pin_eq(struct pin a, struct pin b)
{
    return a.kind == b.kind && str_eq(a.digest, b.digest);
}

str pin_text(struct arena *arena, struct pin pin)
{
    unsigned char base64[DIGEST_BASE64 + 1];
    str bytes;
    if (pin.kind == PIN_CERT)
        return str_printf(arena, "cert:sha256:%.*s", STR_ARG(pin.digest));
    if (!str_unhex(arena, pin.digest, &bytes) || bytes.len != DIGEST_BYTES)
        return pin_name(arena, pin);
    EVP_EncodeBlock(base64, (const unsigned char *)bytes.ptr, DIGEST_BYTES);
    return str_printf(arena, "sha256//%s", (const char *)base64);
}

str pin_name(struct arena *arena, struct pin pin)
{
    return str_printf(arena, "%s%.*s", prefixes[pin.kind].ptr, STR_ARG(pin.digest));
}

bool pin_of_name(str name, struct pin *ret_pin)
{
    for (int kind = PIN_CERT; kind <= PIN_SPKI; kind++) {
        str digest = name;
        if (!cut(&digest, prefixes[kind]))
            continue;
        *ret_pin = (struct pin){ (enum pin_kind)kind, digest };
        return true;
    }
    return false;
}
