/* SPDX-License-Identifier: Apache-2.0 */
/* applying.h - what renew, apply and rollback share: asking, showing progress, saying how it ended.
 */
#ifndef CMD_APPLYING_H
#define CMD_APPLYING_H

#include "apply/perform.h"
#include "cmd/open.h"

struct applying_flags {
    bool yes;
    const char *take_over;
};
// clang-format off
#define APPLYING_TAKE_OVER(owner, member) \
    { "take-over", 0, OPTION_TEXT, "HOLDER", "go on although HOLDER has the lease, as the refusal named them", NULL, OPTION_AT(owner, const char *, member.take_over) }
#define APPLYING_YES(owner, member) \
    { "yes", 'y', OPTION_FLAG, NULL, "do not ask", NULL, OPTION_AT(owner, bool, member.yes) }
// clang-format on

/* Ask on the terminal; without one it is refused, and `next` is how to say yes. */
MUST_CHECK bool applying_agreed(struct cmd *cmd, bool yes, const char *question, const char *next,
                                struct err *err);

/* The apply of this cluster whose number is `word`; where there is none, refused with those that
   there are. */
MUST_CHECK bool applying_named(struct cmd *cmd, struct journal *journal, str cluster,
                               const char *word, struct journal_apply *ret_apply, struct err *err);

/* Carry the approved plan out, showing each step; returns the exit code. On failure what to type to
   go on and to go back is part of the error. `again` is the command line that goes on. */
int applying_run(struct cmd *cmd, struct survey *survey, const struct approved *approved,
                 const struct journal_apply *undone, const char *take_over, const char *again,
                 struct err *err);

/* Say that there is nothing to carry out, as a document or in these words; the exit code. */
int applying_nothing(struct cmd *cmd, const char *words);

#endif
