/* SPDX-License-Identifier: Apache-2.0 */
/* planning.h - what the commands that plan share: their options, and a plan as people read it. */
#ifndef CMD_PLANNING_H
#define CMD_PLANNING_H

#include "apply/planning.h"
#include "cmd/open.h"

struct planning_flags {
    bool all, keep_key, new_issuer, allow_outages;
    const char *without; /* names with commas between them */
};
// clang-format off
#define PLANNING_OPTIONS(owner, member) \
    { "all", 'a', OPTION_FLAG, NULL, "renew every certificate, also those that are not due", NULL, OPTION_AT(owner, bool, member.all) }, \
    { "keep-key", 0, OPTION_FLAG, NULL, "keep the private keys", NULL, OPTION_AT(owner, bool, member.keep_key) }, \
    { "new-issuer", 0, OPTION_FLAG, NULL, "replace what another CA than the cluster file's issuer issued, and take that CA's anchors out at the end", NULL, OPTION_AT(owner, bool, member.new_issuer) }, \
    { "allow-outages", 0, OPTION_FLAG, NULL, "carry out a plan that cannot do without refusing connections for a while", NULL, OPTION_AT(owner, bool, member.allow_outages) }, \
    { "without", 0, OPTION_TEXT, "NODE,...", "leave these nodes out", NULL, OPTION_AT(owner, const char *, member.without) }
// clang-format on

/* The flags as they were typed, each with a blank before it. */
const char *planning_flags_text(struct cmd *cmd, const struct planning_flags *flags);

/* Read the cluster file without the nodes of these names, which may be NULL. */
MUST_CHECK bool cmd_open_without(struct cmd *cmd, const char *names, struct opened *opened,
                                 struct err *err);

/* The same, then look at the rest and plan. `begun` is what an apply that was stopped had set out
   to do, NULL when there is none: it is gone on with where it was asked for in the same way. */
MUST_CHECK bool cmd_plan(struct cmd *cmd, const struct planning_flags *flags,
                         const struct planning_options *begun, struct opened *opened,
                         struct planning *ret_planning, struct err *err);

/* A refusal that says nothing of what to type may be about what an authority sent. Returns false.
 */
bool planning_refused(struct cmd *cmd, const struct cluster *cluster, struct err *err);

/* Waves, what changes in the certificates, proof, and what was found on the way. `in_full` is the
   command that shows a wave, less its number; NULL: there is none. */
void planning_print(struct cmd *cmd, const struct planning *planning, const char *in_full);

/* The command line for that. */
const char *planning_in_full(struct cmd *cmd, const struct planning_flags *flags);

/* One wave with all names, or "all" of them one by one; false where the plan has none of that
   number. `in_full` as above. */
MUST_CHECK bool planning_print_wave(struct cmd *cmd, const struct planning *planning,
                                    const char *which, const char *in_full, struct err *err);

/* What should be known before anyone agrees to the plan: undeclared peers, services that are down.
 */
void planning_print_findings(struct cmd *cmd, const struct survey *survey);

#endif
