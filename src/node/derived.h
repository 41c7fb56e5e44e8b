/* SPDX-License-Identifier: Apache-2.0 */
/*
 * derived.h - a store that is made from another one of its node: the same certificates and key
 * copied, in one file or two, or what a declared command prints.
 *
 * The command gets its source's paths in the environment: RESEAL_CERTIFICATE and RESEAL_KEY, or
 * RESEAL_CERTIFICATES. Its output is the file's content; it writes nothing itself.
 */
#ifndef NODE_DERIVED_H
#define NODE_DERIVED_H

#include "node/driver.h"

/* What a pair that is derived has to hold when its source is `source`: in one file, or in two. */
struct derived_pair {
    str certificate_bytes, key_bytes; /* key_bytes is empty where both are one file */
};
MUST_CHECK bool derived_pair(const struct driver_call *call, const struct store_conf *store,
                             const struct identity_files *source, struct derived_pair *ret_pair,
                             struct err *err);

/* An anchor that comes (`der`) or goes (empty); one that comes alone takes the place of all that is
   there. */
struct anchor_edit {
    str sha256, der;
    bool alone;
};

/* What a store of anchors, derived or not, has to be after the edit of the text `now`: edited, or
   what the command prints, if nothing else is lost by that. */
MUST_CHECK bool derived_anchors(const struct driver_call *call, const struct store_conf *store,
                                str now, const struct anchor_edit *edit, str *ret_text,
                                struct err *err);

/* Whether the files of `store` at `files` have the certificates and the key that its source has at
   `source`. */
MUST_CHECK bool derived_same_pair(const struct driver_call *call, const struct store_conf *store,
                                  const struct identity_files *files,
                                  const struct identity_files *source, bool *ret_same,
                                  struct err *err);

/* How `store` differs from what it is derived from, in one sentence; empty when it does not. */
MUST_CHECK bool derived_differs(const struct driver_call *call, const struct store_conf *store,
                                str *ret_text, struct err *err);

#endif
