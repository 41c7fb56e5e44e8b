/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judge.h - would this connection work at this moment? One table (rules.h), rule by rule.
 *
 * A verdict is a function of what each end presents, trusts and demands, and of the time. It is
 * cached by exactly these, for all moments between two validity boundaries; signatures are checked
 * once per (certificate, issuer) pair. Each end judges as its service's stack does (stack.h). The
 * client judges the server first, then the server the client; the first that refuses is the
 * verdict.
 */
#ifndef TRUST_JUDGE_H
#define TRUST_JUDGE_H

#include "trust/cache.h"
#include "trust/facts.h"

/* The two ends of a link in one state: chain and anchor set ids of the model. An end's anchors are
   its trust store: what it judges the other by, and what OpenSSL completes a lone leaf from. The
   client judges unless the link's verify is none, and then still by its pins; the server judges
   what is presented unless its client_auth is none, and wants something when it is required or when
   the CN must be the user. A server or signer that has an identity and presents nothing never
   works. Of a client that chooses by issuer, client_chain is an offer's id. */
struct ends {
    uint32_t client_chain, server_chain;     /* NO_ID: presents nothing */
    uint32_t client_anchors, server_anchors; /* NO_ID: has no trust store, does not judge */
};

struct judge {
    struct model *model;     /* borrowed */
    struct facts facts;      /* facts.signature_checks: how many public key operations were made */
    struct path_cache paths; /* by chain, own anchors, the judge's anchors, role */
    struct map choices;      /* (offer, the server's anchors) -> chain id + 1; 0: none of them */
};
void judge_init(struct judge *judge, struct model *model);

/* Take it that `issuer` signed `cert`: for a planned certificate (sha256 "new:…"), which has the
   names and extensions of the one it replaces and no signature yet. */
void judge_assume_signed(struct judge *judge, uint32_t cert, uint32_t issuer);

/* Judge `link` with its ends in the given state, at `at`. */
struct verdict judge_link(struct judge *judge, const struct link *link, struct ends ends,
                          moment at);

/* The ends of `link` with every side at its loaded, or at its stored state. The server's trust
   store is that of its client_truster, also where it judges nobody with it. */
struct ends ends_loaded(struct model *model, const struct link *link);
struct ends ends_stored(struct model *model, const struct link *link);

/* The sentence for people: who refuses whom, why, which certificate, and since or until when. */
str verdict_text(struct arena *arena, const struct model *model, const struct link *link,
                 struct verdict verdict, moment at);

/* First moment after `at` when the verdict changes, INT64_MAX when it never does. */
moment forecast_link(struct judge *judge, const struct link *link, struct ends ends, moment at);

#endif
