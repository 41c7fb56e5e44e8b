/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.h - the steps from here to a cluster whose certificates are good, and the proof that no
 * working connection breaks on the way.
 *
 * Pure: (model, goal) -> plan. Nothing here knows a product's name.
 *
 * A plan is a list of waves; the steps of a wave may run side by side. Ordering rules (order.c)
 * come from the links: an anchor is in every trust store that will meet it, and loaded, before an
 * identity that needs it is presented; replicas before the primary; `max_unavailable` services of a
 * group at a time; an old anchor goes last, after a hold. The proof (proof.c) knows none of these
 * rules: it judges every link in every state that the waves can leave it in, and a plan that it
 * does not bear out is refused.
 *
 * A step's id is a hash of kind, node, service, store, expects and leaves, so the same step has
 * the same id in every plan that holds it, whenever that was made.
 */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include "base/emit.h"
#include "trust/judge.h"

/* kind, what it does (design, section 4) */
// clang-format off
#define STEP_KINDS(X)                                                                  \
    X(snapshot, "save what will be changed, and read it back")                         \
    X(issue,    "make the key and the request, get the certificate")                   \
    X(trust,    "add an anchor to a trust store")                                      \
    X(distrust, "remove an anchor from a trust store")                                 \
    X(replace,  "put an anchor in the place of the one that a store has room for")     \
    X(expect,   "stage the next pin beside the one that is remembered")                \
    X(forget,   "remove a pin of what is shown no more")                               \
    X(install,  "write the new certificate and key beside the old ones")               \
    X(switch,   "point the one reference at the new files")                            \
    X(refresh,  "reload or reconnect a service, so that it uses what is stored")       \
    X(hold,     "wait until nobody presents what an anchor vouches for")               \
    X(verify,   "connect as each peer and read the certificates on the wire")
// clang-format on

#define STEP_ENUM(id, text) STEP_##id,
enum step_kind { STEP_KINDS(STEP_ENUM) STEP_KIND_COUNT };
#undef STEP_ENUM

struct step {
    str id; /* 16 hex digits */
    enum step_kind kind;
    str node, service; /* names; service is empty for a step on a store alone */
    str store;         /* store name on the node, or empty */
    str certificate; /* "sha256:…", or "new:<id of the issue step>"; of pins "spki:…" or "cert:…"
                        with a digest or "new:<id>"; empty when none is meant */
    str expects, leaves;
    str text;             /* one sentence */
    uint32_t identity;    /* identity id in the model, or NO_ID */
    uint32_t trust_store; /* trust store id in the model, or NO_ID */
    uint32_t new_cert;    /* cert id of the planned certificate, the anchor that comes or goes, or
                             the pin; or NO_ID */
    uint32_t new_chain;   /* chain id that install or switch leaves, or NO_ID */
    bool new_key;         /* issue, install, switch: the certificate comes with a key of its own */
    bool in_place;        /* install: over the old files, as no reference can be switched */
    /* Keys of links. What restarts is not there for a moment and breaks no handshake, so the proof
       judges those links all the same; of those that are refused handshakes fail until a later
       step. */
    str_list outage, refused;
    str why; /* there is no order without the outage: what refuses, in a sentence */
};

struct wave {
    LIST(uint32_t) steps; /* indices into the plan's steps */
    uint64_t judged;      /* link states judged */
    str_list broken;      /* keys of links that a state of this wave breaks; empty in a proof */
    str_list why;         /* of each, the verdict in that state in a sentence */
    str_list outage;      /* keys of links that its steps declare */
};

/* A trust store that keeps an anchor which goes elsewhere, and the link that needs it. */
struct plan_kept {
    uint32_t store;
    str link;
};

struct plan {
    str cluster;
    LIST(struct step) steps;
    LIST(struct wave) waves;
    str_list unrepaired;         /* links that do not work even after the last wave */
    bool proven;                 /* no wave breaks a link that it does not declare */
    LIST(uint32_t) retired;      /* cert ids of the anchors that it takes out of trust stores */
    LIST(struct plan_kept) kept; /* where they stay */
};

/* What an issue step will bring, or has brought, where that is known when the plan is made: the
   steps stay what they were, the proof is about the certificate that came. */
struct plan_known {
    str step;
    uint32_t chain;
};

struct plan_goal {
    str cluster;
    moment now;
    int64_t renew_before; /* seconds: an identity that ends within this is renewed */
    int64_t lifetime;     /* seconds, of new certificates */
    bool renew_all;       /* also those that are not due */
    LIST(uint32_t)
    replaces;     /* with renew_all, the leaves that were there when it was begun: what is
                     another is done. NO_ID: one that is nowhere any more. None: all */
    moment since; /* when this was begun: what was due then is due; 0: now */
    bool keep_key;
    uint32_t issuer; /* cert id of the issuing CA */
    uint32_t anchor; /* cert id of the root that vouches for it: itself where it is a root */
    LIST(uint32_t) sent_along; /* what follows a new leaf: intermediates, a cross certificate */
    bool replace_others;       /* what another CA issued is due, and its anchors go */
    bool keep_anchors;         /* no anchor goes */
    bool retiring;             /* anchors go, or went already: they are put out of memory too */
    LIST(uint32_t) retire;     /* anchors that go too, as nobody needs them any more */
    LIST(struct plan_known) known;
    uint64_t max_unavailable; /* of each group of services */
};

/* The ordering rules. The active ones are a table of their own (order_rules.c), so that a test
   program can be linked without one and show that it is needed. */
enum order_rule {
    ORDER_TRUST_FIRST,     /* anchors are stored and loaded before an identity needs them */
    ORDER_PRIMARY_LAST,    /* replicas before the primary */
    ORDER_MAX_UNAVAILABLE, /* so many services in one wave, no more */
    ORDER_ONE_REFERENCE,   /* a new key goes to new names, and one reference is switched */
    ORDER_DISTRUST_LAST,   /* an anchor goes when nobody presents what it vouches for */
    ORDER_HOLD,            /* and when that has been seen, not only planned */
    ORDER_PIN_FIRST,       /* the next pin is stored and loaded before it is needed */
    ORDER_FORGET_LAST,     /* a pin goes when what it remembers is shown no more */
    ORDER_PINNED_KEY,      /* a key that is remembered where nothing can be changed is kept */
    ORDER_SHARED_STORE,    /* a store that several services read is renewed once */
    ORDER_ONE_ANCHOR,      /* where there is room for one, it is replaced when the fewest need it */
    ORDER_RULE_COUNT
};
extern const bool order_rule_active[ORDER_RULE_COUNT];

/* Plan and prove. The model gains the planned certificates ("new:<id>") and is otherwise left as
   it was. */
void plan_make(struct arena *arena, struct judge *judge, const struct plan_goal *goal,
               struct plan *ret_plan);

/* What one identity or trust store is to return to. */
struct plan_return {
    uint32_t identity; /* or NO_ID */
    uint32_t chain;    /* what the identity presented */
    bool new_key;      /* its key goes back too */
    bool in_place;
    uint32_t trust_store; /* or NO_ID */
    uint32_t anchor;      /* what the trust store is to lose */
    bool regain;          /* it lost it: it is to have it again */
};
typedef LIST(struct plan_return) plan_return_list;

/* The way back to an earlier state, proven like any plan: the anchors that were taken out first,
   then identities, replicas before the primary, and at the end the anchors that only the later
   ones needed. */
void plan_back(struct arena *arena, struct judge *judge, const struct plan_goal *goal,
               const plan_return_list *returns, struct plan *ret_plan);

/* Whether the plan has an outage in which handshakes are refused. */
bool plan_refuses(const struct plan *plan);

/* Judge every state of every wave; fills the waves' judged, broken and outage, and the plan's
   unrepaired and proven. */
void plan_prove(struct arena *arena, struct judge *judge, moment now, struct plan *plan);

/* What the plan was made from: a store's path and the SHA-256 of its bytes. */
struct plan_source {
    str store, digest;
};
typedef LIST(struct plan_source) plan_source_list;

/* The members of the plan document (design, section 6), into an object that the caller opened and
   closes: the profile diff is the caller's to add. */
void plan_emit(struct emit *emit, struct model *model, const struct plan *plan,
               const plan_source_list *made_from);

/* The leaf that a renewal of this identity replaces: as stored, or where nothing is any more as a
   service presents it; NO_ID: nothing says what it was. */
uint32_t plan_replaced(const struct model *model, uint32_t identity);

const char *step_kind_name(enum step_kind kind);
const char *step_kind_text(enum step_kind kind);
bool step_kind_parse(str name, enum step_kind *ret_kind);
bool step_is_of_anchors(enum step_kind kind); /* changes a store of anchors */
bool step_is_of_pins(enum step_kind kind);    /* changes a store of pins */

#endif
