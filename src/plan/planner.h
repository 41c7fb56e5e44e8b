/* SPDX-License-Identifier: Apache-2.0 */
/*
 * planner.h - a plan under construction: waves, steps and the turns of services. For order.c, which
 * plans a renewal, and back.c, which plans the way back.
 */
#ifndef PLAN_PLANNER_H
#define PLAN_PLANNER_H

#include "base/groups.h"
#include "plan/plan.h"
#include "plan/state.h"

/* One identity that changes. */
struct renewal {
    uint32_t identity;  /* in the model */
    uint32_t old_leaf;  /* cert id: what it replaces, plan_replaced(); or NO_ID */
    uint32_t new_cert;  /* cert id of the leaf that will be there, planned or known */
    uint32_t new_chain; /* chain id that begins with it */
    str certificate;    /* what steps call it: one that was issued for this plan is "new:…" */
    bool new_key, in_place;
    bool installs; /* of the identities that share its store, the one whose turn comes first */
    bool copy;     /* made from another store, which has its certificate already or gets it first */
};

/* What is true of a certificate and its key whoever reads them: of the identities that share a
   store. */
struct pair {
    bool due;
    bool at_once;       /* each reader reads it as a whole, when it is told to; or there is none */
    bool beside;        /* otherwise, each has a reference that can be switched */
    bool takes_new_key; /* it and its copies, and no reader meets half of one */
    bool pinned;        /* somebody remembers its key for good, or that of a copy */
    bool mismatch;      /* the key is not the certificate's */
    bool is_copy;
};

/* An anchor that a trust store gains or loses. */
struct anchor_change {
    uint32_t store, anchor;
    str name; /* what steps call it, where that is not its own name: a pin of "new:…" */
};
typedef LIST(struct anchor_change) anchor_change_list;

/* A store with room for one anchor that is to hold another one. */
#define SWAP_NEVER SIZE_MAX       /* it would do more harm than good */
#define SWAP_LAST  (SIZE_MAX - 1) /* after the hold */
struct swap {
    uint32_t store, anchor;
    bool stored;           /* the anchor is there already, and is not loaded everywhere */
    size_t before;         /* the batch that it comes before, or one of the above */
    LIST(uint32_t) breaks; /* links that no moment keeps up */
};

/* One end of a link that is judged by the other. */
struct judged_end {
    const struct link *link;
    bool client;       /* the client's certificate, by the server */
    uint32_t identity; /* whose chain it is; or NO_ID */
    uint32_t own, by;  /* trusters: of the end that presents, of the end that judges; or NO_ID */
};

/* Each of them: what the server or signer shows, and everything that the client may. */
void planner_ends(const struct model *model, const struct link *link,
                  void (*each)(void *context, const struct judged_end *end), void *context);

/* A service that takes part, in the order in which services are changed. One turn is of all that
   load together. */
struct turn {
    uint32_t service;    /* stands for them: model_process() */
    size_t batch;        /* services of one batch may be changed side by side */
    bool loads_trust;    /* must load because its trust stores gain, or have gained, an anchor */
    bool unloads_trust;  /* must load because they lose one */
    bool unloads_pins;   /* the same, of pins that wait for nobody */
    bool loads_identity; /* must load because stored and loaded differ, now or by the plan */
    bool loads_swap;     /* must load because the only anchor of a store has just been replaced */
    bool swaps_alone;    /* is here because of such a store alone, which may stay as it is */
    LIST(uint32_t) renewals; /* indices */
};

struct planner {
    struct arena *arena;
    struct judge *judge;
    struct model *model;
    const struct plan_goal *goal;
    struct plan *plan;
    LIST(struct renewal) renewals;
    anchor_change_list gains, losses;
    struct map gain_ids; /* (store, anchor) of the gains */
    LIST(struct swap) swaps;
    uint32_t *swap_of; /* by trust store: index of its swap, or NO_ID */
    size_t certs;      /* of the model, before the planned ones */
    bool *leaving;     /* by cert id: an anchor that may go */
    LIST(struct turn) turns;
    size_t batches;
    bool *of_signers;     /* by trust store: a signer is held against it */
    struct pair *pairs;   /* by first identity of a store; not on the way back */
    bool *replaces;       /* by cert id: one of the goal's; NULL: everything is to be replaced */
    bool *pinned_key;     /* by first identity of a store: somebody remembers its key for good */
    uint32_t *renewal_of; /* by identity: index of its renewal, or NO_ID */
    uint32_t *source_of;  /* by identity: the one that it is a copy of, or NO_ID */
    uint32_t *turn_of;    /* by service that stands for others: index of its turn, or NO_ID */
    struct map texts;     /* what steps expect and leave, each once */
    struct groups services_of_process, links_of_process; /* by the service that stands for them */
};

void planner_init(struct planner *planner, struct arena *arena, struct judge *judge,
                  const struct plan_goal *goal, struct plan *ret_plan);

struct wave *wave_add(struct planner *planner);
void wave_drop_if_empty(struct planner *planner); /* a wave without a step is none */

struct step step_make(enum step_kind kind, str node, str service, str store);

/* Append; the id is taken here, so expects and leaves must be known. */
struct step *step_add(struct planner *planner, struct wave *wave, struct step step);
str step_id(struct arena *arena, const struct step *step);

/* A text that several steps have. */
str planner_text(struct planner *planner, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* "sha256:…", "new:…", or "absent" for NO_ID. */
str planner_fingerprint(struct planner *planner, uint32_t cert);
str planner_expected(struct planner *planner, const struct renewal *renewal); /* what is stored */
uint32_t planner_leaf(const struct model *model, uint32_t chain); /* NO_ID when there is none */

void planner_renew(struct planner *planner, const struct renewal *renewal);
const struct renewal *renewal_of(const struct planner *planner, uint32_t identity);

/* Whether the goal's issuer signed the leaf of this chain, or what the chain's others vouch for. */
bool planner_is_ours(const struct planner *planner, uint32_t chain);

bool planner_is_copy(const struct model *model, uint32_t store);

/* Copies of a store gain what it gains, and it what they gain. What a store with room for one gains
   takes the place of what it has. */
void planner_gain(struct planner *planner, uint32_t store, uint32_t anchor);
void planner_gain_named(struct planner *planner, const struct anchor_change *change);
void planner_lose(struct planner *planner, uint32_t store, uint32_t anchor);

/* Stores with room for one anchor (swaps.c). A swap is noted by planner_gain() or planner_lose(),
   false when it was before; once there are turns each gets its moment. What is placed is carried
   out by planner_swaps() in each place. */
bool planner_swap(struct planner *planner, uint32_t store, uint32_t anchor);
struct swap *planner_swap_of(const struct planner *planner, uint32_t store); /* NULL: none */
bool planner_reads_swap(const struct planner *planner, uint32_t truster);
void planner_find_swap_turns(struct planner *planner); /* a part of planner_find_turns() */
void planner_place_swaps(struct planner *planner);
void planner_swaps(struct planner *planner, size_t before);

/* What is stored once every store has what it gains, and those with room for one are as they were.
 */
void planner_state_with_gains(struct planner *planner, struct arena *arena,
                              struct state *ret_state);

/* The turn of a service, made when there is none yet. Good until the next call. */
struct turn *planner_turn(struct planner *planner, str node, str service);

/* Whether `truster` runs on with what it read until it is made to load (per_session: a session
   reads at its beginning, and only then). */
bool truster_must_load(const struct truster *truster);

/* What the renewals make of pins (pins.c): identities whose key must stay, before there are
   renewals; pins that are needed, and pins that may go. */
void planner_find_signers(struct planner *planner); /* a part of planner_init() */
void planner_find_pinned_keys(struct planner *planner);
void planner_find_pins(struct planner *planner);

/* Whether what leaves this store waits for a hold: anchors, and pins that a signer is held against.
 */
bool planner_is_held(const struct planner *planner, uint32_t store);

uint32_t planner_without_pins(const struct planner *planner, uint32_t set);

/* What the renewals make of the trust stores (anchors.c): the anchors that may go, the anchors that
   are needed without those, and of those that may go the ones that somebody needs after all, which
   stay. In this order; and once swaps are placed, which anchors a hold waits for. */
void planner_find_losses(struct planner *planner);
void planner_find_gains(struct planner *planner);
void planner_keep_needed(struct planner *planner);
void planner_note_retired(struct planner *planner);

/* The losses in the order in which they go: one anchor after another, each after those that it
   vouches for. A cross certificate that stays behind without its root leads OpenSSL astray, though
   another root of its name is there. */
void planner_sort_losses(struct planner *planner);

/* Pairs and copies (pairs.c): all but `due` of the pairs, once pinned keys are known; the copies
   that follow a renewal or lag behind; the anchors that copies of trust stores lack. */
void planner_find_pairs(struct planner *planner);
void planner_find_copies(struct planner *planner);
void planner_find_copied_anchors(struct planner *planner);

/* A turn for every service whose identity changes or is stored otherwise than loaded, and all turns
   in batches: replicas before the primary, max_unavailable of a group in each. */
void planner_find_turns(struct planner *planner);
void planner_sort_turns(struct planner *planner);

/* The turns of a batch are [from, planner_batch_end()). */
size_t planner_batch_end(const struct planner *planner, size_t from);

/* A wave of loads for those of the turns [from, end) that have to, or a wave for each batch. */
enum planner_load { LOADS_GAINS, LOADS_SWAPS, LOADS_IDENTITY, LOADS_FORGETS, LOADS_LOSSES };
void planner_loads(struct planner *planner, enum planner_load what, size_t from, size_t end);
void planner_all_loads(struct planner *planner, enum planner_load what);

/* What the proof found to break and to work in the end has no order that keeps it up: it is
   declared as an outage of the step that breaks it. */
void planner_prove(struct planner *planner);

/* One wave of snapshots of all that changes; anchors and pins into stores, and loaded batch by
   batch (planner_expects() is a part of that); pins out of stores that wait for no hold; install,
   switch and load batch by batch; holds; anchors out of stores, and no longer loaded; one
   wave of verifications. Each puts in nothing where there is nothing to do. */
void planner_snapshots(struct planner *planner);
void planner_gains(struct planner *planner);
void planner_expects(struct planner *planner);
void planner_forgets(struct planner *planner);
void planner_identities(struct planner *planner);
void planner_holds(struct planner *planner);
void planner_losses(struct planner *planner);
void planner_verifications(struct planner *planner);

#endif
