/* SPDX-License-Identifier: Apache-2.0 */
/*
 * change.h - one step of a plan at its node: where it stands, and doing it.
 *
 * The kinds are a closed set (plan.h) and the same for every product; what differs is the driver's
 * (driver.h). Whoever carries one out holds the node's lease. Every file that is written was saved
 * first, is compared with what was expected right before, and is replaced in one rename.
 *
 * `issue` is done in two requests, since the issuer is elsewhere: pending.h. `verify` is done from
 * the peers.
 */
#ifndef NODE_CHANGE_H
#define NODE_CHANGE_H

#include "node/driver.h"
#include "node/pending.h"
#include "node/protocol.h"
#include "plan/plan.h"

struct change {
    enum step_kind kind;
    str id, service, store;
    str certificate; /* "sha256:…", or "new:<id of the issue step>"; of pins as in plan.h */
    str expects, leaves;
    bool new_key, in_place;
    str anchor;   /* DER, of trust and replace */
    str replaced; /* DER, of issue: what a service presents where no certificate is stored */
    str pin;      /* of expect and forget: its name (x509/pin.h); empty while what it is to remember
                     has not been issued */
    str role;     /* the part that the plan took the service for; empty: none */
    str from;     /* the apply whose snapshot holds a "sha256:…" that is gone back to */
};
MUST_CHECK bool change_parse(struct arena *arena, const json_t *step, struct change *ret_change,
                             struct err *err);

/* Where and for whom. */
struct change_site {
    const struct driver *driver;
    const struct driver_call *call; /* its node is resolved */
    str apply;                      /* whose snapshot must hold what is changed */
};

/* Where the step stands, with the evidence in one sentence. */
MUST_CHECK bool change_observe(const struct change_site *site, const struct change *change,
                               enum observed *ret_observed, str *ret_evidence, struct err *err);

/* Only on OBSERVED_BEFORE. ERR_CONFLICT when it is something else by now. */
MUST_CHECK bool change_carry_out(const struct change_site *site, const struct change *change,
                                 str *ret_evidence, struct err *err);

/* What would stop the step: a folder that cannot be written, a disk that is full, a key that cannot
   be opened. Nothing is changed. */
MUST_CHECK bool change_preflight(const struct change_site *site, const struct change *change,
                                 struct err *err);

/* Where an issue step's key and certificate are. The password lives in the site's arena. */
MUST_CHECK bool change_pending(const struct change_site *site, const struct change *change,
                               struct pending_place *ret_place, struct err *err);

/* The stored leaf of the identity that the change is about. */
MUST_CHECK bool change_leaf(const struct change_site *site, const struct change *change,
                            struct cert *ret_leaf, bool *ret_there, struct err *err);

#endif
