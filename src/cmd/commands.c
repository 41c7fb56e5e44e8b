/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commands.h"

/* In the order of the help. */
// clang-format off
const struct command *const commands[] = {
    &command_inspect,
    &command_check,
    &command_plan,
    &command_renew,
    &command_apply,
    &command_rollback,
    &command_history,
    &command_discover,
    &command_issuer,
    &command_lab,
    &command_help,
    &command_generate,
    &command_node,
    NULL,
};
// clang-format on
