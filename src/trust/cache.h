/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache.h - verdicts on paths, by what they rest on: four small numbers. A large cluster has
 * millions of them, so a row is small and is found with two looks into memory.
 */
#ifndef TRUST_CACHE_H
#define TRUST_CACHE_H

#include "base/arena.h"
#include "base/clock.h"
#include "cause/catalogue.h"

#include <stdint.h>

struct verdict {
    bool ok;
    bool client_side; /* the certificate at fault is the client's, not the server's or signer's */
    uint16_t rule;    /* rules.h: the one that is broken; RULE_COUNT when ok */
    enum cause cause; /* CAUSE_none when ok */
    uint32_t certificate; /* cert id that the cause is about, or NO_ID */
    moment until;         /* first moment after `at` when a validity boundary can change this */
};

struct path_key {
    uint32_t chain, own_anchors, anchors;
    uint32_t judged_as; /* the judge's stack and the other end's role, in one */
};

/* How one end's certificate fared, for all moments in [since, verdict.until). */
struct judged {
    struct path_key key;
    struct verdict verdict;
    moment since;
    uint32_t known; /* certificates in the model then: a new one can tell a better cause */
};

enum { CACHE_CHUNK = 256 };

struct path_cache {
    struct arena *arena; /* borrowed */
    struct cache_slot *slots;
    uint32_t cap, count;          /* cap is a power of two, or 0 */
    LIST(struct judged *) chunks; /* of CACHE_CHUNK rows each */
};

/* The row with this key; a new one is zeroed but for the key, and `ret_new` is true. It stays where
   it is. */
struct judged *cache_row(struct path_cache *cache, struct path_key key, bool *ret_new);

#endif
