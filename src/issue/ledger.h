/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger.h - everything that a local CA has ever issued: `ledger.jsonl` beside its certificate.
 *
 * One JSON object a line, only ever appended to, synced before the certificate leaves the CA, so
 * that a killed issue finds what it had made. A line that was cut short (a full disk, a kill) is
 * skipped and reported: its certificate never left. The whole of look-up and append happens under
 * the file's lock.
 */
#ifndef ISSUE_LEDGER_H
#define ISSUE_LEDGER_H

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"

struct ledger_entry {
    moment time;
    str step; /* the plan's step that asked for it */
    str serial, subject, sha256, spki_sha256;
    str_list san;
    moment not_before, not_after;
    str certificate; /* DER */
};

struct ledger {
    LIST(struct ledger_entry) entries; /* oldest first */
    size_t damaged;                    /* lines that could not be read */
    size_t damaged_line;               /* the last of them, from 1; 0: none */
};

/* The ledger of the CA whose certificate is at `certificate_path`. */
str ledger_path(struct arena *arena, const char *certificate_path);

/* Read the whole ledger; a file that is not there yet is an empty one. */
MUST_CHECK bool ledger_read(struct arena *arena, const char *path, struct ledger *ret_ledger,
                            struct err *err);

/* The newest entry for this key and step that is still valid at `now`, or NULL. */
const struct ledger_entry *ledger_find(const struct ledger *ledger, str spki_sha256, str step,
                                       moment now);

/* Open (or create, owner only) the ledger and wait for its lock, which closing releases. */
MUST_CHECK bool ledger_lock(const char *path, int *ret_fd, struct err *err);

/* Append and sync. After an error nothing may leave the CA. */
MUST_CHECK bool ledger_append(int fd, const struct ledger_entry *entry, struct err *err);

#endif
