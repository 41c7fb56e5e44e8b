/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.h - a plan carried out: wave by wave, the nodes of a wave side by side, with a journal.
 *
 * A step is done when its node, asked again, sees it as the plan leaves it. What the node says of
 * its own success is evidence and no proof. After a failure nothing more is begun; what was done
 * stays, the next run plans from there.
 *
 * A step can also wait, for a person or for time: it is neither done nor failed, and the run ends
 * well where its outcome is needed. The next run comes to the same step, if it is still planned.
 */
#ifndef APPLY_RUN_H
#define APPLY_RUN_H

#include "apply/approved.h"
#include "apply/hold.h"
#include "issue/local.h"
#include "state/journal.h"

/* A step that waits, and what for. */
struct apply_wait {
    const struct step *step;
    str evidence;
};

/* What happened to a step, for whoever watches. */
struct apply_event {
    const struct step *step;
    enum journal_state state;
    str evidence;
    size_t total; /* steps of this run */
};

/* What an issue step has come to. */
struct apply_issued {
    str step;
    struct cert leaf;
};

struct apply {
    struct arena *arena;
    struct survey *survey;   /* that the plan was made from, under the lease */
    const struct plan *plan; /* proven */
    const struct hold *hold;
    struct journal *journal;
    struct journal_apply record; /* begun, or one that is gone on with */
    const struct local_ca *ca;   /* open, where the issuer is local and something is issued */
    const awaited_list *awaited; /* where it is not: what was asked for, and who is to sign */
    str authority;
    size_t total;            /* steps of this run, for whoever watches */
    size_t done;             /* how many were seen done, or may be */
    size_t verified, unseen; /* services; those of them that showed nothing on the wire */
    LIST(struct apply_wait) waits;
    LIST(struct apply_issued) issued;                              /* as far as it has been seen */
    void (*watch)(void *context, const struct apply_event *event); /* NULL: nobody */
    void *context;
};

/* Carry out every step but the verifications, or those before what has to wait: then `waits` says
   for what. False with the first failure. */
MUST_CHECK bool apply_run(struct apply *apply, struct err *err);

/* Write the event to the journal and show it. */
MUST_CHECK bool apply_note(struct apply *apply, const struct step *step, enum journal_state state,
                           str evidence, struct err *err);

/* Ask a step's node about it: `op` is one of observe, preflight. The caller owns *ret_answer. */
MUST_CHECK bool apply_ask(struct apply *apply, const struct step *step, const char *op,
                          json_t **ret_answer, struct err *err);

/* Whether the step's node sees it done. */
MUST_CHECK bool apply_is_done(struct apply *apply, const struct step *step, bool *ret_done,
                              str *ret_evidence, struct err *err);

#endif
