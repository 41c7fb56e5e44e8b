/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judge.h - would this connection work at this moment? One table, rule by rule.
 *
 * A verdict is a function of what each end presents, trusts and demands, and of the time. It is
 * cached by exactly these; signatures are checked once per (certificate, issuer) pair. Each rule
 * names its RFC section and speaks as OpenSSL 3 decides (partial chains off, security level 2).
 */
#ifndef TRUST_JUDGE_H
#define TRUST_JUDGE_H

#include "cause/catalogue.h"
#include "trust/model.h"

/* The two ends of a link in one state: chain and anchor set ids of the model. */
struct ends {
    uint32_t client_chain, server_chain;     /* NO_ID: presents nothing */
    uint32_t client_anchors, server_anchors; /* NO_ID: does not judge the other end */
};

struct verdict {
    bool ok;
    enum cause cause;     /* CAUSE_none when ok */
    uint32_t certificate; /* cert id that the cause is about, or NO_ID */
    bool client_side;     /* the certificate at fault is the client's */
    moment until;         /* first moment after `at` when a validity boundary can change this */
};

struct judge {
    struct model *model; /* borrowed */
    struct map signatures; /* (cert, issuer) -> 0 | 1 */
    struct map paths;      /* (chain, anchors, purpose, at) -> verdict */
    LIST(struct verdict) verdicts;
    uint64_t signature_checks; /* how many public key operations were made */
};
void judge_init(struct judge *judge, struct model *model);

/* Take it that `issuer` signed `cert`: for a planned certificate (sha256 "new:…"), which has the
   names and extensions of the one it replaces and no signature yet. */
void judge_assume_signed(struct judge *judge, uint32_t cert, uint32_t issuer);

/* Judge `link` with its ends in the given state, at `at`. */
struct verdict judge_link(struct judge *judge, const struct link *link, struct ends ends,
                          moment at);

/* The ends of `link` with every side at its loaded, or at its stored state. */
struct ends ends_loaded(const struct model *model, const struct link *link);
struct ends ends_stored(struct model *model, const struct link *link);

/* The sentence for people: what, which certificate, which side, and until or since when. */
str verdict_text(struct arena *arena, const struct model *model, const struct link *link,
                 struct verdict verdict, moment at);

/* First moment after `at` when the verdict changes, INT64_MAX when it never does. */
moment forecast_link(struct judge *judge, const struct link *link, struct ends ends, moment at);

#endif
