/* SPDX-License-Identifier: Apache-2.0 */
/* run.h - a command run as a service's user, and whether that user can read a file. */
#ifndef NODE_RUN_H
#define NODE_RUN_H

#include "base/err.h"
#include "base/str.h"

enum { RUN_OUTPUT_MAX = 64 * 1024 }; /* more is read and dropped */

struct run_result {
    int exit_code; /* 128 + the signal's number where one ended it */
    str output;    /* standard output and standard error */
};

/* Run the argument vector, never through a shell, as `user` (empty: as ourselves) with a clean
   environment. Past the timeout its process group is killed and the error is ERR_UNCERTAIN. */
MUST_CHECK bool run_as(struct arena *arena, const str_list *argv, str user, int timeout_ms,
                       struct run_result *ret_result, struct err *err);

/* Whether `user` may read `path`, folders on the way included; judged by a child that is them. */
MUST_CHECK bool run_can_read(str path, str user, bool *ret_can, struct err *err);

#endif
