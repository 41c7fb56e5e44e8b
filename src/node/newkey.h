/* SPDX-License-Identifier: Apache-2.0 */
/* newkey.h - a private key made where it will be used, and the request for its certificate. */
#ifndef NODE_NEWKEY_H
#define NODE_NEWKEY_H

#include "base/err.h"
#include "base/str.h"

struct newkey_request {
    str path;        /* absolute; its snapshot must say absent */
    str type;        /* "EC" (P-256) or "RSA" */
    int bits;        /* RSA: 2048 to 8192 */
    str like;        /* owner as this file's; empty: ours */
    str subject_der; /* the request's subject; empty: `common_name` */
    str common_name;
    str_list san; /* "DNS:db1", "IP:127.0.0.1", "email:…", "URI:…" */
};

struct newkey {
    str spki_sha256; /* hex */
    str spki_der, request_der;
};

/* Make the key (0600), or use the one that an earlier try left at `path`: a file there is never
   replaced. `state` and `apply` are as in file.h. The key itself never leaves this function. */
MUST_CHECK bool newkey_make(struct arena *arena, str state, str apply,
                            const struct newkey_request *request, struct newkey *ret_key,
                            struct err *err);

/* Whether the leaf in `chain_pem` belongs to the key at `key_path`; ERR_REFUSED when not. */
MUST_CHECK bool newkey_matches(str chain_pem, str key_path, struct err *err);

#endif
