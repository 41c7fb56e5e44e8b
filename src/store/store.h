/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h - what a file holds: certificates, keys and requests, whatever its format.
 *
 * One row per format: name, sniff, read. The format is found by content, never by extension. What
 * is wrong inside a store is a finding; an error means that the bytes could not be had at all.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/err.h"
#include "cause/catalogue.h"
#include "store/outcome.h"
#include "x509/cert.h"
#include "x509/pin.h"

/* A store with more entries and findings than this is not read further. */
enum { STORE_ENTRIES_MAX = 20000 };

enum entry_kind { ENTRY_KEY, ENTRY_TRUSTED, ENTRY_REQUEST, ENTRY_CRL, ENTRY_PIN };

struct entry {
    enum entry_kind kind;
    str alias;   /* "1", "2", … by position where the format has no names */
    size_t line; /* of its first line in a text format, or 0 */
    const struct cert
        *cert;           /* ENTRY_TRUSTED: the certificate; ENTRY_KEY: the one it matches here */
    str key_spki_sha256; /* ENTRY_KEY: empty while the key stays locked */
    str key_type;        /* ENTRY_KEY: "RSA", …; empty while locked */
    bool encrypted;      /* ENTRY_KEY: protected by a password */
    str der;             /* ENTRY_CRL and ENTRY_REQUEST: its bytes. Never a private key. */
    struct pin pin;      /* ENTRY_PIN */
};

struct store {
    str path;
    const char *format;         /* the row's name: "pem", "der", "pins" */
    LIST(struct entry) entries; /* in the file's order */
    finding_list findings;
};

/* A password is borrowed; ptr NULL means none was given. */
struct store_options {
    str password;
    moment now;           /* for expired and expiring */
    int64_t renew_before; /* seconds; 0 means no `expiring` findings */
};

struct store_format {
    const char *name;
    bool (*sniff)(str bytes);
    /* Fills entries and findings; never fails: what it cannot read is a finding. */
    void (*read)(struct arena *arena, str bytes, const struct store_options *options,
                 struct store *store);
};

/* Every format, ended by a row without a name. */
extern const struct store_format store_formats[];

/* Read the store at `path`. An unreadable or oversized file is an error. */
MUST_CHECK bool store_read(struct arena *arena, const char *path,
                           const struct store_options *options, struct store *ret_store,
                           struct err *err);

/* The same from bytes in memory; `source` is what to call them in findings. */
void store_parse(struct arena *arena, str source, str bytes, const struct store_options *options,
                 struct store *ret_store);

/* For the format rows: append an entry, its alias being its position. The pointer is good until
   the next one is added. */
struct entry *store_add(struct arena *arena, struct store *store, enum entry_kind kind);

/* The same for a key as it was found, with the finding when it could not be opened. `key` is
   borrowed and may be NULL; a malformed key adds nothing. */
void store_add_key(struct arena *arena, struct store *store, enum key_outcome outcome,
                   EVP_PKEY *key, size_t line);

#endif
