/* SPDX-License-Identifier: Apache-2.0 */
/* commands.h - one line per command file. */
#ifndef CMD_COMMANDS_H
#define CMD_COMMANDS_H

#include "cmd/cmd.h"

extern const struct command command_apply;
extern const struct command command_check;
extern const struct command command_cross_sign; /* below issuer */
extern const struct command command_discover;
extern const struct command command_generate;
extern const struct command command_inspect;
extern const struct command command_history;
extern const struct command command_issuer;
extern const struct command command_help;
extern const struct command command_lab;
extern const struct command command_node;
extern const struct command command_plan;
extern const struct command command_renew;
extern const struct command command_rollback;

#endif
