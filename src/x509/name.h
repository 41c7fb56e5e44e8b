/* SPDX-License-Identifier: Apache-2.0 */
/* name.h - names in certificates: their texts, and whether two of them are the same. */
#ifndef X509_NAME_H
#define X509_NAME_H

#include "base/str.h"

#include <openssl/x509v3.h>

/* RFC 4514 text, most specific first: "CN=db1,O=Orders". */
str name_of_x500(struct arena *arena, const X509_NAME *name);

/* "DNS:db1", "IP:127.0.0.1", "URI:…", "email:…", "DirName:CN=…", "RID:1.2.3",
   "othername:1.2.3". */
str name_of_general(struct arena *arena, const GENERAL_NAME *name);

str name_of_ia5(struct arena *arena, const ASN1_STRING *string); /* its bytes as they are */
str name_of_oid(struct arena *arena, const ASN1_OBJECT *object); /* "1.2.840.10045.2.1" */

/* Whether two DER names are equal as RFC 5280, 7.1 compares them (case and blanks folded). */
bool name_equal(str der, str other_der);

/* Whether a certificate's name covers `host`: equal without case, or "*.rest" for one label.
   Where OpenSSL and libpq differ this is libpq: no "d*.example", but "*.lan" is accepted. */
bool name_matches(str pattern, str host);

/* `text` as an IP address in its canonical spelling, in `space`; empty when it is none. */
enum { NAME_IP_MAX = 46 };
str name_ip(char space[NAME_IP_MAX], str text);

#endif
