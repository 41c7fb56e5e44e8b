/* SPDX-License-Identifier: Apache-2.0 */
/*
 * waves.h - a plan wave by wave, as people read it: what is done, and who presents and who trusts
 * what after it.
 *
 * A short plan for a small cluster is shown wave by wave: who has changed is named, the others are
 * counted. Any other is summed up: the waves that do the same together, with a few names.
 */
#ifndef CMD_WAVES_H
#define CMD_WAVES_H

#include "plan/picture.h"

enum waves_show {
    WAVES_FITTING, /* summed up where that is better */
    WAVES_EACH,
    WAVES_ONE, /* with every name */
};

struct waves_view {
    FILE *out;
    struct judge *judge;
    const struct plan *plan;
    size_t width; /* of a line */
    enum waves_show show;
    size_t wave;         /* of WAVES_ONE */
    const char *in_full; /* the command that shows a wave, less its number; NULL: there is none */
};
void waves_print(const struct waves_view *view);

#endif
