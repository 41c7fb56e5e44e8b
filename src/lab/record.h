/* SPDX-License-Identifier: Apache-2.0 */
/* record.h - lab.json: what was started, so that status and down need no guessing. */
#ifndef LAB_RECORD_H
#define LAB_RECORD_H

#include "lab/lab.h"

MUST_CHECK bool lab_record_write(const struct lab *lab, struct err *err);

/* ERR_REFUSED when there is no lab in `dir`. After a reboot no process of it is named. */
MUST_CHECK bool lab_record_read(struct arena *arena, str dir, struct lab *ret_lab, struct err *err);

/* The names and paths of the `count` nodes of `lab`. */
void lab_name_nodes(struct arena *arena, struct lab *lab);

#endif
