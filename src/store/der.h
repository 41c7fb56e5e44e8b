/* SPDX-License-Identifier: Apache-2.0 */
/* der.h - a file that holds one DER value: a certificate, a key, a request or a CRL. */
#ifndef STORE_DER_H
#define STORE_DER_H

#include "store/store.h"

/* Length of the SEQUENCE that `bytes` begin with, header included; 0 when they do not, or when it
   is longer than they are. */
size_t der_length(str bytes);

bool der_is_crl(str der);
bool der_is_request(str der);

bool der_sniff(str bytes);
void der_read(struct arena *arena, str bytes, const struct store_options *options,
              struct store *store);

#endif
