/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe.h - one TLS connection made as a given peer would make it, and everything it showed.
 *
 * A connection is *accepted* only when the application answered after the handshake: TLS 1.3
 * reports a refused client certificate late (RFC 8446, 4.4.2.4), and some servers answer a
 * refusal in their own protocol. Each protocol's dialogue is a row: what to say before TLS
 * (prelude) and which exchange proves that the client was accepted (confirm).
 */
#ifndef TLS_PROBE_H
#define TLS_PROBE_H

#include "base/err.h"
#include "cause/catalogue.h"
#include "x509/cert.h"

enum probe_verify { PROBE_VERIFY_NONE, PROBE_VERIFY_CA, PROBE_VERIFY_FULL };

struct probe_request {
    str host; /* address or name to connect to */
    uint16_t port;
    str protocol;       /* a dialogue row's name: "tls", "postgresql" */
    str name;           /* SNI and the name to verify; empty: host */
    str user, database; /* for dialogues that log in; empty: each has its own */
    enum probe_verify verify;
    str trust_pem;       /* PEM of the anchors to verify against */
    str certificate_pem; /* the identity: chain, leaf first; empty: present nothing */
    str key_path;        /* its key's file, read by whoever runs the probe */
    str key_password;
    int timeout_ms;               /* for the whole probe; 0: 5,000 */
    int min_version, max_version; /* TLS1_2_VERSION …; 0: library default */
};

enum probe_outcome {
    PROBE_ACCEPTED,        /* the application answered */
    PROBE_REFUSED_BY_US,   /* we do not accept the server's certificate */
    PROBE_REFUSED_BY_PEER, /* an alert, or the application's own refusal of our identity */
    PROBE_NOT_TLS,         /* connected, but TLS was refused or is not spoken */
    PROBE_UNREACHABLE,     /* no connection: refused, no route, unknown name */
    PROBE_TIMEOUT,         /* connected, then silence */
    PROBE_FAILED           /* TLS failed for another reason; `text` has it */
};

struct probe_result {
    enum probe_outcome outcome;
    enum cause cause;        /* CAUSE_none when accepted */
    str text;                /* one sentence of evidence: alert, verify error, server's words */
    bool late;               /* refused after the handshake had completed on our side */
    str version, cipher;     /* "TLSv1.3"; empty if none was agreed */
    LIST(struct cert) chain; /* presented by the server, leaf first */
    bool client_certificate_requested;
    str_list acceptable_cas;        /* names the server asked for, RFC 4514 text */
    int alert_received, alert_sent; /* number (RFC 8446, 6), or -1 */
    int verify_error; /* X509_V_ERR_… of our own verification, X509_V_OK when none */
};

/* Dial, shake hands, confirm. A refusal is a result; err is for a request that makes no sense
   (unknown protocol, unreadable key). Never runs longer than its timeout. */
MUST_CHECK bool probe_run(struct arena *arena, const struct probe_request *request,
                          struct probe_result *ret_result, struct err *err);

const char *probe_outcome_name(enum probe_outcome outcome); /* "accepted", "refused_by_us", … */
void probe_emit(struct emit *emit, const char *name, const struct probe_result *result);

/* Names of the dialogues, ended by NULL: for help and completion. */
const char *const *probe_protocols(void);

#endif
