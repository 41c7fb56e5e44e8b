/* SPDX-License-Identifier: Apache-2.0 */
/*
 * present.h - what an end really sends.
 *
 * When the identity holds the leaf alone, OpenSSL (so PostgreSQL and libpq) builds the chain from
 * the end's own trust store and sends all that it finds there, the root too. Removing an
 * intermediate from a trust file can so break what is sent.
 */
#ifndef TRUST_PRESENT_H
#define TRUST_PRESENT_H

#include "trust/path.h"

/* The chain id that an end with `chain` and the trust store `own_anchors` (NO_ID: none) sends;
   narrows [*since, *until) where the moment matters. `chain` may be NO_ID and is then the answer.
 */
uint32_t present_chain(struct facts *facts, uint32_t chain, uint32_t own_anchors, moment at,
                       moment *since, moment *until);

#endif
