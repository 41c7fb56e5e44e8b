/* SPDX-License-Identifier: Apache-2.0 */
/* seen.h - what a node's worker answered when it was told to look (node/look.h), as values. */
#ifndef SURVEY_SEEN_H
#define SURVEY_SEEN_H

#include "cause/catalogue.h"
#include "cluster/cluster.h"
#include "node/driver.h"
#include "store/pins.h"
#include "x509/cert.h"

#include <jansson.h>

struct seen_file {
    str path, state; /* "sha256:…" or "absent" */
};
typedef LIST(struct seen_file) seen_file_list;

struct seen_store {
    str name;
    bool trust;             /* otherwise an identity */
    cert_list certificates; /* in the file's order */
    pin_list pins;          /* the same, of a store of pins */
    str key_spki_sha256;    /* empty while the key is missing or locked */
    bool matches;
    bool gone; /* no certificate is where it should be, though its key is */
    seen_file_list files;
};

/* What it presents who asks for a name (SNI). */
struct seen_name {
    str name;
    cert_list presented; /* leaf first; empty: it refused, or did not answer */
};
typedef LIST(struct seen_name) seen_name_list;

/* What a service has loaded of a store. */
struct seen_loaded {
    str store;
    cert_list certificates;
};

struct seen_service {
    str name;
    bool asked; /* it listens and was connected to */
    str outcome, text;
    cert_list presented; /* leaf first */
    seen_name_list named;
    bool certificate_requested;
    str_list acceptable_cas;
    LIST(struct seen_loaded) loaded; /* of the stores where that can be told */
    bool peers_known;
    peer_list peers;
};

/* What a node's own resolver says of a host that it dials. */
struct seen_host {
    str name;
    str_list addresses;
};

struct seen_node {
    bool reached;
    moment clock;       /* the node's, when it answered */
    str loopback;       /* the same for nodes that share one (node/network.h) */
    str_list addresses; /* that others may use */
    LIST(struct seen_host) hosts;
    LIST(struct seen_store) stores;
    LIST(struct seen_service) services;
};

/* Everything is copied into `arena`. `fragment` gets the node as it is and its links. */
MUST_CHECK bool seen_read(struct arena *arena, const json_t *answer, struct seen_node *ret_node,
                          struct cluster *ret_fragment, finding_list *findings, struct err *err);

const struct seen_store *seen_store(const struct seen_node *node, str name);
const str_list *seen_host(const struct seen_node *node, str name); /* NULL: nobody asked */
const struct seen_service *seen_service(const struct seen_node *node, str name);

/* What `service` has loaded of `store`; NULL where that cannot be told. */
const cert_list *seen_loaded(const struct seen_node *node, str service, str store);

#endif
