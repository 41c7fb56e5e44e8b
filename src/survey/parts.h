/* SPDX-License-Identifier: Apache-2.0 */
/* parts.h - the rows of the model, one declared thing at a time. */
#ifndef SURVEY_PARTS_H
#define SURVEY_PARTS_H

#include "survey/survey.h"

#include "store/identity.h"

/* Read the service's stores and add its identities, trusters and the service itself. */
void survey_add_service(struct survey *survey, const struct node_conf *node,
                        const struct service_conf *service);

/* False when one of its ends is not in the model. */
bool survey_add_link(struct survey *survey, const struct link_conf *link);

/* Connect to each service that listens: what it presents is what it has loaded. */
void survey_look_at_wire(struct survey *survey, const struct survey_options *options);

#endif
