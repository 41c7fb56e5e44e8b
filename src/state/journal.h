/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal.h - what was done, when, and its evidence: one SQLite file in the state folder.
 *
 * Written by the coordinator alone and synced before it goes on. It is a hint for people and for
 * resuming: what is true is found by observing. No secret is ever in it.
 */
#ifndef STATE_JOURNAL_H
#define STATE_JOURNAL_H

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"

#include <sys/types.h>

// clang-format off
#define JOURNAL_STATES(X)                                                                      \
    X(PLANNED, "planned") X(STARTED, "started") X(DONE, "done") X(VERIFIED, "verified")        \
    X(FAILED, "failed") X(UNCERTAIN, "uncertain") X(WAITING, "waiting") X(UNDONE, "undone")
// clang-format on
#define JOURNAL_ENUM(id, name) JOURNAL_##id,
enum journal_state { JOURNAL_STATES(JOURNAL_ENUM) JOURNAL_STATE_COUNT };
#undef JOURNAL_ENUM
const char *journal_state_name(enum journal_state state);

/* One run of apply. */
struct journal_apply {
    int64_t id; /* set by journal_begin() */
    str cluster_id, cluster_name;
    int64_t token;
    str snapshot; /* what it is called at the nodes */
    str undoes;   /* the snapshot that a rollback goes back to; empty: it is no rollback */
    str plan;     /* JSON */
    moment started;
    moment ended; /* 0 while it is not ended */
    str outcome;  /* "done", "rolled back", "given up"; empty while it is not ended */
    str host;
    pid_t pid;
};
typedef LIST(struct journal_apply) journal_apply_list;

struct journal_event {
    str step; /* the step's id */
    enum journal_state state;
    moment at;
    str evidence;
};
typedef LIST(struct journal_event) journal_event_list;

struct journal; /* an open journal */
void journal_close(struct journal *journal);
DEFINE_AUTO(journal, struct journal *, journal_close(*handle))

/* Open or create `state`/journal.sqlite; a journal of a newer reseal is refused. */
MUST_CHECK bool journal_open(str state, struct journal **ret_journal, struct err *err);

/* Everything in `apply` but id, ended and outcome is recorded. */
MUST_CHECK bool journal_begin(struct journal *journal, struct journal_apply *apply,
                              struct err *err);
MUST_CHECK bool journal_step(struct journal *journal, int64_t apply,
                             const struct journal_event *event, struct err *err);
MUST_CHECK bool journal_end(struct journal *journal, int64_t apply, moment at, str outcome,
                            struct err *err);

/* Applies of one cluster (all when the id is empty), newest first, without their plans. */
MUST_CHECK bool journal_list(struct arena *arena, struct journal *journal, str cluster_id,
                             journal_apply_list *ret_applies, struct err *err);

/* One apply with its plan; ERR_USAGE when there is none of that id. */
MUST_CHECK bool journal_get(struct arena *arena, struct journal *journal, int64_t apply,
                            struct journal_apply *ret_apply, struct err *err);

/* Its events in the order in which they happened. */
MUST_CHECK bool journal_events(struct arena *arena, struct journal *journal, int64_t apply,
                               journal_event_list *ret_events, struct err *err);

/* Where a step of an apply stands: the last that became of it, less what only began again. */
struct journal_standing {
    str step;
    enum journal_state state; /* planned, or one that it came to */
    moment since; /* when it came there first: a step that waits is run again and again */
    str evidence; /* the newest */
};
typedef LIST(struct journal_standing) journal_standing_list;

/* Every step that the apply has an event of, in the order in which they have one. */
MUST_CHECK bool journal_standings(struct arena *arena, struct journal *journal, int64_t apply,
                                  journal_standing_list *ret_standings, struct err *err);

/* The newest apply of the cluster that has not ended: *ret_found says whether there is one. */
MUST_CHECK bool journal_unfinished(struct arena *arena, struct journal *journal, str cluster_id,
                                   bool *ret_found, struct journal_apply *ret_apply,
                                   struct err *err);

#endif
