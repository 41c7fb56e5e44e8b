/* SPDX-License-Identifier: Apache-2.0 */
/*
 * driver.h - what is special about a product, at its node: a row of functions that the worker
 * calls.
 *
 * main() hands the worker the table of drivers; nothing below src/system/ knows a product's name.
 * The steps themselves are the same for every product (change.h): a driver only says where things
 * are, which one file names an identity, and how a service is made to load what is stored. The
 * worker calls what changes anything with the node's lease checked and its lock held.
 */
#ifndef NODE_DRIVER_H
#define NODE_DRIVER_H

#include "base/err.h"
#include "cause/catalogue.h"
#include "cluster/cluster.h"
#include "x509/cert.h"

/* Which of the states that a step names is there now. */
enum observed {
    OBSERVED_BEFORE,  /* as the step expects: it may run */
    OBSERVED_AFTER,   /* as the step leaves it: it is done */
    OBSERVED_NEITHER, /* something else: the step is stale */
    OBSERVED_UNKNOWN  /* could not be seen */
};
const char *observed_name(enum observed observed); /* "before", "after", "neither", "unknown" */
bool observed_parse(str name, enum observed *ret_observed);

/* One call. Everything is borrowed for as long as it lasts. */
struct driver_call {
    struct arena *arena;          /* answers live here */
    const struct node_conf *node; /* as declared, and filled in with what was discovered */
    str state;                    /* this node's state folder, absolute, owner-only */
    int timeout_ms;               /* for the whole call */
};

struct identity_files {
    str certificate, key; /* absolute */
};

/* One file that names an identity, with the text that would make it name another. */
struct file_edit {
    str path;
    str now, then; /* the whole text as it is and as it would be */
};

/* Somebody who is connected over TLS. */
struct peer {
    str user, database; /* "replication" for a walreceiver */
    str address;
    str name;    /* what it calls itself, or empty */
    str subject; /* common name of its certificate; empty: it showed none */
    str serial;  /* of its certificate, hex without leading zeros; empty: it showed none */
    str state;   /* of a replication stream: "streaming" */
};
typedef LIST(struct peer) peer_list;

/* Each function may be NULL: then there is nothing special about that. An error means that it could
   not be told or done; ERR_UNCERTAIN that it may have happened, and is observed before a repeat. */
struct driver {
    const char *name; /* node_conf's `system`; "generic" for a node that names none */

    /* What is there: a fragment that holds this node and its links, and what is wrong. */
    bool (*discover)(const struct driver_call *call, struct cluster *ret_fragment,
                     finding_list *ret_findings, struct err *err);

    /* The one file that names the identity `store` of `service`, and its text when it names `files`
       instead. An empty path: nothing names it that could be switched. */
    bool (*refer)(const struct driver_call *call, const struct service_conf *service, str store,
                  const struct identity_files *files, struct file_edit *ret_edit, struct err *err);

    /* Make the service use what is stored, and wait until it says that it does. */
    bool (*refresh)(const struct driver_call *call, const struct service_conf *service,
                    str *ret_evidence, struct err *err);

    /* OBSERVED_AFTER when it uses what is stored or does not run, OBSERVED_BEFORE when not. */
    bool (*loaded)(const struct driver_call *call, const struct service_conf *service,
                   enum observed *ret_observed, str *ret_evidence, struct err *err);

    /* The part that the service plays now: "primary", "replica"; empty: none. */
    bool (*role)(const struct driver_call *call, const struct service_conf *service, str *ret_role,
                 struct err *err);

    bool (*peers)(const struct driver_call *call, const struct service_conf *service,
                  peer_list *ret_peers, struct err *err);

    /* Whether the service says that all is well with it; *ret_text has what it says. */
    bool (*health)(const struct driver_call *call, const struct service_conf *service,
                   bool *ret_healthy, str *ret_text, struct err *err);

    /* The certificates of `store` that the running service has loaded; *ret_known is false where
       that cannot be told. */
    bool (*memory)(const struct driver_call *call, const struct service_conf *service,
                   const struct store_conf *store, cert_list *ret_certs, bool *ret_known,
                   struct err *err);
    bool remembers; /* what services load is kept on record (loaded.h), as nothing else tells */
};

/* The row named `name` in a table ended by NULL, or NULL. */
const struct driver *driver_find(const struct driver *const *drivers, str name);

/* Fill in the node that `call` is about, which is the one of `fragment`, with what the driver
   finds, and add its links. Where a file names an identity, that file is right about it and not the
   declaration. */
MUST_CHECK bool driver_resolve(const struct driver *driver, struct driver_call *call,
                               struct cluster *fragment, finding_list *ret_findings,
                               struct err *err);

#endif
