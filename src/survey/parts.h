/* SPDX-License-Identifier: Apache-2.0 */
/* parts.h - the rows of the model, one declared thing at a time. */
#ifndef SURVEY_PARTS_H
#define SURVEY_PARTS_H

#include "survey/survey.h"

/* The answer of a node that is in the cluster. */
const struct seen_node *survey_seen_node(const struct survey *survey, str node);

/* Add the service with its identities and trusters. */
void survey_add_service(struct survey *survey, const struct node_conf *node,
                        const struct service_conf *service);

/* False when one of its ends is not in the model. */
bool survey_add_link(struct survey *survey, const struct link_conf *link);

/* What each service presents and asks for is what it has loaded. */
void survey_look_at_wire(struct survey *survey);

/* Who is connected: standbys that do not stream or run on with an older certificate, and peers that
   nobody declared. */
void survey_look_at_peers(struct survey *survey);

#endif
