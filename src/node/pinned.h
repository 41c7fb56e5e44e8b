/* SPDX-License-Identifier: Apache-2.0 */
/* pinned.h - expect and forget: one pin of a store of pins, as change.h has it. */
#ifndef NODE_PINNED_H
#define NODE_PINNED_H

#include "node/change.h"

MUST_CHECK bool pinned_observe(const struct change_site *site, const struct change *change,
                               enum observed *ret_observed, str *ret_evidence, struct err *err);

/* *ret_evidence is what was observed. ERR_REFUSED while what is to be remembered is not issued. */
MUST_CHECK bool pinned_change(const struct change_site *site, const struct change *change,
                              str *ret_evidence, struct err *err);

#endif
