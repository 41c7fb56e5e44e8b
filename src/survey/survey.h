/* SPDX-License-Identifier: Apache-2.0 */
/*
 * survey.h - the cluster as it is: what the drivers discover, what the stores hold and what the
 * services present, as a model that can be judged and planned on.
 *
 * Fills the cluster in with what the drivers find at nodes that this machine holds (reach local),
 * reads every store, and connects once to each service that listens to see which certificate it
 * has loaded. What is wrong on the way is a finding; an error means that there is no picture.
 */
#ifndef SURVEY_SURVEY_H
#define SURVEY_SURVEY_H

#include "cluster/cluster.h"
#include "node/driver.h"
#include "trust/judge.h"

struct survey_options {
    const struct driver *const *drivers; /* ended by NULL */
    moment now;
    int timeout_ms; /* for each service's probe; 0: 5,000 */
    bool offline;   /* do not connect: everything is taken to run with what is stored */
};

/* A store's file and the SHA-256 of its bytes: what a plan is made from. */
struct survey_source {
    str path, digest; /* digest as "sha256:…" */
};

struct survey {
    struct arena *arena; /* borrowed */
    struct cluster *cluster;
    moment now; /* what stores are judged at */
    struct model model;
    struct judge judge;
    finding_list findings;
    LIST(struct survey_source) sources;
    LIST(bool) seen; /* by service id: its certificate was read on the wire */
};

/* Look at everything. `cluster` gains what is discovered. */
MUST_CHECK bool survey_run(struct arena *arena, struct cluster *cluster,
                           const struct survey_options *options, struct survey *ret_survey,
                           struct err *err);

/* Intern the certificate file of the issuer; NO_ID and a finding when it cannot be read. */
uint32_t survey_issuer(struct survey *survey, moment now);

#endif
