/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commands.h"
#include "node/worker.h"
#include "state/place.h"
#include "system/systems.h"

static int run_node(struct cmd *cmd, struct err *err)
{
    struct worker worker = { .drivers = systems };
    bool served = worker_harden(err) &&
                  state_node_place(&cmd->arena, cmd->global.state,
                                   cmd->words.count > 0 ? str_c(cmd->words.items[0]) : S(""),
                                   &worker.state, err) &&
                  worker_serve(&worker, STDIN_FILENO, STDOUT_FILENO, err);
    return served ? EXIT_OK : EXIT_FAILED;
}

const struct command command_node = {
    .name = "node",
    .arguments = "[NAME]",
    .words_max = 1,
    .summary = "do at this node what another reseal asks for",
    .description = "Reads requests from standard input, one JSON object a line, and answers each "
                   "with one line. Started by reseal itself, here or over SSH.",
    .hidden = true,
    .run = run_node,
};
