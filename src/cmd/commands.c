/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commands.h"

/* In the order of the help. */
const struct command *const commands[] = {
    &command_inspect,
    &command_check,
    &command_issuer,
    &command_lab,
    &command_generate,
    NULL,
};
