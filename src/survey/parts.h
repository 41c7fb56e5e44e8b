/* SPDX-License-Identifier: Apache-2.0 */
/* parts.h - the rows of the model, one declared thing at a time. */
#ifndef SURVEY_PARTS_H
#define SURVEY_PARTS_H

#include "survey/survey.h"

/* The answer of a node that is in the cluster. */
const struct seen_node *survey_seen_node(const struct survey *survey, str node);

/* The id of "node/service:store", made when it is not there yet; NO_ID when nothing was seen of the
   store. */
uint32_t survey_identity(struct survey *survey, const struct node_conf *node,
                         const struct service_conf *service, str store, enum load_mode load);

/* The id of "node/store", or of the store that is the same file; NO_ID when nothing was seen of it.
 */
uint32_t survey_trust_store(struct survey *survey, const struct node_conf *node, str name);

/* The stores that a truster has: names on its node, and pins that are nobody's to change. */
struct survey_trust {
    const str_list *anchors, *pins;
    uint32_t fixed; /* trust store id, or NO_ID */
};

/* NO_ID when nothing was seen of any of them. */
uint32_t survey_truster(struct survey *survey, const struct node_conf *node,
                        const struct service_conf *service, const struct survey_trust *trust,
                        enum load_mode load);

/* What the cluster file itself remembers of a service ("node/service"); NO_ID: nothing. */
uint32_t survey_fixed_pins(struct survey *survey, str service);

bool survey_chooses_by_issuer(const struct service_conf *service);

/* When what the service trusts takes effect. */
enum load_mode survey_trust_load(const struct service_conf *service);

/* When what a service connects with, or what it judges servers by, takes effect. A driver's own
   outgoing connection lives as long as its session and a pure client reads at each; a declared
   service loads everything as `declared`. */
enum load_mode survey_client_load(const struct node_conf *node, const struct service_conf *service,
                                  str declared);

/* The model of all that is declared, discovered and seen. */
void survey_build(struct survey *survey);

/* Add the service with its identities and trusters. */
void survey_add_service(struct survey *survey, const struct node_conf *node,
                        const struct service_conf *service);

/* A row for each certificate that the server, or a client that does not choose by issuer, may show;
   they follow each other. False when one of its ends is not in the model. */
bool survey_add_link(struct survey *survey, const struct link_conf *link);

/* Stores that are made from others, once every service and link is in the model. */
void survey_add_copies(struct survey *survey);

/* Whether the row is the first of its link: what is said and done once for each link. */
bool survey_is_first(const struct survey *survey, uint32_t link);

/* Pins that match nothing which is shown to those who hold them. */
void survey_look_at_pins(struct survey *survey);

/* What each service presents and asks for is what it has loaded. */
void survey_look_at_wire(struct survey *survey);

/* Who is connected: standbys that do not stream or run on with an older certificate, and peers that
   nobody declared. */
void survey_look_at_peers(struct survey *survey);

#endif
