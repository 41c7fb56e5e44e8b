/* SPDX-License-Identifier: Apache-2.0 */
/* place.h - where reseal keeps what it must remember. */
#ifndef STATE_PLACE_H
#define STATE_PLACE_H

#include "base/err.h"
#include "base/str.h"

/* The state folder, absolute, created owner-only if it is not there: `given` (--state) if it is
   not NULL, /var/lib/reseal for root, else $XDG_STATE_HOME/reseal or ~/.local/state/reseal. */
MUST_CHECK bool state_place(struct arena *arena, const char *given, str *ret_dir, struct err *err);

/* The folder of node `name` below `given`, or below nodes/NAME of the usual place; made when
   something is first kept in it. A coordinator's --state does not matter: two who change the same
   node must meet at the same lease. */
MUST_CHECK bool state_node_place(struct arena *arena, const char *given, str name, str *ret_dir,
                                 struct err *err);

#endif
