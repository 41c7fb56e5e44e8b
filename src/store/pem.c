/* SPDX-License-Identifier: Apache-2.0 */
#include "store/pem.h"

#include "store/der.h"
#include "store/key.h"
#include "x509/auto.h"

#include <string.h>

static const str begin = { "-----BEGIN ", 11 }, end = { "-----END ", 9 }, dashes = { "-----", 5 };

static str next_line(struct pem_reader *reader)
{
    str line = reader->rest;
    const char *at = line.len == 0 ? NULL : memchr(line.ptr, '\n', line.len);
    if (at != NULL)
        line.len = (size_t)(at - line.ptr) + 1;
    reader->rest = (str){ reader->rest.ptr + line.len, reader->rest.len - line.len };
    reader->line++;
    reader->offset += line.len;
    return line;
}

/* The label of a "-----BEGIN label-----" or "-----END label-----" line. */
static bool armour_label(str line, str prefix, str *ret_label)
{
    line = str_trim(line);
    if (!str_starts(line, prefix) || !str_ends(line, dashes) || line.len < prefix.len + dashes.len)
        return false;
    *ret_label = (str){ line.ptr + prefix.len, line.len - prefix.len - dashes.len };
    return true;
}

static str without_mark(str line, size_t offset)
{
    bool marked = offset == 0 && str_starts(line, S("\xEF\xBB\xBF"));
    return marked ? (str){ line.ptr + 3, line.len - 3 } : line;
}

static void read_body(struct pem_reader *reader, struct pem_block *block)
{
    const char *body = reader->rest.ptr;
    block->body = (str){ body, 0 };
    block->broken = "has no END line";
    while (reader->rest.len > 0) {
        struct pem_reader before = *reader;
        str label, line = next_line(reader);
        if (armour_label(line, begin, &label)) {
            *reader = before; /* the next block starts where this one was cut */
            return;
        }
        block->text.len = (size_t)(line.ptr + line.len - block->text.ptr);
        if (armour_label(line, end, &label)) {
            bool same = str_eq(label, block->label);
            block->broken = same ? NULL : "ends with another label than it begins with";
            return;
        }
        block->body.len = (size_t)(line.ptr + line.len - body);
    }
}

bool pem_next(struct pem_reader *reader, struct pem_block *ret_block)
{
    while (reader->rest.len > 0) {
        struct pem_block block = { .line = reader->line, .offset = reader->offset };
        str line = without_mark(next_line(reader), block.offset);
        if (!armour_label(line, begin, &block.label))
            continue;
        block.text = line;
        read_body(reader, &block);
        *ret_block = block;
        return true;
    }
    return false;
}

/* Headers (RFC 1421) end at the first blank line; a body without a colon has none. */
static void skip_headers(struct pem_reader *reader)
{
    struct pem_reader ahead = *reader;
    str first = next_line(&ahead);
    if (str_find(first, S(":")) == first.len)
        return;
    while (ahead.rest.len > 0 && str_trim(next_line(&ahead)).len > 0)
        ;
    *reader = ahead;
}

static bool add_base64(struct arena *arena, struct buf *buf, str line)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    for (size_t i = 0; i < line.len; i++) {
        bool after_padding = buf->bytes.count > 0 && line.ptr[i] != '=' &&
                             buf->bytes.items[buf->bytes.count - 1] == '=';
        if (memchr(alphabet, line.ptr[i], sizeof(alphabet) - 1) == NULL || after_padding)
            return false;
        list_push(arena, &buf->bytes) = line.ptr[i];
    }
    return true;
}

bool pem_decode(struct arena *arena, const struct pem_block *block, str *ret_der, size_t *ret_line)
{
    struct pem_reader reader = { .rest = block->body, .line = block->line + 1 };
    struct buf base64 = { 0 };
    skip_headers(&reader);
    while (reader.rest.len > 0)
        if (!add_base64(arena, &base64, str_trim(next_line(&reader)))) {
            *ret_line = reader.line - 1;
            return false;
        }
    str text = { base64.bytes.items, base64.bytes.count };
    size_t padding = 0;
    while (padding < text.len && text.ptr[text.len - padding - 1] == '=')
        padding++;
    *ret_line = block->line;
    if (text.len == 0 || text.len % 4 != 0 || padding > 2 || text.len > INT_MAX)
        return false;
    unsigned char *der = arena_alloc(arena, text.len / 4 * 3 + 1, 1);
    int len = EVP_DecodeBlock(der, (const unsigned char *)text.ptr, (int)text.len);
    if (len < (int)padding)
        return false;
    *ret_der = (str){ (const char *)der, (size_t)len - padding };
    return true;
}

static void broken(struct arena *arena, struct store *store, const struct pem_block *block,
                   size_t line, const char *why)
{
    finding_add(arena, &store->findings, FINDING_keystore_format,
                str_printf(arena, "%.*s:%zu", STR_ARG(store->path), line),
                str_printf(arena, "the %.*s block at line %zu (byte %zu) %s", STR_ARG(block->label),
                           block->line, block->offset, why));
}

static struct entry *add_entry(struct arena *arena, struct store *store, enum entry_kind kind,
                               const struct pem_block *block)
{
    struct entry *entry = store_add(arena, store, kind);
    entry->line = block->line;
    return entry;
}

static bool read_certificate(struct arena *arena, str der, const struct pem_block *block,
                             struct store *store)
{
    AUTO(err) struct err err = { 0 };
    struct cert cert;
    if (!cert_parse(arena, der, &cert, &err))
        return false;
    struct cert *kept = arena_new(arena, struct cert);
    *kept = cert;
    add_entry(arena, store, ENTRY_TRUSTED, block)->cert = kept;
    return true;
}

/* "TRUSTED CERTIFICATE" is OpenSSL's: a certificate followed by what it is trusted for. */
static bool read_trusted(struct arena *arena, str der, const struct pem_block *block,
                         struct store *store)
{
    size_t len = der_length(der);
    return len > 0 && read_certificate(arena, (str){ der.ptr, len }, block, store);
}

static bool read_crl(struct arena *arena, str der, const struct pem_block *block,
                     struct store *store)
{
    if (!der_is_crl(der))
        return false;
    add_entry(arena, store, ENTRY_CRL, block)->der = str_copy(arena, der);
    return true;
}

static bool read_request(struct arena *arena, str der, const struct pem_block *block,
                         struct store *store)
{
    if (!der_is_request(der))
        return false;
    add_entry(arena, store, ENTRY_REQUEST, block)->der = str_copy(arena, der);
    return true;
}

/* Blocks that are neither certificates nor keys, and say nothing about trust. */
static bool read_nothing(struct arena *arena, str der, const struct pem_block *block,
                         struct store *store)
{
    (void)arena, (void)der, (void)block, (void)store;
    return true;
}

// clang-format off
static const struct {
    const char *label;
    bool (*read)(struct arena *arena, str der, const struct pem_block *block, struct store *store);
} labels[] = {
    { "CERTIFICATE",             read_certificate },
    { "X509 CERTIFICATE",        read_certificate },
    { "TRUSTED CERTIFICATE",     read_trusted },
    { "X509 CRL",                read_crl },
    { "CERTIFICATE REQUEST",     read_request },
    { "NEW CERTIFICATE REQUEST", read_request },
    { "PUBLIC KEY",              read_nothing },
    { "EC PARAMETERS",           read_nothing },
    { "DSA PARAMETERS",          read_nothing },
    { "DH PARAMETERS",           read_nothing },
    { "X9.42 DH PARAMETERS",     read_nothing },
};
// clang-format on

static void read_other(struct arena *arena, const struct pem_block *block, struct store *store)
{
    AUTO(arena) struct arena scratch = { 0 };
    str der;
    size_t line;
    if (!pem_decode(&scratch, block, &der, &line)) {
        broken(arena, store, block, line, str_printf(arena, "is not base64 at line %zu", line).ptr);
        return;
    }
    for (size_t i = 0; i < COUNT(labels); i++) {
        if (!str_eq(block->label, str_c(labels[i].label)))
            continue;
        if (!labels[i].read(arena, der, block, store))
            broken(arena, store, block, block->line, "does not decode");
        return;
    }
    broken(arena, store, block, block->line, "is of a kind that is not read here");
    store->findings.items[store->findings.count - 1].severity = SEVERITY_INFO;
}

bool pem_is_key(str label)
{
    return str_ends(label, S("PRIVATE KEY"));
}

static void read_block(struct arena *arena, const struct pem_block *block,
                       const struct store_options *options, struct store *store)
{
    if (block->broken != NULL) {
        broken(arena, store, block, block->line, block->broken);
        return;
    }
    if (!pem_is_key(block->label)) {
        read_other(arena, block, store);
        return;
    }
    AUTO(EVP_PKEY) EVP_PKEY *key = NULL;
    enum key_outcome outcome = key_of_pem(block, options->password, &key);
    store_add_key(arena, store, outcome, key, block->line);
    if (outcome == KEY_OPEN && str_find(block->text, S("ENCRYPTED")) < block->text.len)
        store->entries.items[store->entries.count - 1].encrypted = true;
    if (outcome == KEY_MALFORMED)
        broken(arena, store, block, block->line, "does not decode");
}

bool pem_sniff(str bytes)
{
    return str_find(bytes, begin) < bytes.len;
}

static void note_encoding(struct arena *arena, str bytes, struct store *store)
{
    if (str_find(bytes, S("\r\n")) < bytes.len)
        finding_add(arena, &store->findings, FINDING_text_encoding, store->path,
                    S("the lines end in CRLF, which some readers refuse"));
    if (!str_starts(bytes, S("\xEF\xBB\xBF")))
        return;
    struct finding *finding =
        finding_add(arena, &store->findings, FINDING_text_encoding, store->path,
                    S("the file begins with a byte order mark, which some readers refuse"));
    if (!str_starts((str){ bytes.ptr + 3, bytes.len - 3 }, begin))
        return;
    finding->severity = SEVERITY_WARNING;
    finding->text = S("the file begins with a byte order mark: OpenSSL does not see its first "
                      "block");
}

void pem_read(struct arena *arena, str bytes, const struct store_options *options,
              struct store *store)
{
    struct pem_reader reader = { .rest = bytes, .line = 1 };
    struct pem_block block;
    note_encoding(arena, bytes, store);
    while (pem_next(&reader, &block)) {
        /* A text of a million tiny blocks must not become a million findings. */
        if (store->entries.count + store->findings.count >= STORE_ENTRIES_MAX) {
            broken(arena, store, &block, block.line, "and all after it are not read: too many");
            return;
        }
        read_block(arena, &block, options, store);
    }
}
