/* SPDX-License-Identifier: Apache-2.0 */
/* run.h - commands and questions run as a service's user, and what that user can read. */
#ifndef NODE_RUN_H
#define NODE_RUN_H

#include "base/err.h"
#include "base/str.h"

enum { RUN_OUTPUT_MAX = 64 * 1024, RUN_PRINT_MAX = 1024 * 1024 }; /* more is read and dropped */

struct run_result {
    int exit_code; /* 128 + the signal's number where one ended it */
    str output;    /* standard output and standard error */
};

/* Run the argument vector, never through a shell, as `user` (empty: as ourselves) with a clean
   environment. Past the timeout its process group is killed and the error is ERR_UNCERTAIN. */
MUST_CHECK bool run_as(struct arena *arena, const str_list *argv, str user, int timeout_ms,
                       struct run_result *ret_result, struct err *err);

/* What a command prints on its standard output, as ourselves, with NAME=VALUE texts added to the
   clean environment. A command that fails is an error that quotes its standard error. `arena`
   should wipe where it prints a secret. */
MUST_CHECK bool run_print(struct arena *arena, const str_list *argv, const str_list *environment,
                          int timeout_ms, str *ret_output, struct err *err);

/* Call `work` in a child that is `user`. What it writes to `out` is the output, what it returns the
   exit code; it may use libraries that could hang or abort. */
MUST_CHECK bool run_call(struct arena *arena, str user, int timeout_ms,
                         int (*work)(int out, void *context), void *context,
                         struct run_result *ret_result, struct err *err);

/* The name of the user who owns `path`; empty when there is no such file or user. */
str run_owner(struct arena *arena, str path);

/* A user's home folder; empty when there is no such user. */
str run_home(struct arena *arena, str user);

/* Whether `user` may read `path`, folders on the way included; judged by a child that is them. */
MUST_CHECK bool run_can_read(str path, str user, bool *ret_can, struct err *err);

#endif
