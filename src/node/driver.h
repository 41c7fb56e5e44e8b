/* SPDX-License-Identifier: Apache-2.0 */
/*
 * driver.h - what a product's driver does at a node, called by the worker.
 *
 * main() hands the worker the table of drivers; nothing below src/system/ knows a product's name.
 * A step is the JSON object of the plan (design, section 4): kind, node, service, store, expects,
 * leaves and so on. The worker calls carry_out() and undo() with the node's lease checked and its
 * lock held until they return, so a driver never checks the token itself.
 */
#ifndef NODE_DRIVER_H
#define NODE_DRIVER_H

#include "base/err.h"
#include "cause/catalogue.h"
#include "cluster/cluster.h"

#include <jansson.h>

/* Which of the states that a step names is there now. */
enum observed {
    OBSERVED_BEFORE,  /* as the step expects: it may run */
    OBSERVED_AFTER,   /* as the step leaves it: it is done */
    OBSERVED_NEITHER, /* something else: the step is stale */
    OBSERVED_UNKNOWN  /* could not be seen */
};

/* One call. Everything is borrowed for as long as it lasts. */
struct driver_call {
    struct arena *arena;          /* answers live here */
    const struct node_conf *node; /* as declared, and merged with what was discovered */
    str state;                    /* this node's state folder, absolute, owner-only */
    int timeout_ms;               /* for the whole call */
};

/* Each function may be NULL: then the driver cannot do that. An error means that it could not be
   told or done; ERR_UNCERTAIN that it may have happened, and must be observed before a repeat. */
struct driver {
    const char *name; /* node_conf's `system`; "generic" for a node that names none */

    /* What is there: a fragment that holds this node and its links, and what is wrong. */
    bool (*discover)(const struct driver_call *call, struct cluster *ret_fragment,
                     finding_list *ret_findings, struct err *err);

    /* Where the step stands, with the evidence in one sentence. */
    bool (*observe)(const struct driver_call *call, const json_t *step, enum observed *ret_observed,
                    str *ret_evidence, struct err *err);

    /* Only called on OBSERVED_BEFORE, or to undo a step that is OBSERVED_AFTER. */
    bool (*carry_out)(const struct driver_call *call, const json_t *step, str *ret_evidence,
                      struct err *err);
    bool (*undo)(const struct driver_call *call, const json_t *step, str *ret_evidence,
                 struct err *err);
};

/* The row named `name` in a table ended by NULL, or NULL. */
const struct driver *driver_find(const struct driver *const *drivers, str name);

const char *observed_name(enum observed observed); /* "before", "after", "neither", "unknown" */

#endif
