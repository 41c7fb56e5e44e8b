/* SPDX-License-Identifier: Apache-2.0 */
/* sink.h - a stream that is written to memory: JSON that goes into a file or a line. */
#ifndef BASE_SINK_H
#define BASE_SINK_H

#include "base/err.h"
#include "base/str.h"

#include <stdio.h>

struct sink {
    FILE *file;
    char *text;
    size_t len;
};
MUST_CHECK bool sink_open(struct sink *sink, struct err *err);
str sink_text(struct sink *sink); /* what was written so far; good until the next write */
void sink_close(struct sink *sink);
DEFINE_AUTO(sink, struct sink, sink_close(handle))

#endif
