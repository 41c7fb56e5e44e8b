/* SPDX-License-Identifier: Apache-2.0 */
/* ldap.h - the LDAP dialogue: StartTLS (RFC 4511, 4.14), then a search that anyone may ask. */
#ifndef TLS_LDAP_H
#define TLS_LDAP_H

#include "tls/dialogue.h"

/* What an LDAPMessage answers (RFC 4511, 4.1.1 and 4.1.9). */
enum { LDAP_SEARCH_DONE = 0x65, LDAP_EXTENDED = 0x78 };
struct ldap_answer {
    uint32_t id;        /* of the request; 0: nobody asked */
    uint32_t operation; /* its tag: these two, which carry a result, or any other */
    uint32_t result;    /* 0: success, or no result */
    str text;           /* the server's words, borrowed; empty when there are none */
};

/* Read the content of an LDAPMessage; false when it is not one. */
bool ldap_read(str content, struct ldap_answer *ret_answer);

enum wire_end ldap_prelude(struct talk *talk);

/* Over TLS 1.3 the server says nothing about our certificate until it is asked something: the root
   of its directory, without attributes. Whatever it answers to that, it accepted TLS. */
enum wire_end ldap_confirm(struct talk *talk);

#endif
