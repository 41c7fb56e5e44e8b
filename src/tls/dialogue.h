/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dialogue.h - what a protocol says before TLS, and which exchange after it proves acceptance.
 *
 * Both parts fill outcome, cause and text when the peer says something that decides the probe, and
 * otherwise answer with how the reading ended, which probe.c judges for every protocol alike.
 */
#ifndef TLS_DIALOGUE_H
#define TLS_DIALOGUE_H

#include "tls/dial.h"
#include "tls/handshake.h"
#include "tls/probe.h"

struct dialogue_row;
struct talk {
    struct arena *arena;
    const struct probe_request *request;
    const struct dialogue_row *row;
    const struct handshake *seen;
    struct wire *wire;
    struct probe_result *result;
    bool decided; /* outcome, cause and text are set */
};

/* What a line protocol sends and how the answer it goes on with begins. */
struct line_step {
    const char *send; /* NULL: only wait for a line, the greeting */
    const char *want;
};

struct dialogue_row {
    const char *name;
    enum wire_end (*prelude)(struct talk *talk); /* NULL: TLS from the first byte */
    enum wire_end (*confirm)(struct talk *talk);
    struct line_step steps[4]; /* prelude of a line protocol, ended by want NULL */
    struct line_step proof;    /* its confirm: any whole answer is the application's */
};

const struct dialogue_row *dialogue_find(str name); /* NULL when there is none */

/* What the peer said decides the probe. */
void talk_decide(struct talk *talk, enum probe_outcome outcome, enum cause cause, str text);

#endif
