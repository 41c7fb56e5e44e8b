/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pem.h - the blocks of a PEM text (RFC 7468), with what surrounds them ignored.
 *
 * Read as leniently as OpenSSL reads: any text around the blocks, CRLF, blanks at line ends. A
 * block that is cut short or corrupt is still reported, with the line it is at.
 */
#ifndef STORE_PEM_H
#define STORE_PEM_H

#include "store/store.h"

struct pem_block {
    str label;          /* "CERTIFICATE" */
    str text;           /* from its BEGIN to the end of its END line, line feed included */
    str body;           /* the lines between: headers and base64 */
    size_t line;        /* of BEGIN, from 1 */
    size_t offset;      /* of BEGIN, from 0 */
    const char *broken; /* why it is no block: "has no END line"; NULL when it is one */
};

/* Start with `{ .rest = bytes, .line = 1 }`. */
struct pem_reader {
    str rest;
    size_t line, offset;
};

bool pem_next(struct pem_reader *reader, struct pem_block *ret_block); /* false at the end */

/* The bytes of a block's base64, without its headers. False when it is not base64, with the line
   that is wrong. */
MUST_CHECK bool pem_decode(struct arena *arena, const struct pem_block *block, str *ret_der,
                           size_t *ret_line);

bool pem_is_key(str label); /* "PRIVATE KEY" and every "… PRIVATE KEY" */

bool pem_sniff(str bytes);
void pem_read(struct arena *arena, str bytes, const struct store_options *options,
              struct store *store);

#endif
