/* SPDX-License-Identifier: Apache-2.0 */
/*
 * perform.h - an approved plan from beginning to end: the lease, the plan made again, preflight,
 * the steps, the proof on the wire, the journal.
 *
 * Nothing is touched before everything that can be known has been looked at. A failure leaves the
 * apply open in the journal: the next run goes on with it, or a rollback undoes it. So does a step
 * that waits, which is no failure.
 */
#ifndef APPLY_PERFORM_H
#define APPLY_PERFORM_H

#include "apply/run.h"

/* The journal's outcome of an apply that changed nothing: it found everything done, or had lost its
   lease. There is nothing of it to undo. */
#define PERFORM_NOTHING "nothing done"

struct perform_options {
    str state;                          /* the coordinator's own folder */
    str take_over;                      /* whose lease may be taken; empty: nobody's */
    const struct journal_apply *undone; /* a rollback: what is undone; NULL: a renewal */
    void (*watch)(void *context, const struct apply_event *event);
    void *context;
};

struct performed {
    int64_t apply;    /* its number in the journal; 0: nothing was begun */
    bool resumed;     /* it went on with an apply that had been stopped */
    size_t steps;     /* that were left to do */
    size_t verified;  /* services */
    size_t unseen;    /* of them, known by what is stored: nothing connects to them or from them */
    size_t forgotten; /* requests that were waited for and are not any more */
    size_t waits;     /* steps that wait: it has not come to its end, and nothing failed */
    str holder;       /* on ERR_CONFLICT: who holds the lease */
};

MUST_CHECK bool perform(struct arena *arena, struct survey *survey, const struct approved *approved,
                        const struct perform_options *options, struct performed *ret_performed,
                        struct err *err);

#endif
