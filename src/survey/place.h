/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place.h - where an address leads, seen from a node: 127.0.0.1 is another machine on each of them,
 * and who listens everywhere is known by each of its machine's addresses.
 */
#ifndef SURVEY_PLACE_H
#define SURVEY_PLACE_H

#include "survey/survey.h"

/* Whether what node `from` dials as `address` (host:port) is this service of node `to`. */
bool place_leads_to(const struct survey *survey, const struct node_conf *from, str address,
                    const struct node_conf *to, const struct service_conf *service);

/* What node `from` dials to reach the service where no setting of its own says it; empty when it
   listens nowhere. */
str place_to_dial(const struct survey *survey, const struct node_conf *from,
                  const struct node_conf *to, const struct service_conf *service);

#endif
