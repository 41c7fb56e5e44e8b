/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"

/* In the order of the help. */
const struct command *const commands[] = {
    NULL,
};
