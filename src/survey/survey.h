/* SPDX-License-Identifier: Apache-2.0 */
/*
 * survey.h - the cluster as it is: what the drivers discover, what the stores hold and what the
 * services present, as a model that can be judged and planned on.
 *
 * The worker at each node looks (node/look.h), all of them side by side; the cluster is filled in
 * with what they find. What is wrong on the way is a finding; an error means that there is no
 * picture.
 */
#ifndef SURVEY_SURVEY_H
#define SURVEY_SURVEY_H

#include "reach/fleet.h"
#include "survey/seen.h"
#include "trust/judge.h"

struct survey_options {
    moment now;
    int timeout_ms; /* for each node's answer; 0: 20,000 */
    bool offline;   /* do not connect: everything is taken to run with what is stored */
};

/* Somebody who is connected and whom no link declares. */
struct undeclared {
    uint32_t service; /* the server */
    const struct peer *peer;
    str text; /* who it is, as in the finding */
};

struct survey {
    struct arena *arena; /* borrowed */
    struct cluster *cluster;
    struct fleet *fleet; /* borrowed */
    moment now;          /* what stores are judged at */
    struct model model;
    struct judge judge;
    finding_list findings;
    seen_file_list sources;       /* every store's files, as they were */
    struct cluster declared;      /* as the file has it: its nodes are what requests carry */
    LIST(struct seen_node) nodes; /* by index of cluster->nodes */
    LIST(uint32_t) shown;         /* by service id: identity that it shows by itself, or NO_ID */
    LIST(bool) seen;              /* by service id: its certificate was read on the wire */
    LIST(const struct link_conf *) to; /* by link id: what it was made from */
    LIST(struct undeclared) undeclared;
    LIST(const struct link_conf *) unseen; /* not in the model: a node of theirs did not answer */
    struct survey_index *index;            /* by name (index.h); NULL: not made yet */
};

/* Look at everything. `cluster` gains what is discovered. */
MUST_CHECK bool survey_run(struct arena *arena, struct cluster *cluster, struct fleet *fleet,
                           const struct survey_options *options, struct survey *ret_survey,
                           struct err *err);

/* Look again, with the same workers, into a cluster and a survey of their own. */
MUST_CHECK bool survey_again(struct arena *arena, const struct survey *survey,
                             struct cluster *ret_cluster, struct survey *ret_survey,
                             struct err *err);

/* Whether a service presents what was in a store ("node/store") that has no certificate now. */
bool survey_shows_gone(const struct survey *survey, str store);

/* The declared node of that name as a request carries it; empty when there is none. */
str survey_node_text(const struct survey *survey, str node);

/* Whether the node answered. */
bool survey_reached(const struct survey *survey, str node);

/* The issuer's certificate file, interned: its first certificate is the issuer, the others are its
   chain. */
struct survey_issuer {
    uint32_t issuer;           /* NO_ID, with a finding, when it cannot be read */
    uint32_t anchor;           /* the root above it, in the file or in any trust store, or NO_ID */
    LIST(uint32_t) sent_along; /* what follows a leaf: all of the file that is not self-issued */
};
void survey_issuer(struct survey *survey, moment now, struct survey_issuer *ret_issuer);

/* The same for an issuer that declares no certificate: the CA that signed every certificate which
   is stored now. `issuer` is NO_ID when that is not one whose root is known, and *ret_why says so.
 */
void survey_signer(struct survey *survey, struct survey_issuer *ret_issuer, str *ret_why);

#endif
