/* SPDX-License-Identifier: Apache-2.0 */
/*
 * links.h - links tried on the wire, each by its real client: from its own node, with its own
 * files, as its own user, under the name that it dials.
 */
#ifndef SURVEY_LINKS_H
#define SURVEY_LINKS_H

#include "survey/survey.h"

struct tried {
    bool asked;       /* false: it was not wanted, or its client's node has no worker */
    bool accepted;    /* the application answered */
    bool as_stored;   /* and what it presented is what its store holds */
    enum cause cause; /* where it was refused and the probe can tell */
    str text;         /* the evidence in one sentence */
};

/* Try the links that are wanted, by link id; the clients' nodes side by side. `results` has room
   for every link and is overwritten. */
void survey_try_links(struct arena *arena, const struct survey *survey, const bool *wanted,
                      struct tried *results);

#endif
